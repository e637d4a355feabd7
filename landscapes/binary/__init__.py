"""Landscapes on bits: genotypes, spins, assignments; from random tables to measured ones, and the functions of known runtime."""
