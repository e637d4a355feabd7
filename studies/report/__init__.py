"""One page for each study, `report.html`: a single file that needs nothing else, of what is there now.

See `writing`. Nothing imports torch.
"""
