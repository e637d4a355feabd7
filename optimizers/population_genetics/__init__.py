"""Populations of population genetics, and their limits."""
