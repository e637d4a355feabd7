"""The command `python -m studies.run`: from a study file to its folder.

`__main__` parses and prints, `session` runs, `sweep` computes cells on Dask, `clusters` starts workers,
`drawing` draws the figures; `signals` stop it.
"""
