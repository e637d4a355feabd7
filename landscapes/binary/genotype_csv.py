"""Reads a complete genotype-fitness table from a CSV file, and tells all that is wrong with it by line."""

from __future__ import annotations

import csv
import difflib
import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

LOCI = 20  # at most: a million genotypes
SEPARATORS = {";": "semicolons", "\t": "tabs"}  # that a header of one cell may mean
_TOLD = 20  # mistakes, or missing genotypes, that are named


@dataclass(frozen=True)
class Measured:
    """A table of 2^n genotypes in the order of their numbers, sum_i bit_i 2^i.

    Args:
        loci: n.
        values: (2^n) float64, what was measured.
        errors: (2^n) float64, its errors; None where there is no such column.
    """

    loci: int
    values: Tensor
    errors: Tensor | None = None

    @property
    def digest(self) -> str:
        """64 hexadecimal digits: equal for equal numbers."""
        columns = [column.numpy().tobytes() for column in (self.values, self.errors) if column is not None]
        return hashlib.sha256(b"|".join(columns)).hexdigest()


@dataclass(frozen=True)
class _Row:
    line: int
    genotype: str | None  # None: not one
    value: float | None
    error: float | None


UNREAD = Measured(0, torch.empty(0))


def read_table(path: Path, genotype: str | list[str], fitness: str, error: str | None = None, *, positive: bool = False) -> Measured:
    """The table in a CSV file: UTF-8, commas, a header; empty lines and lines that begin with # are skipped.

    Args:
        path: the file.
        genotype: the column of genotypes, texts of 0 and 1; or the columns of the loci, each 0 or 1.
        fitness: the column of values.
        error: a column of errors, >= 0.
        positive: whether values must be > 0.

    Returns:
        The table.

    Raises:
        ValueError: all that is wrong, a line each.
    """
    (first, header), *cells = _cells(path)
    if len(header) == 1 and (other := next((name for mark, name in SEPARATORS.items() if mark in header[0]), None)):
        raise ValueError(f"{path.name}:{first}: expected cells that commas separate, got {other}; separate with commas")
    loci = [genotype] if isinstance(genotype, str) else list(genotype)
    mistakes = _unknown(header, [*loci, fitness, *([error] if error else [])])
    if mistakes:
        raise ValueError(_told(path.name, [f"{path.name}:{first}: {text}" for text in mistakes]))
    rows = []
    for line, row in cells:
        if len(row) != len(header):
            mistakes.append(f"{path.name}:{line}: expected {len(header)} cells, as in the header, got {len(row)}")
            continue
        named = dict(zip(header, row, strict=True))
        read, wrong = _read(line, [named[name] for name in loci], named[fitness], named[error] if error else None, positive)
        rows.append(read)
        mistakes += [f"{path.name}:{line}: {text}" for text in wrong]
    length = len(loci) if len(loci) > 1 else _usual_length(rows)
    mistakes += _incomplete(path.name, rows, length)
    if mistakes:
        raise ValueError(_told(path.name, mistakes))
    return _table(rows, length)


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of the header and the rows."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader("\n" if line.startswith("#") else line for line in file)
            found = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except OSError as error:
        raise ValueError(f"expected a CSV file, got {str(path)!r} ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name}: expected a CSV file in UTF-8 ({error})") from error
    if len(found) < 2:
        raise ValueError(f"{path.name}: expected a header and a row for each genotype, got {['an empty file', 'a header alone'][len(found)]}")
    return found


def _unknown(header: list[str], wanted: Iterable[str]) -> list[str]:
    """What is wrong with the names of the columns."""
    wrong = [f"expected column names that differ, got {name!r} {count} times" for name, count in Counter(header).items() if count > 1]
    for name in wanted:
        if name not in header:
            near = difflib.get_close_matches(name, header, 1)
            wrong.append(f"expected a column {name!r}, got {', '.join(header)}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return wrong


def _read(line: int, genotype: list[str], value: str, error: str | None, positive: bool) -> tuple[_Row, list[str]]:
    """One row, and what is wrong with it."""
    wrong = []
    text: str | None = "".join(genotype)
    if not text or set(text) - {"0", "1"} or (len(genotype) > 1 and any(len(cell) != 1 for cell in genotype)):
        wrong.append(f"expected a genotype of 0 and 1, got {' '.join(map(repr, genotype))}")
        text = None
    number, spread = _number(value), None if error is None else _number(error)
    if number is None or (positive and number <= 0):
        wrong.append(f"expected a {'number > 0 (its logarithm is asked for)' if positive else 'number'}, got {value!r}")
    if error is not None and (spread is None or spread < 0):
        wrong.append(f"expected an error >= 0, got {error!r}")
    return _Row(line, text, number, spread), wrong


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _usual_length(rows: list[_Row]) -> int:
    """The length that most genotypes have."""
    lengths = Counter(len(row.genotype) for row in rows if row.genotype)
    return lengths.most_common(1)[0][0] if lengths else 0


def _incomplete(name: str, rows: list[_Row], length: int) -> list[str]:
    """Genotypes of another length, those that come twice, and those that do not come."""
    if length > LOCI:
        return [f"{name}: expected at most {LOCI} loci, got {length}"]
    wrong: list[str] = []
    seen: dict[str, int] = {}  # genotype -> line
    for row in rows:
        if row.genotype is None:
            continue
        if len(row.genotype) != length:
            wrong.append(f"{name}:{row.line}: expected a genotype of {length} loci, as most are, got {row.genotype!r}")
        elif row.genotype in seen:
            wrong.append(f"{name}:{row.line}: expected each genotype once, got {row.genotype!r} again, as in line {seen[row.genotype]}")
        else:
            seen[row.genotype] = row.line
    texts = (format(number, f"0{length}b") for number in range(2**length)) if length else ()
    missing = [text for text in texts if text not in seen]
    if missing:
        more = f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
        wrong.append(f"{name}: expected all {2**length} genotypes, {len(missing)} missing: {' '.join(missing[:_TOLD])}{more}")
    return wrong


def _told(name: str, mistakes: list[str]) -> str:
    more = [f"{name}: and {len(mistakes) - _TOLD} more"] if len(mistakes) > _TOLD else []
    return "\n  ".join(mistakes[:_TOLD] + more)


def _table(rows: list[_Row], length: int) -> Measured:
    ordered = sorted(rows, key=lambda row: (row.genotype or "")[::-1])
    values = torch.tensor([row.value for row in ordered], dtype=torch.float64)
    errors = [row.error for row in ordered if row.error is not None]
    return Measured(length, values, torch.tensor(errors, dtype=torch.float64) if errors else None)
