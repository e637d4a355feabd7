"""Landscapes around another one: moving optima, relaxations of bits, planes and paths."""
