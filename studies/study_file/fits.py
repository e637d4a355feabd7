"""Which optimizer can search which landscape, and what is wrong with a pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from landscapes.base import Bits, Landscape, Letters, Problem, Reals
from landscapes.oracle.noise import Noise
from optimizers.base import Optimizer
from studies.study_file import sections
from studies.study_file.arm import LandscapeOf, OptimizerOf
from studies.study_file.document import Mistake, Path
from studies.study_file.fields import parameter_names
from studies.study_file.model import DEFAULT, StudyModel
from studies.text.shapes import Data, Json

# a pair -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """An optimizer of a study, and a landscape that it is to search.

    Args:
        path: of the optimizer's entry.
        optimizer: the entry.
        label: of the landscape.
        landscape: its entry.
        kinds: kind -> class, of all optimizers.
    """

    path: Path
    optimizer: OptimizerOf
    label: str
    landscape: LandscapeOf
    kinds: Mapping[str, type[Optimizer]]

    def mistake(self, text: str, *key: str) -> Mistake:
        """What is wrong with the optimizer's entry, or with one key of it."""
        return Mistake((*self.path, *key), text)

    @property
    def searched(self) -> bool:
        """Whether the optimizer searches the landscape's own domain."""
        return type(self.landscape.made.domain) in self.optimizer.made.domains

    def playing(self) -> str:
        """The kinds that search games."""
        return ", ".join(kind for kind, cls in self.kinds.items() if cls.games)

    def searching(self, domain: type) -> str:
        """The kinds that search such a domain."""
        return ", ".join(kind for kind, cls in self.kinds.items() if domain in cls.domains)


def misfit(pair: Pair) -> Mistake | None:
    """What keeps the optimizer from searching the landscape; None where nothing does."""
    rules = (*RULES, *(() if pair.searched else RELAXED), _problem)
    return next((mistake for rule in rules if (mistake := rule(pair))), None)


def unmeasured(pair: Pair) -> Mistake | None:
    """What keeps the noise ledger, a match or pictures from the pair; None where nothing does."""
    if not isinstance(pair.landscape.made.domain, Letters):
        return None
    return pair.mistake(
        f"expected landscapes on bits or reals for `ledger`, `match` and `pictures`, got letters:"
        f" {pair.label!r}; leave these out"
    )


def _game(pair: Pair) -> Mistake | None:
    if len(pair.landscape.made.players) == 1 or pair.optimizer.made.games:
        return None
    return pair.mistake(
        f"landscape {pair.label!r} is a game, where each player has a loss of its own, and"
        f" {pair.optimizer.kind} follows one loss; one that fits: {pair.playing()}"
    )


def _own_batch(pair: Pair) -> Mistake | None:
    if not pair.optimizer.made.batches or pair.landscape.made.terms > 1:
        return None
    return pair.mistake(
        f"landscape {pair.label!r} has no terms to draw from (its loss is not a finite sum), so"
        f" {pair.optimizer.kind} cannot set a mini-batch; leave `batch` out there, with"
        f" on: {{{pair.label}: {{batch: null, coupling: none}}}}",
        "batch",
    )


def _fitness(pair: Pair) -> Mistake | None:
    law = pair.landscape.made.fitness_law
    if law is None or not law.log or not pair.optimizer.made.linear_fitness:
        return None
    raw = "give the landscape `scale: raw`, or " if pair.landscape.kind == "empirical" else ""
    return pair.mistake(
        f"{pair.optimizer.kind} needs fitness that is linear in the loss, and that of landscape"
        f" {pair.label!r} is exp(-loss); {raw}take quasispecies or wright_fisher"
    )


def _bits_only(pair: Pair) -> Mistake | None:
    domain = pair.landscape.made.domain
    if isinstance(domain, Letters):
        return pair.mistake(
            f"{pair.optimizer.kind} searches no letters, and landscape {pair.label!r} has more than two at a"
            f" site; one that fits: {pair.searching(Letters)}"
        )
    if not isinstance(domain, Reals):
        return None
    return pair.mistake(
        f"{pair.optimizer.kind} searches bits only, but landscape {pair.label!r} has real coordinates;"
        f" one that fits: {pair.searching(Reals)}"
    )


def _relaxation(pair: Pair) -> Mistake | None:
    accepted, mode = pair.optimizer.made.relaxations, pair.optimizer.model.relaxation
    if mode in accepted:
        return None
    return pair.mistake(
        f"expected {' or '.join(map(repr, accepted))}, which is all that {pair.optimizer.kind} takes,"
        f" got {mode!r}",
        "relaxation",
    )


def _slope(pair: Pair) -> Mistake | None:
    if not pair.optimizer.made.gradient or pair.optimizer.model.relaxation != "threshold":
        return None
    return pair.mistake(
        "expected 'extension' or 'lovasz' for a method that asks for gradients (a threshold has no slope),"
        " got 'threshold'",
        "relaxation",
    )


def _extension(pair: Pair) -> Mistake | None:
    needs = pair.optimizer.model.relaxation == "extension"
    if not needs or pair.landscape.made.extension_cost is not None:
        return None
    return pair.mistake(
        f"landscape {pair.label!r} on bits has no extension for a real-valued method; expected relaxation:"
        f" lovasz (n + 1 evaluations a value), or one that fits: {pair.searching(Bits)}"
    )


def _problem(pair: Pair) -> Mistake | None:
    """What the method itself says of so many coordinates, of such a kind, and players."""
    landscape = pair.landscape.made
    domain = landscape.domain if pair.searched else Reals()
    problem = Problem(landscape.dim, domain, exact=True, start=_nowhere, players=len(landscape.players))
    try:
        pair.optimizer.made.check_problem(problem)
    except ValueError as error:
        head, _, text = str(error).partition(": ")
        key = head.partition(".")[2]
        return pair.mistake(f"{text} (landscape {pair.label!r})", *([key] if key else []))
    return None


def _nowhere(n: int) -> Tensor:
    raise ValueError(f"expected no question for starts, got one for {n}")


RULES = (_game, _own_batch, _fitness)
RELAXED = (
    _bits_only,
    _relaxation,
    _slope,
    _extension,
)  # where it does not search the landscape's own domain

# noise and portions -----------------------------------------------------------------------------------------

QUIET = {
    "batch": None,
    "sampling": "replacement",
    "shared": True,
    "evaluation": sections.Evaluation(value=0.0, gradient=0.0),
}
NO_TERMS = "has no terms to draw from (its loss is not a finite sum)"


def noise_of(study: StudyModel, label: str, landscape: Landscape) -> Data:
    """What disturbs the answers on one landscape; a fraction of the terms becomes their number.

    Raises:
        ValueError: it cannot be, as "noise.KEY: .."
    """
    terms = landscape.terms
    batch, sampling, shared, evaluation = (
        of(getattr(study.noise, key), label, default) for key, default in QUIET.items()
    )
    batch = _terms_of(batch, landscape, label)
    _check_batch(batch, sampling, landscape, label)
    Noise(
        batch=batch,
        sampling=sampling,
        shared=shared,
        value=evaluation.value,
        gradient=evaluation.gradient,
    )
    if terms == 1:
        sampling, shared = "replacement", True  # they change nothing there
    return {
        "batch": batch,
        "sampling": sampling,
        "shared": shared,
        "evaluation": evaluation.model_dump(),
        "off": [source for source, off in sorted(study.noise.off.items()) if off],
    }


def off_where_on(noise: Data, landscape: Landscape, optimizer: Optimizer) -> Data:
    """The noise with those sources off that are there at all.

    So an arm without a source is the same whether it is switched off or not.
    """
    there = {
        "data": noise["batch"] is not None or optimizer.batches,
        "evaluation": any(noise["evaluation"].values()) or landscape.noisy,
        "dropout": landscape.drops,
    }
    off = [source for source in noise["off"] if there[source]]
    rest = {key: value for key, value in noise.items() if key != "off"}
    return rest | ({"off": off} if off else {})


def _terms_of(batch: float | None, landscape: Landscape, label: str) -> int | None:
    """The number of terms in a mini-batch that is given as a number or a fraction of them."""
    terms = landscape.terms
    if batch is not None and terms == 1:
        may = "give it `terms`, or " if "terms" in parameter_names(type(landscape)) else ""
        raise ValueError(
            f"noise.batch: landscape {label!r} {NO_TERMS}, got {batch};"
            f" {may}name the landscapes that have, {{label: batch}}"
        )
    if isinstance(batch, float):
        return max(1, round(batch * terms))
    if batch is not None and batch > terms:
        raise ValueError(
            f"noise.batch: expected at most the {terms} terms of landscape {label!r}, got {batch};"
            " name a batch for each, {label: batch}"
        )
    return batch


def _check_batch(batch: int | None, sampling: str, landscape: Landscape, label: str) -> None:
    """Raise where a loss needs more terms at once, also in the last batch of an epoch."""
    if batch is None:
        return
    least = landscape.smallest_batch
    if batch < least:
        raise ValueError(
            f"noise.batch: landscape {label!r} needs at least {least} terms at once, got {batch}"
        )
    last = landscape.terms % batch if sampling == "epoch" else 0
    if 0 < last < least:
        raise ValueError(
            f"noise.batch: the last batch of an epoch has {last} of the {landscape.terms} terms of landscape"
            f" {label!r}, which needs at least {least} at once, got {batch}"
        )


def portions_of(study: StudyModel, label: str, landscape: Landscape, noise: Data) -> Data:
    """How much is evaluated at a time on one landscape: micro_batches, chunks, accumulate if not weighted.

    Args:
        study: the study.
        label: of the landscape.
        landscape: the landscape.
        noise: what disturbs its answers, see `noise_of`.

    Raises:
        ValueError: the loss needs several terms at once, also in the last batch of an epoch.
    """
    terms, least = landscape.terms, landscape.smallest_batch
    micro_batches = of(study.oracle.micro_batches, label, 1)
    size = noise["batch"] or terms
    last = terms % size if noise["sampling"] == "epoch" else 0
    fewest = last or size
    accumulate = of(study.oracle.accumulate, label, "weighted")
    if least > 1 and fewest // micro_batches < least:
        raise ValueError(
            f"oracle.micro_batches: expected at most {fewest // least} for {fewest} terms of landscape"
            f" {label!r}, which needs at least {least} at once, got {micro_batches}"
        )
    left = fewest % -(-fewest // micro_batches)
    if accumulate == "mean_of_means" and 0 < left < least:
        raise ValueError(
            f"oracle.micro_batches: the last of {micro_batches} micro-batches has {left} of {fewest} terms of"
            f" landscape {label!r}, which needs at least {least} at once; expected a number that divides them"
        )
    portions = {
        "micro_batches": 1 if terms == 1 else micro_batches,
        "chunks": of(study.oracle.chunks, label, 1),
    }
    plain = accumulate == "weighted" or portions["micro_batches"] == 1
    return portions if plain else portions | {"accumulate": accumulate}


def of(value: Json, label: str, default: Json = None) -> Json:
    """The value for one landscape of what may be a map label -> value."""
    return value.get(label, value.get(DEFAULT, default)) if isinstance(value, dict) else value
