"""A package of its own, so that no library that ships a folder `tests` comes before it."""
