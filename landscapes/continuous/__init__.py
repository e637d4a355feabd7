"""Landscapes on real coordinates: bowls, valleys, saddles, wells and random fields of set curvature and ruggedness."""
