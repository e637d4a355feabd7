"""A study while it runs, in a browser of this machine: `python -m studies.watch RESULTS`."""
