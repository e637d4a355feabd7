"""Tables of a study for a paper: LaTeX, Markdown and tidy CSV, of the numbers that the report shows.

`python -m studies.table RESULTS final`.
"""
