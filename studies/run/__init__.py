"""The command `python -m studies.run`: from a study file to its folder."""
