"""Measures of ruggedness on bits, by enumeration or by samples."""
