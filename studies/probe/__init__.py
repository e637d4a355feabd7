"""What `python -m studies.probe` works with: landscapes named by words, their measures as a Dataset, and their pictures."""
