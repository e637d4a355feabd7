"""Pure functions from a study's Dataset to numbers; nothing here imports torch."""
