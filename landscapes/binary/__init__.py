"""Landscapes on bits: genotypes, spins, assignments.

From random tables to measured ones, and the functions of known runtime.
"""
