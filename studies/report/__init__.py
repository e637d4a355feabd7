"""Writes `report.html`: one self-contained page for each study, of the results that there are now.

See `writing`. Nothing imports torch.
"""
