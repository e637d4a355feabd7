"""Measured genotype-fitness tables from text files.

All genotypes of n sites with two letters or more, those that were not measured filled in where the user says
how.

One table ships, "weinreich2006": the minimum inhibitory concentration of cefotaxime (micrograms per
millilitre) of the 32 combinations of five mutations of the TEM-1 beta-lactamase (Weinreich, Delaney,
DePristo, Hartl 2006, "Darwinian evolution can follow only very few mutational paths to fitter proteins",
Science 312, 111-114, supporting table S1): fitness is the median of three replicates, with which 18 of the
120 orders of the five mutations raise it at every step, as the paper says.

Streams: none; all worlds have the same table.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

from torch import Tensor

from landscapes.base import Bits, Domain, FitnessLaw, Landscape, Letters, Terms, weighted
from landscapes.binary.genotype_csv import UNREAD, Measured, read_table
from landscapes.binary.genotypes import fold, letter_number, letters
from landscapes.checks import UNBOUND, check_bound, check_chances, check_points
from landscapes.keyed import bit_words
from landscapes.streams import Streams

DATA = Path(__file__).parent / "data"
UNIT = "as in the file"
LONGEST = 700.0  # between logarithms of fitness: e^700 is about as far as numbers go


@dataclass(frozen=True, kw_only=True)
class Empirical(Landscape):
    """Measured genotype-fitness table from a CSV file, in many notations.

    A table of TEM beta-lactamase ships.

    The loss is the gap to the best value, in the units of the file or in natural logarithms. Methods that
    select by fitness take it as it was measured (`fitness_law`): in proportion to the column, or, where that
    holds logarithms, to their exponentials. Where less is better the column is no fitness, and such a method
    makes one of the loss. Lines that begin with # are comments. Bit i of a genotype is coordinate i of a
    point. Where a site has more than two letters (DNA, amino acids), coordinates are the numbers of its
    letters: 0 that of the wild type, the others in the order in which they first appear in the file.

    Source: Weinreich, Delaney, DePristo and Hartl 2006 for the table that ships.

    Args:
        file: weinreich2006, the table that ships, or the path of a CSV file, from the working directory or
            from where the study file is, with a row for each genotype, every combination of the letters of
            its sites, 2^20 at most.
        genotype: the column of genotypes: texts of 0 and 1 (01101), of letters (DNA, amino acids), or lists
            of mutations (S54N:V44L, and WT); or a list of columns, one for each locus. Names of columns are
            those of the file, in any case.
        fitness: the column of what was measured.
        error: a column of measurement errors, >= 0, shown beside the results; null: none.
        wild_type: the genotype whose bits, or letters, are 0, as it is written in the file; null: 0 in texts
            of 0 and 1, WT in lists, else the first row.
        duplicates: of a genotype in several rows: error, or mean, that of its values.
        missing: of a genotype that has no row, or no number (NA): error; lethal, fitness 0; a number, as in
            the file; or additive, b_0 plus the sum of its mutations' effects, by least squares on all that
            were measured, in the numbers of the file.
        maximise: whether more is better.
        scale: what the column holds: raw, fitness itself; log, its natural logarithms; log_ratio, fitness
            itself, every value > 0, of which the loss is the natural logarithm of the ratio to the best.
    """

    name: ClassVar[str] = "empirical"
    one_for_all: ClassVar[tuple[str, ...]] = ("missing",)  # the table is that of a file
    file: str = "weinreich2006"
    genotype: str | list[str] = "genotype"
    fitness: str = "fitness"
    error: str | None = None
    wild_type: str | list[str] | None = None
    duplicates: Literal["error", "mean"] = "error"
    missing: Literal["error", "lethal", "additive"] | float = "error"
    maximise: bool = True
    scale: Literal["raw", "log", "log_ratio"] = "raw"
    measured: Measured = field(init=False, repr=False, compare=False, default=UNREAD)
    law: FitnessLaw | None = field(init=False, repr=False, compare=False, default=None)
    # (R, G) loss of the genotype of each number
    gaps: Tensor = field(init=False, repr=False, compare=False, default=UNBOUND)
    # (R, n) uint8 a best genotype
    optimum: Tensor | None = field(init=False, repr=False, compare=False, default=None)

    def check(self) -> None:
        """Read the file."""
        shipped = {path.stem: path for path in sorted(DATA.glob("*.csv"))}
        path = shipped.get(self.file, Path(self.file))
        if not path.is_file():
            near = difflib.get_close_matches(self.file, shipped, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                "empirical.file: expected the path of a CSV file, or a table that ships:"
                f" {', '.join(shipped)}, got {self.file!r}{hint}"
            )
        self._check_choices()
        try:
            measured = read_table(
                path,
                self.genotype,
                self.fitness,
                self.error,
                positive=self.scale == "log_ratio",
                wild_type=self.wild_type,
                duplicates=self.duplicates,
                missing=self.missing,
            )
        except ValueError as error:
            raise ValueError(f"empirical.file: {error}") from error
        lowest, highest = measured.values.min().item(), measured.values.max().item()
        if self.scale == "log" and highest - lowest > LONGEST:
            spread = f"got {lowest:g} to {highest:g}"
            raise ValueError(
                f"empirical.scale: log: expected natural logarithms of fitness in {path.name}, {spread};"
                " write raw, or log_ratio"
            )
        object.__setattr__(self, "measured", measured)
        law = FitnessLaw(highest) if self.scale == "raw" else FitnessLaw(log=True)
        object.__setattr__(self, "law", law if self.maximise else None)

    def _check_choices(self) -> None:
        """What the parameters say together."""
        if self.wild_type is not None and isinstance(self.wild_type, list) != isinstance(
            self.genotype, list
        ):
            expected = (
                "a list, a cell for each column of genotype"
                if isinstance(self.genotype, list)
                else "a text, as in the column of genotypes"
            )
            raise ValueError(f"empirical.wild_type: expected {expected}, got {self.wild_type!r}")
        if self.genotype == []:
            raise ValueError("empirical.genotype: expected a column, or a list of one at least, got []")
        named = self.missing in ("error", "lethal", "additive")
        if not named and (isinstance(self.missing, str | bool) or not math.isfinite(self.missing)):
            raise ValueError(
                f"empirical.missing: expected error, lethal, additive or a number, got {self.missing!r}"
            )
        if self.missing == "lethal" and (self.scale != "raw" or not self.maximise):
            got = f"scale {self.scale}" if self.scale != "raw" else "maximise false"
            raise ValueError(
                f"empirical.missing: expected a number or additive with {got}, where fitness 0 is no number"
                " of the file, got 'lethal'"
            )

    @property
    def dim(self) -> int:
        """The loci."""
        return self.measured.loci

    @property
    def domain(self) -> Domain:
        """Genotypes: bits, or letters where a site has more than two."""
        sites = self.measured.sites
        return Bits(sites) if self.measured.binary else Letters(sites)

    @property
    def gap_known(self) -> bool:
        """All genotypes have a value, measured or filled in."""
        return True

    @property
    def fitness_law(self) -> FitnessLaw | None:
        """What was measured, or its exponential."""
        return self.law

    @property
    def extension_cost(self) -> int | None:
        """What one value of `extension` costs, in evaluations: it reads the whole table.

        None: letters have no extension.
        """
        return 2**self.dim if self.measured.binary else None

    @property
    def fingerprint(self) -> str:
        """Digest of the numbers that were read from the file."""
        return self.measured.digest

    @property
    def extras(self) -> Mapping[str, tuple[str, str]]:  # type: ignore[override]
        """The measured value of a recommendation, and its error; NaN where it was not measured."""
        value = {"measured": (f"measured {self.fitness}", UNIT)}
        return (
            value
            if self.error is None
            else value | {"measured_error": (f"{self.error} of what was measured", UNIT)}
        )

    def bind(self, streams: Streams) -> Self:
        """The table of losses, shared by all worlds."""
        values = self.measured.values.to(streams.device)
        values = values.log() if self.scale == "log_ratio" else values
        values = values if self.maximise else -values
        gaps = (values.max() - values).to(streams.dtype)
        optimum = letters(values.argmax(), self.measured.sizes)
        return self.bound(gaps=gaps.expand(streams.size, -1), optimum=optimum.expand(streams.size, -1))

    def loss(self, x: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """Gap to the best genotype of x (R, P, n) uint8 -> (R, P)."""
        del time
        check_points(self, x)
        check_bound(self.name, x, self.gaps)
        return weighted(self.gaps.gather(1, self._number(x)), terms)

    def extension(self, p: Tensor, terms: Terms | None = None, time: Tensor | None = None) -> Tensor:
        """The mean loss of genotypes whose loci are 1 independently with chances p (R, P, n) -> (R, P)."""
        del time
        check_chances(self, p)
        check_bound(self.name, p, self.gaps)
        return weighted(fold(self.gaps, p), terms)

    def _number(self, x: Tensor) -> Tensor:
        """The numbers (...) int64 of genotypes (..., n)."""
        return bit_words(x)[..., 0] if self.measured.binary else letter_number(x, self.measured.sizes)

    def measures(self, x: Tensor) -> dict[str, Tensor]:
        """What was measured of genotypes x (R, n)."""
        number = self._number(x)
        values, filled = self.measured.values, self.measured.filled
        columns = {
            "measured": values if filled is None else values.masked_fill(filled, math.nan),
            "measured_error": self.measured.errors,
        }
        return {
            name: column.to(x.device, self.gaps.dtype)[number]
            for name, column in columns.items()
            if column is not None
        }
