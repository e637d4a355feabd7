"""Kinds: from a name in a study file to a class, and the base of an instrument of your own."""
