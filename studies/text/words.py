"""Words in messages: the nearest right one, how a value is shown."""

from __future__ import annotations

import difflib
import fnmatch
import itertools
import re
from collections.abc import Collection, Iterable

CONSTANTS = {None: "null", True: "true", False: "false"}  # as YAML writes them


def number(value: float) -> str:
    """A value of an axis: a whole number as it is up to six digits, any other with four of them."""
    whole = abs(value) < 1e6 and value == round(value)
    return f"{value:.0f}" if whole else f"{value:.4g}"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The known word most like this one, in capitals or not, with - or _.

    The same, similar letters, initials ("lr"), or a beginning.
    """
    plain: dict[str, str] = {}  # plain form -> the word
    for name in words:
        plain.setdefault(_plain(name), name)
    key = _plain(word)
    same = (name for name in plain if key and name.replace("_", "") == key.replace("_", ""))
    close = difflib.get_close_matches(key, plain, 1)
    initials = (name for name in plain if "_" in name and _initials(name) == key)
    began = (name for name in plain if len(key) > 2 and name.startswith(key))
    return next((plain[name] for name in itertools.chain(same, close, initials, began)), None)


def nearest_path(path: str, paths: Iterable[str]) -> str | None:
    """The known path most like this one: by its last word among those beside it, * for any label."""
    paths = list(paths)
    head, _, last = path.rpartition(".")
    beside = [known.rpartition(".") for known in paths if known.count(".") == path.count(".")]
    words = [word for start, _, word in beside if fnmatch.fnmatchcase(start, head)]
    near = nearest(last, words) if head else None
    return f"{head}.{near}" if near else nearest(path, paths)


def longer(name: str, words: Iterable[str]) -> list[str]:
    """The dotted words that are this one with more before its last part: noise.(evaluation.)gradient."""
    *before, last = name.split(".")
    split = ((word, word.split(".")) for word in words)
    return [
        word
        for word, (*parts, own) in split
        if len(parts) > len(before) and own == last and parts[: len(before)] == before
    ]


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())


def suggest(word: str, words: Iterable[str]) -> str:
    """A hint: did you mean 'sgd'?, or all that is known."""
    words = list(words)
    near = nearest(word, words)
    if near:
        return f"did you mean {near!r}?"
    return f"expected one of: {', '.join(words)}" if words else "nothing is expected here"


def suggest_longer(word: str, dotted: Iterable[str], words: Iterable[str]) -> str:
    """A hint: the first dotted word that this one may be short for, or else what `suggest` says."""
    whole = next(iter(longer(word, dotted)), None)
    return f"did you mean {whole!r}?" if whole else suggest(word, words)


def check_known(what: str, words: Iterable[str], right: Collection[str]) -> None:
    """Refuse words that are none of the right ones.

    Args:
        what: the beginning of the message, such as "--measures: unknown measure".
        words: as they were given.
        right: all that are known.

    Raises:
        ValueError: with one line on the first that is not known.
    """
    for word in words:
        if word not in right:
            raise ValueError(f"{what} {word!r}; {suggest(word, right)}")


def show(value: object) -> str:
    """A value as YAML writes it, in a few words."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return CONSTANTS[value] if value is None or isinstance(value, bool) else repr(value)


def short(value: object) -> str:
    """A value in a label: 0.1, true, null, cosine."""
    if isinstance(value, dict):
        return joined(value.items())
    if value is None or isinstance(value, bool):
        return CONSTANTS[value]
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def joined(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values as a label: "n=16 batch=4"."""
    return " ".join(f"{name}={short(value)}" for name, value in pairs)


def taken_apart(label: str) -> list[tuple[str, str]]:
    """The names and values of a label that `joined` made, to be shown apart; none of any other text.

    What an arm ran with is not read from here: `studies.results.settings` has it.
    """
    pairs = [part.partition("=") for part in label.split(" ")]
    whole = all(sign and value for _, sign, value in pairs)
    return [(name, value) for name, _, value in pairs] if whole else []


def counted(number: int, thing: str) -> str:
    """How many there are: "1 world", "32 worlds"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def canonical(value: object) -> object:
    """The value with whole floats as integers, so that 1 and 1.0 are one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
