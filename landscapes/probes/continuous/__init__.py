"""Measures of ruggedness on real coordinates."""
