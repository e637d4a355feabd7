"""What `python -m studies.probe` works with.

Landscapes named by words, their measures as a Dataset, and their pictures.
"""
