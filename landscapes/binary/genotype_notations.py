"""How genotypes are written in tables, and which bits, or letters by their numbers, they are.

0110             0 and 1
ACGT, AEMGV      letters, one for each site: the wild type's is 0, others are numbered as they appear; sites
                 where all agree are left out
S54N:V44L, WT    mutations, in any order: 1 where the site is mutated, or the number of its mutation, sites by
                 their position; p.Ser54Asn is read too
columns          one for each site, its cells as above
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

Mutations = dict[int, tuple[str, str]]  # position -> letter before and after
Text = tuple[str, ...]  # a genotype: the cells of its columns, or the letters of its text

BITS = frozenset("01")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"  # numbers of letters
WILD_TYPES = {"wt", "wildtype", "wild type", "wild-type", "wild_type"}
_MUTATION = re.compile(r"(?:p\.)?([A-Za-z]{3}|[A-Za-z*])(\d+)([A-Za-z]{3}|[A-Za-z*])")
_NUMBER = re.compile(r"(\d+)((?:\.\d+)?(?:[eE]\+?\d+)?)")
_BETWEEN = re.compile(r"[\s:;,+/_|&-]+")
_NAMED = 6  # sites, or letters, that a message names


class Mistakes:
    """All that is wrong with a file, one line for each kind.

    Args:
        name: of the file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[
            str, list[tuple[int, str]]
        ] = {}  # what was expected -> lines and what they hold
        self.others: list[str] = []

    def add(self, line: int, expected: str, got: str) -> None:
        """A mistake in one line of the file."""
        self.rows.setdefault(expected, []).append((line, got))

    def say(self, text: str) -> None:
        """A mistake of the whole file."""
        self.others.append(f"{self.name}: {text}")

    def lines(self) -> list[str]:
        """What is wrong, a line each."""
        return [self._line(expected, places) for expected, places in self.rows.items()] + self.others

    def _line(self, expected: str, places: list[tuple[int, str]]) -> str:
        (line, got), *more = places
        where = " ".join(str(other) for other, _ in more[:_NAMED]) + " .." * (len(more) > _NAMED)
        likewise = (
            f"; likewise in {len(more)} other line{'s' * (len(more) > 1)}: {where}" if more else ""
        )
        return f"{self.name}:{line}: expected {expected}, got {got}{likewise}"


class Written(NamedTuple):
    """A genotype as it is written."""

    line: int
    cells: Text  # one text, or one cell for each site


class Genotypes(NamedTuple):
    """Genotypes as numbers of letters, which are bits where no site has more than two."""

    # of each row, a text of `DIGITS` in the order of the sites; None where it could not be read
    texts: list[str | None]
    name: Callable[[str], str]  # how such a text is written in the file
    sites: tuple[Text, ...] = ()  # the letters of each site, by their numbers


def genotypes(written: Sequence[Written], wild_type: Text | None, mistakes: Mistakes) -> Genotypes:
    """Read the genotypes of a table.

    Args:
        written: the genotypes, at least one.
        wild_type: how the genotype without mutations is written; None: 0 in texts of 0 and 1, else the first
            genotype.
        mistakes: takes what is wrong.
    """
    if len(written[0].cells) > 1:
        return _letters(written, wild_type, mistakes)
    if _mostly(written, lambda cells: _mutations(cells[0], wild_type) is not None):
        return _mutation_lists(written, wild_type, mistakes)
    if _made_numbers([cells[0] for _, cells in written], mistakes):
        return Genotypes([None] * len(written), str)
    return _letters(
        [Written(line, tuple(cells[0])) for line, cells in written],
        wild_type and tuple(wild_type[0]),
        mistakes,
    )


def _mostly(written: Sequence[Written], fits: Callable[[Text], bool]) -> bool:
    return 2 * sum(fits(cells) for _, cells in written) >= len(written)


def _made_numbers(texts: list[str], mistakes: Mistakes) -> bool:
    """Whether a spreadsheet has made numbers of genotypes; then it is said."""
    numbers = [_NUMBER.fullmatch(text) for text in texts]
    lengths = sorted({len(number[1]) for number in numbers if number})
    zeros = any(text.startswith("0") and len(text) > 1 and text[1] != "." for text in texts)
    changed = any(number and number[2] for number in numbers)
    if not all(numbers) or zeros or not (changed or len(lengths) > 1):
        return False
    sizes = (
        f"{lengths[0]} to {lengths[-1]} digits"
        if len(lengths) > 1
        else f"numbers such as {max(texts, key=len)}"
    )
    told = f"expected genotypes of one length, got {sizes}, and none that begins with 0"
    text = "0" * lengths[-1]
    remedy = (
        f'make that column text, =TEXT(A2, "{text}") in a spreadsheet, or dtype=str where it is read'
    )
    mistakes.say(
        f"{told}: a spreadsheet has made numbers of them and dropped their leading zeros; {remedy}"
    )
    return True


# letters ----------------------------------------------------------------------------------------------------


def _letters(written: Sequence[Written], wild_type: Text | None, mistakes: Mistakes) -> Genotypes:
    """Genotypes of one letter, or cell, at each site."""
    plain = _mostly(written, lambda cells: set(cells) <= BITS)
    read = _readable(written, BITS if plain else None, mistakes)
    unread = Genotypes([None] * len(written), str)
    good = [cells for cells in read if cells]
    if not good:
        return unread
    zero = _zero(wild_type, ("0",) * len(good[0]) if plain else good[0], mistakes)
    if _not_there(zero, good, plain, mistakes):
        return unread
    columns = zip(*good, strict=True)
    both = BITS if plain else frozenset()
    alleles = [
        tuple(dict.fromkeys((letter, *column, *sorted(both))))
        for letter, column in zip(zero, columns, strict=True)
    ]
    if _too_many(alleles, mistakes):
        return unread
    sites = [site for site, letters in enumerate(alleles) if len(letters) > 1]
    if not sites:
        mistakes.say("expected sites with two letters, got one letter at each")
    texts = [
        "".join(DIGITS[alleles[site].index(cells[site])] for site in sites) if cells else None
        for cells in read
    ]
    return Genotypes(texts, _namer(alleles, sites), tuple(alleles[site] for site in sites))


def _namer(alleles: list[Text], sites: list[int]) -> Callable[[str], str]:
    """From the numbers of a genotype's letters to how the file writes it."""
    between = "" if all(len(letter) == 1 for letters in alleles for letter in letters) else " "

    def name(text: str) -> str:
        number = {site: DIGITS.index(digit) for site, digit in zip(sites, text, strict=True)}
        return between.join(letters[number.get(site, 0)] for site, letters in enumerate(alleles))

    return name


def _readable(
    written: Sequence[Written], letters: frozenset[str] | None, mistakes: Mistakes
) -> list[Text | None]:
    """The genotypes that have the usual length, of these letters (None: any).

    None in the place of the others.
    """
    good: list[Text | None] = []
    for line, cells in written:
        fine = bool(cells) and all(cells) and (letters is None or set(cells) <= letters)
        if not fine:
            mistakes.add(
                line, "a genotype" if letters is None else "a genotype of 0 and 1", _quoted(cells)
            )
        good.append(cells if fine else None)
    readable = {cells for cells in good if cells}
    lengths = Counter(len(cells) for cells in good if cells)
    usual = lengths.most_common(1)[0][0] if lengths else 0
    for line, cells in written:
        if cells in readable and len(cells) != usual:
            mistakes.add(line, f"a genotype of {usual} loci, as most are", _quoted(cells))
    return [cells if cells and len(cells) == usual else None for cells in good]


def _zero(wild_type: Text | None, usual: Text, mistakes: Mistakes) -> Text:
    """What is written at each site of the wild type."""
    if wild_type is not None and len(wild_type) != len(usual):
        got = f"{len(wild_type)}: {_quoted(wild_type)}"
        mistakes.say(
            f"expected a wild_type of {len(usual)} sites, got {got}; write it as the file writes that"
            " genotype"
        )
        return usual
    return wild_type or usual


def _not_there(wild_type: Text, good: list[Text], plain: bool, mistakes: Mistakes) -> bool:
    """Whether the wild type has letters that no genotype has at their site; then it is said."""
    columns = [sorted(set(column)) for column in zip(*good, strict=True)]
    fitting = [BITS if plain else {*letters} for letters in columns]
    wrong = [
        site
        for site, (letter, letters) in enumerate(zip(wild_type, fitting, strict=True))
        if letter not in letters
    ]
    if not wrong:
        return False
    told = [
        f"site {site + 1} ({wild_type[site]}, the file has {', '.join(columns[site])})"
        for site in wrong
    ]
    case = all(wild_type[site].swapcase() in fitting[site] for site in wrong)
    remedy = "write it in the case of the file" if case else "write it as the file writes that genotype"
    mistakes.say(
        f"expected a wild_type of letters that the file has at their site, got others at {_listed(told)};"
        f" {remedy}"
    )
    return True


def _too_many(alleles: Sequence[Text], mistakes: Mistakes) -> bool:
    """Whether a site has more letters than can be numbered; then it is said."""
    many = [
        f"site {site} ({', '.join(letters)})"
        for site, letters in enumerate(alleles, 1)
        if len(letters) > len(DIGITS)
    ]
    if many:
        mistakes.say(
            f"expected {len(DIGITS)} letters at each site at most, got more at {_listed(many)}"
        )
    return bool(many)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (
        f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    )


def _quoted(cells: Text) -> str:
    return repr("".join(cells)) if all(len(cell) == 1 for cell in cells) else " ".join(map(repr, cells))


# mutations --------------------------------------------------------------------------------------------------


def _mutations(text: str, wild_type: Text | None) -> Mutations | None:
    """Position -> letter before and after, of each mutation in a list.

    Empty for the wild type, None where it is no such list.
    """
    if text.lower() in WILD_TYPES or (wild_type is not None and text == wild_type[0]):
        return {}
    parts = [_MUTATION.fullmatch(part) for part in _BETWEEN.split(text)]
    mutations = {int(part[2]): (part[1], part[3]) for part in parts if part}
    return mutations if len(mutations) == len(parts) else None


def _wrong_wild_type(texts: list[str], wild_type: Text | None, mistakes: Mistakes) -> bool:
    """Whether the file lacks the wild type, or calls two different lists of mutations so; then it is said."""
    if wild_type is None or wild_type[0].lower() in WILD_TYPES:
        return False
    named = [text for text in texts if text.lower() in WILD_TYPES]
    if named and _mutations(wild_type[0], None):
        told = f"{wild_type[0]!r}, which has mutations, beside {named[0]!r}"
        mistakes.say(
            f"expected the wild_type of a file of mutations to be its genotype without any, got {told}; leave"
            " wild_type out"
        )
    elif wild_type[0] not in texts:
        remedy = (
            f"write {named[0]!r}, or leave it out"
            if named
            else "write it as the file writes that genotype"
        )
        mistakes.say(f"expected a wild_type that the file has, got {wild_type[0]!r}; {remedy}")
    else:
        return False
    return True


def _mutation_lists(
    written: Sequence[Written], wild_type: Text | None, mistakes: Mistakes
) -> Genotypes:
    """Genotypes as lists of what is mutated."""
    if _wrong_wild_type([cells[0] for _, cells in written], wild_type, mistakes):
        return Genotypes([None] * len(written), str)
    lists = [_mutations(cells[0], wild_type) for _, cells in written]
    for (line, cells), mutations in zip(written, lists, strict=True):
        if mutations is None:
            mistakes.add(
                line, "a list of mutations of different sites, such as S54N:V44L, or WT", repr(cells[0])
            )
    seen: dict[int, dict[str, None]] = {}  # position -> letter before, and those after as they appear
    for mutations in lists:
        for position, (before, after) in sorted((mutations or {}).items()):
            seen.setdefault(position, {before: None})[after] = None
    alleles = {position: tuple(seen[position]) for position in sorted(seen)}
    wrong = _not_one_before(lists, alleles, mistakes) or _too_many([*alleles.values()], mistakes)
    if not seen:
        mistakes.say("expected mutations, got the wild type alone")
    if wrong:
        return Genotypes([None] * len(written), str)

    def name(text: str) -> str:
        numbers = zip(alleles.items(), map(DIGITS.index, text), strict=True)
        changed = (f"{of[0]}{position}{of[number]}" for (position, of), number in numbers if number)
        return ":".join(changed) or "WT"

    texts = [None if mutated is None else _digits(mutated, alleles) for mutated in lists]
    return Genotypes(texts, name, tuple(alleles.values()))


def _digits(mutated: Mutations, alleles: dict[int, Text]) -> str:
    """The numbers of the letters of a genotype, of the letters at each position."""
    after = {position: mutated[position][1] if position in mutated else None for position in alleles}
    numbers = (0 if letter is None else alleles[at].index(letter) for at, letter in after.items())
    return "".join(DIGITS[number] for number in numbers)


def _not_one_before(
    lists: list[Mutations | None], alleles: dict[int, Text], mistakes: Mistakes
) -> bool:
    """Whether mutations of one site name several letters before them, or none after; then it is said."""
    wrong = {
        f"{before}{position}{after}"
        for mutations in lists
        for position, (before, after) in (mutations or {}).items()
        if before != alleles[position][0] or after == before
    }
    if wrong:
        told = _listed(sorted(wrong))
        mistakes.say(f"expected mutations from one letter at each site, to another, got {told}")
    return bool(wrong)
