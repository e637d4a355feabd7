"""Genetic algorithms, differential evolution, coevolution."""
