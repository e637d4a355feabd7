"""Intervals: bootstrap, quantiles, proportions."""
