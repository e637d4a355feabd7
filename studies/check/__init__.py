"""The contract of one landscape or optimizer, promise by promise: python -m studies.check mine:Kind."""
