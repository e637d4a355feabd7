"""Functions that quantities call by their import path."""


def product(dim, learning_rate):
    """Of two numbers of an arm."""
    return dim * learning_rate


def needy(nothing):
    """Of a number that no arm has."""
    return nothing
