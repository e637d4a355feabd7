"""Quantities: what is asked of results, as a text: `median(hit(0.1)["SGD"]) / median(hit(0.1)["ES"])`.

`grammar` parses, `question` evaluates, `calls` lists the words, `vocabulary` explains them.
"""
