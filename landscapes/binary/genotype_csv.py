"""Reads a genotype-fitness table from a text file, and tells all that is wrong with it.

Each kind of mistake has a line.

Commas, semicolons or tabs separate the cells; the header may be in any case; numbers may have decimal commas;
genotypes are written as `genotype_notations` says. A genotype that is not there, or has no number (NA in any
of its spellings), is missing.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from landscapes.binary.genotype_notations import DIGITS, Genotypes, Mistakes, Written, genotypes
from landscapes.binary.genotypes import letters, radix

LOCI = 20  # at most, of two letters: a million genotypes
NOT_AVAILABLE = frozenset(
    "na n/a #n/a #na nan null none nil nd n.d. n.d missing - -- . ? #value! #div/0!".split()
) | {""}
_TOLD = 20  # genotypes that a message names
Missing = Literal["error", "lethal", "additive"] | float


@dataclass(frozen=True)
class Measured:
    """A table of all genotypes in the order of their numbers, as `genotypes.letter_number` has them.

    Args:
        sites: the letters of each of n sites, by their numbers.
        values: (G) float64, what was measured, or stands for it; G = 2^n on bits.
        errors: (G) float64, its errors, NaN where there is none; None where there is no such column.
        filled: (G) bool, genotypes that were not measured; None: all were.
    """

    sites: tuple[tuple[str, ...], ...]
    values: Tensor
    errors: Tensor | None = None
    filled: Tensor | None = None

    @property
    def loci(self) -> int:
        """The sites."""
        return len(self.sites)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many letters each site has."""
        return tuple(map(len, self.sites))

    @property
    def binary(self) -> bool:
        """Whether no site has more than two letters."""
        return max(self.sizes, default=2) == 2

    @property
    def digest(self) -> str:
        """64 hexadecimal digits: equal for equal numbers."""
        columns = [
            column.numpy().tobytes()
            for column in (self.values, self.errors, self.filled)
            if column is not None
        ]
        named = [] if self.binary else [repr(self.sites).encode()]
        return hashlib.sha256(b"|".join([*columns, *named])).hexdigest()


class Row(NamedTuple):
    """A measurement."""

    line: int
    value: float
    error: float


UNREAD = Measured((), torch.empty(0))


def read_table(
    path: Path,
    genotype: str | list[str],
    fitness: str,
    error: str | None = None,
    *,
    positive: bool = False,
    wild_type: str | list[str] | None = None,
    duplicates: Literal["error", "mean"] = "error",
    missing: Missing = "error",
) -> Measured:
    """The table in a text file with a header; empty lines and lines that begin with # are skipped.

    Args:
        path: the file.
        genotype: the column of genotypes, or the columns of the sites.
        fitness: the column of values.
        error: a column of errors, >= 0.
        positive: whether values must be > 0.
        wild_type: how the genotype of zeros is written; None: as `genotype_notations` says.
        duplicates: of a genotype in several rows: error, or the mean of its values (its error is then that of
            the mean of independent ones).
        missing: what stands for a genotype that was not measured: error, lethal (0), a number, or additive:
            b_0 + sum of b_i over its mutations, by least squares on all that were measured, in the numbers of
            the file.

    Returns:
        The table.

    Raises:
        ValueError: all that is wrong, a line each.
    """
    mistakes = Mistakes(path.name)
    sites = [genotype] if isinstance(genotype, str) else list(genotype)
    columns, lines = _columns(path, [*sites, fitness, *([error] if error else [])], mistakes)
    texts = zip(*columns[: len(sites)], strict=True)
    written = [Written(line, cells) for line, cells in zip(lines, texts, strict=True)]
    wild = (
        (wild_type,) if isinstance(wild_type, str) else None if wild_type is None else tuple(wild_type)
    )
    read = genotypes(written, wild, mistakes)
    expected = "a number > 0 (its logarithm is asked for)" if positive else "a number"
    values = _numbers(columns[len(sites)], lines, expected, positive, mistakes)
    errors = _errors(columns[-1], lines, mistakes) if error else [math.nan] * len(lines)
    rows_of: dict[str, list[Row]] = {}
    for text, row in zip(read.texts, map(Row, lines, values, errors), strict=True):
        if text:
            rows_of.setdefault(text, []).append(row)
    table = _table(rows_of, read, duplicates, missing, positive, mistakes) if rows_of else UNREAD
    if mistakes.lines():
        raise ValueError("\n  ".join(mistakes.lines()))
    return table if error else replace(table, errors=None)


# cells ------------------------------------------------------------------------------------------------------


def _columns(
    path: Path, wanted: Sequence[str], mistakes: Mistakes
) -> tuple[list[list[str]], list[int]]:
    """The cells of the wanted columns, and the lines of the file that they stand in.

    Raises:
        ValueError: there is no table, or a column is not in it.
    """
    (first, header), *rows = _cells(path)
    places = [_place(header, name) for name in wanted]
    wrong = [place for place in places if isinstance(place, str)]
    if wrong:
        raise ValueError("\n  ".join(f"{path.name}:{first}: {text}" for text in dict.fromkeys(wrong)))
    kept = []
    for line, cells in rows:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            mistakes.add(line, f"{len(header)} cells, as in the header", str(len(cells)))
        else:
            kept.append((line, cells))
    if not kept:
        raise ValueError("\n  ".join(mistakes.lines()))
    columns = [[cells[place] for _, cells in kept] for place in places]  # type: ignore[index]
    return columns, [line for line, _ in kept]


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of the header and the rows; rows of empty cells are left out."""
    try:
        text = list(io.StringIO(_text(path), newline=""))
        reader = csv.reader(
            ("\n" if line.startswith("#") else line for line in text), delimiter=_separator(text)
        )
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except OSError as error:
        raise ValueError(f"expected a CSV file, got {str(path)!r} ({error.strerror})") from error
    except (UnicodeError, csv.Error) as error:
        raise ValueError(f"{path.name}: expected a CSV file in UTF-8 ({error})") from error
    rows = [(line, cells) for line, cells in rows if any(cells) and not _names_separator(cells)]
    if len(rows) < 2:
        raise ValueError(
            f"{path.name}: expected a header and a row for each genotype, got"
            f" {['an empty file', 'a header alone'][len(rows)]}"
        )
    return rows


def _text(path: Path) -> str:
    """What the file holds: UTF-8, or UTF-16 where it begins so, as a spreadsheet's "Unicode text" does."""
    raw = path.read_bytes()
    return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def _separator(lines: list[str]) -> str:
    """What separates the cells of the header: the most frequent of tab, semicolon and comma."""
    header = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if header.lower().startswith("sep="):
        return header.strip()[4:5] or ","
    return max("\t;,", key=header.count)


def _names_separator(cells: list[str]) -> bool:
    """Whether a row is the line sep=; that spreadsheets put first."""
    return cells[0].lower().startswith("sep=")


def _place(header: list[str], name: str) -> int | str:
    """Where a column is: its name as it stands, else in any case; or what is wrong with it."""
    for same in (lambda cell: cell == name, lambda cell: cell.lower() == name.lower()):
        places = [place for place, cell in enumerate(header) if same(cell)]
        if len(places) > 1:
            return f"expected column names that differ, got {header[places[0]]!r} {len(places)} times"
        if places:
            return places[0]
    near = difflib.get_close_matches(name.lower(), [cell.lower() for cell in header], 1)
    hint = (
        f"; did you mean {next(cell for cell in header if cell.lower() == near[0])!r}?" if near else ""
    )
    return f"expected a column {name!r}, got {', '.join(header)}{hint}"


# numbers ----------------------------------------------------------------------------------------------------


def _numbers(
    texts: list[str], lines: list[int], expected: str, positive: bool, mistakes: Mistakes
) -> list[float]:
    """The numbers of a column, NaN where there is none; commas are decimal where no number has a point."""
    absent = [text.lower() in NOT_AVAILABLE for text in texts]
    commas = not any("." in text for text, none in zip(texts, absent, strict=True) if not none)
    numbers = []
    for line, text, none in zip(lines, texts, absent, strict=True):
        number = math.nan if none else _number(text.replace(",", ".") if commas else text)
        if number is None or (positive and number <= 0):
            mistakes.add(line, expected, repr(text))
        numbers.append(math.inf if number is None else number)  # what is wrong is not missing too
    return numbers


def _errors(texts: list[str], lines: list[int], mistakes: Mistakes) -> list[float]:
    """The errors of a column, NaN where there is none."""
    errors = _numbers(texts, lines, "an error >= 0", False, mistakes)
    for line, text, error in zip(lines, texts, errors, strict=True):
        if error < 0:
            mistakes.add(line, "an error >= 0", repr(text))
    return errors


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


# the table --------------------------------------------------------------------------------------------------


def _table(
    rows_of: dict[str, list[Row]],
    read: Genotypes,
    duplicates: str,
    missing: Missing,
    positive: bool,
    mistakes: Mistakes,
) -> Measured:
    """The complete table of the rows of each genotype; what is wrong with it goes to the mistakes."""
    sizes = tuple(map(len, read.sites))
    if math.prod(sizes) > 2**LOCI:
        mistakes.say(_too_large(sizes))
        return UNREAD
    if duplicates == "error":
        _once(rows_of, read, mistakes)
    values, errors = _means(rows_of, sizes)
    gaps = np.isnan(values)
    if gaps.any():
        blank = [row.line for rows in rows_of.values() if not _measured(rows) for row in rows]
        _fill(values, gaps, read, missing, blank, mistakes)
    if positive and missing != "error" and (values[gaps] <= 0).any():
        mistakes.say(
            f"missing: expected values > 0 (their logarithm is asked for), got {values[gaps].min():g}"
        )
    filled = torch.from_numpy(gaps) if gaps.any() else None
    return Measured(read.sites, torch.from_numpy(values), torch.from_numpy(errors), filled)


def _too_large(sizes: tuple[int, ...]) -> str:
    """What is said of a table of more genotypes than are held."""
    if max(sizes) == 2:
        return f"expected at most {LOCI} loci, got {len(sizes)}"
    product = " x ".join(map(str, sizes))
    return f"expected at most {2**LOCI} genotypes, got {product} letters, {math.prod(sizes)}"


def _once(rows_of: dict[str, list[Row]], read: Genotypes, mistakes: Mistakes) -> None:
    """Genotypes in several rows are a mistake."""
    twice = [
        f"{read.name(text)} (lines {' '.join(str(row.line) for row in rows)})"
        for text, rows in rows_of.items()
        if len(rows) > 1
    ]
    if twice:
        mistakes.say(
            f"expected each genotype once, got {_listed(twice, ', ')}; duplicates: mean takes their mean"
        )


def _measured(rows: list[Row]) -> list[Row]:
    """Those of the rows that have a number."""
    return [row for row in rows if not math.isnan(row.value)]


def _means(rows_of: dict[str, list[Row]], sizes: tuple[int, ...]) -> np.ndarray:
    """The mean value of each genotype and its error, (2, G) by its number; NaN where not measured."""
    means, units = np.full((2, math.prod(sizes)), np.nan), radix(sizes)
    for text, rows in rows_of.items():
        measured = _measured(rows)
        if measured:
            place = sum(DIGITS.index(digit) * unit for digit, unit in zip(text, units, strict=True))
            means[0, place] = sum(row.value for row in measured) / len(measured)
            means[1, place] = math.sqrt(sum(row.error**2 for row in measured)) / len(measured)
    return means


def _fill(
    values: np.ndarray,
    gaps: np.ndarray,
    read: Genotypes,
    missing: Missing,
    blank: list[int],
    mistakes: Mistakes,
) -> None:
    """Put what stands for them in the place of the values that were not measured.

    `blank`: the lines without a number.
    """
    if missing == "error":
        sizes = [*map(len, read.sites)]
        kinds = f" ({' x '.join(map(str, sizes))} letters)" if max(sizes) > 2 else ""
        numbers = letters(torch.from_numpy(np.flatnonzero(gaps)), sizes).tolist()
        names = [read.name(text) for text in sorted("".join(DIGITS[x] for x in row) for row in numbers)]
        remedy = "missing: lethal, additive or a number says what stands for them"
        lines = f" (no number in lines {_listed(list(map(str, blank)), ' ')})" if blank else ""
        mistakes.say(
            f"expected all {len(values)} genotypes{kinds}, {len(names)} missing: {_listed(names, ' ')}{lines}"
            f"; {remedy}"
        )
    elif missing == "additive":
        _fill_additively(values, gaps, [*map(len, read.sites)], mistakes)
    elif missing == "lethal" and np.nanmin(values, initial=0.0) < 0:
        mistakes.say(
            f"missing: lethal: expected fitness >= 0, since lethal is 0, got {np.nanmin(values):g}"
        )
    else:
        values[gaps] = 0.0 if missing == "lethal" else missing


def _fill_additively(
    values: np.ndarray, gaps: np.ndarray, sizes: Sequence[int], mistakes: Mistakes
) -> None:
    """b_0 plus an effect of each letter but the wild type's, by least squares on what was measured."""
    x = letters(torch.arange(len(values)), sizes).numpy()
    others = [x[:, [site]] == range(1, size) for site, size in enumerate(sizes)]
    model = np.concatenate([np.ones((len(values), 1)), *others], 1)
    effects, _, rank, _ = np.linalg.lstsq(model[~gaps], values[~gaps], rcond=None)
    if rank < model.shape[1]:
        mistakes.say(
            f"missing: additive: expected measurements that tell {model.shape[1]} effects apart, got"
            f" {int((~gaps).sum())} that tell {rank}"
        )
    values[gaps] = model[gaps] @ effects


def _listed(names: list[str], between: str) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return between.join(names[:_TOLD]) + more
