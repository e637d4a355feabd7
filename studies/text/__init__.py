"""Texts: formulas, labels, words of messages, the terminal."""
