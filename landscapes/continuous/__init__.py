"""Landscapes on real coordinates.

Bowls, valleys, saddles, wells and random fields of set curvature and ruggedness.
"""
