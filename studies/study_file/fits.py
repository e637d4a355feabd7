"""Which optimizer can search which landscape, and what is wrong with a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landscapes.base import Bits, Landscape, Reals
from landscapes.oracle.noise import Noise
from studies.study_file import sections
from studies.study_file.arm import Entry
from studies.study_file.document import Mistake, Path
from studies.study_file.model import DEFAULT, StudyModel

if TYPE_CHECKING:
    from studies.study_file.loading import Checker


def misfit(path: Path, optimizer: Entry, landscape: Entry, label: str, checker: Checker) -> Mistake | None:
    """What keeps an optimizer from searching a landscape; None where nothing does."""
    made, domain = optimizer.made, type(landscape.made.domain)  # type: ignore[attr-defined]
    if len(landscape.made.players) > 1 and not made.games:  # type: ignore[attr-defined]
        fitting = [kind for kind, cls in checker.classes["optimizers"].items() if cls.games]  # type: ignore[attr-defined]
        text = (
            f"landscape {label!r} is a game, where each player has a loss of its own, and {optimizer.kind}"
            " follows one loss"
        )
        return Mistake(path, f"{text}; one that fits: {', '.join(fitting)}")
    if made.batches and landscape.made.terms == 1:  # type: ignore[attr-defined]
        text = (
            f"landscape {label!r} has no terms to draw from (its loss is not a finite sum), so"
            f" {optimizer.kind} cannot set a mini-batch"
        )
        return Mistake(
            (*path, "batch"),
            f"{text}; leave `batch` out there, with on: {{{label}: {{batch: null, coupling: none}}}}",
        )
    law = landscape.made.fitness_law  # type: ignore[attr-defined]
    if law is not None and law.log and made.linear_fitness:  # type: ignore[attr-defined]
        text = (
            f"{optimizer.kind} needs fitness that is linear in the loss, and that of landscape {label!r} is"
            " exp(-loss)"
        )
        return Mistake(
            path, f"{text}; give the landscape `scale: raw`, or take quasispecies or wright_fisher"
        )
    domains, gradient, mode = made.domains, made.gradient, optimizer.model.relaxation  # type: ignore[attr-defined]
    if domain in domains:
        return None
    if domain is Reals:
        fitting = [kind for kind, cls in checker.classes["optimizers"].items() if Reals in cls.domains]  # type: ignore[attr-defined]
        text = f"{optimizer.kind} searches bits only, but landscape {label!r} has real coordinates"
        return Mistake(path, f"{text}; one that fits: {', '.join(fitting)}")
    if mode not in made.relaxations:  # type: ignore[attr-defined]
        text = f"expected {' or '.join(map(repr, made.relaxations))}, which is all that {optimizer.kind} takes, got {mode!r}"  # type: ignore[attr-defined]
        return Mistake((*path, "relaxation"), text)
    if gradient and mode == "threshold":
        text = (
            "expected 'extension' or 'lovasz' for a method that asks for gradients (a threshold has no"
            " slope), got 'threshold'"
        )
        return Mistake((*path, "relaxation"), text)
    if mode == "extension" and landscape.made.extension_cost is None:  # type: ignore[attr-defined]
        fitting = [kind for kind, cls in checker.classes["optimizers"].items() if Bits in cls.domains]  # type: ignore[attr-defined]
        text = (
            f"landscape {label!r} on bits has no extension for a real-valued method; expected relaxation:"
            " lovasz (n + 1 evaluations a value)"
        )
        return Mistake(path, f"{text}, or one that fits: {', '.join(fitting)}")
    return None


def noise_misfit(study: StudyModel, label: str, landscape: Entry) -> dict[str, Any]:
    """What disturbs the answers on one landscape; a fraction of the terms becomes their number."""
    terms, noise = landscape.made.terms, study.noise  # type: ignore[attr-defined]
    batch, sampling, shared, evaluation = (
        of(getattr(noise, key), label, default) for key, default in _QUIET.items()
    )
    if batch is not None and terms == 1:
        remedy = "name the landscapes that have, {label: batch}"
        raise ValueError(
            f"noise.batch: landscape {label!r} has no terms to draw from (its loss is not a finite sum), got"
            f" {batch}; {remedy}"
        )
    if isinstance(batch, int) and batch > terms:
        remedy = "name a batch for each, {label: batch}"
        raise ValueError(
            f"noise.batch: expected at most the {terms} terms of landscape {label!r}, got {batch}; {remedy}"
        )
    if isinstance(batch, float):
        batch = max(1, round(batch * terms))
    _large_enough(batch, sampling, landscape.made, label)  # type: ignore[arg-type]
    Noise(batch=batch, sampling=sampling, shared=shared, value=evaluation.value, gradient=evaluation.gradient)
    off = {"off": [source for source, so in sorted(noise.off.items()) if so]}
    if terms == 1:
        sampling, shared = "replacement", True  # they change nothing there
    return {
        "batch": batch,
        "sampling": sampling,
        "shared": shared,
        "evaluation": evaluation.model_dump(),
    } | off


def off_where_on(noise: dict[str, Any], landscape: Entry, optimizer: Entry) -> dict[str, Any]:
    """The noise with those sources off that are there at all, so that an arm without them is the same at every value."""
    there = {
        "data": noise["batch"] is not None or optimizer.made.batches,  # type: ignore[attr-defined]
        "evaluation": any(noise["evaluation"].values()) or landscape.made.noisy,  # type: ignore[attr-defined]
    }
    off = [source for source in noise["off"] if there[source]]
    return {key: value for key, value in noise.items() if key != "off"} | ({"off": off} if off else {})


def _large_enough(batch: int | None, sampling: str, landscape: Landscape, label: str) -> None:
    """Some losses need several terms at once, also in the last batch of an epoch."""
    least, last = landscape.smallest_batch, landscape.terms % batch if batch and sampling == "epoch" else 0
    if batch is not None and batch < least:
        raise ValueError(
            f"noise.batch: landscape {label!r} needs at least {least} terms at once, got {batch}"
        )
    if 0 < last < least:
        text = (
            f"the last batch of an epoch has {last} of the {landscape.terms} terms of landscape {label!r},"
            f" which needs at least {least} at once"
        )
        raise ValueError(f"noise.batch: {text}, got {batch}")


def portions_misfit(study: StudyModel, label: str, landscape: Entry, noise: dict[str, Any]) -> dict[str, int]:
    """How much is evaluated at a time on one landscape.

    Some losses need several terms at once, also in the last batch of an epoch.
    """
    terms, least = landscape.made.terms, landscape.made.smallest_batch  # type: ignore[attr-defined]
    micro_batches, chunks = (of(getattr(study.oracle, key), label, 1) for key in ("micro_batches", "chunks"))
    size = noise["batch"] or terms
    last = terms % size if noise["sampling"] == "epoch" else 0
    fewest = last or size
    if least > 1 and fewest // micro_batches < least:
        text = (
            f"expected at most {fewest // least} for {fewest} terms of landscape {label!r}, which needs at"
            f" least {least} at once"
        )
        raise ValueError(f"oracle.micro_batches: {text}, got {micro_batches}")
    return {"micro_batches": 1 if terms == 1 else micro_batches, "chunks": chunks}


_QUIET = {
    "batch": None,
    "sampling": "replacement",
    "shared": True,
    "evaluation": sections.Evaluation(value=0.0, gradient=0.0),
}


def of(value: Any, label: str, default: Any = None) -> Any:  # noqa: ANN401
    """The value for one landscape of what may be a map label -> value."""
    return value.get(label, value.get(DEFAULT, default)) if isinstance(value, dict) else value
