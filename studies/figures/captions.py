"""The caption of a figure: what it shows, in words that stand beside its picture, not in it."""

from __future__ import annotations

import re

from matplotlib.figure import Figure


def say(figure: Figure, words: str) -> None:
    """Keep what a figure shows: which statistic, what its bands and marks are, of how many worlds."""
    figure.set_label(words)


def said(figure: Figure) -> str:
    """What a figure shows, as one sentence; nothing where it does not say."""
    return sentence(str(figure.get_label()))


def sentence(words: str) -> str:
    """Words as a sentence, none of none; what they begin with has a capital, but a formula."""
    words = " ".join(words.split())
    if not words:
        return ""
    first = re.match(r"[a-z]{2,}(?=[\s,;:]|$)", words)
    begin = words[0].upper() if first else words[0]
    return f"{begin}{words[1:].removesuffix('.')}."
