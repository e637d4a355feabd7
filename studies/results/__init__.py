"""What a study's folder and Dataset hold, read back: nothing here imports torch."""
