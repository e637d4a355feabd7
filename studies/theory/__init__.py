"""Closed forms and small exact calculations that theory has for these searches, by name.

    from studies import theory
    theory.find("kimura")(population=100, s=0.02)

In a study a formula says `theory:kimura`: its arguments are the numbers of that name which the arm ran with,
or given, `theory:kimura(s=selection_strength)`. Every docstring gives the formula, the source and the range
in which it holds (`about`). The formulas use nothing of the rest of this project.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import NamedTuple

from studies.text.words import suggest

LAWS: dict[str, tuple[str, ...]] = {  # module -> its laws
    "descent": (
        *("gd_rate", "heavy_ball_rate", "heavy_ball_momentum", "nesterov_rate", "nesterov_steps"),
        *("momentum_rate", "delay_limit", "mean_square_limit"),
    ),
    "gradient_noise": (
        *("stationary_variance", "stationary_loss", "delayed_variance", "langevin_variance"),
        *("sgd_temperature", "batch_variance", "simple_noise_scale", "best_learning_rate"),
        "fastest_batch",
        *("tracking_error", "scale_invariant_norm", "scale_invariant_angle"),
    ),
    "sampling": (
        *("chebyshev_batch", "normal_batch", "chebyshev_miss", "normal_miss", "edgeworth_miss"),
        *("berry_esseen", "u_statistic_variance", "infonce_bias", "infonce_bound", "clipped_normal"),
        *("misranked", "exponential_miss"),
    ),
    "workers": (
        *("harmonic", "barrier_time", "async_speed_up", "pareto_speed_up"),
        *("staleness_mean", "staleness_variance", "staleness_momentum"),
    ),
    "strategies": (
        *("es_noise", "es_cosine", "smoothed_sine", "metropolis_step", "one_plus_one_progress"),
        *("one_plus_one_success", "progress_coefficient", "recombination_progress"),
        *("csa_step_size", "csa_progress", "residual_distance"),
    ),
    "fixation": (
        *("kimura", "moran_fixation", "wright_fisher_fixation", "wright_fisher_time"),
        *("wright_fisher_fixation_time", "neutral_time", "neutral_fixation_time"),
        *("heterozygosity_kept", "moran_heterozygosity_kept", "mutation_drift_heterozygosity"),
        *("linkage_kept", "fixed_ratio", "moran_fixed_ratio"),
    ),
    "adaptation": (
        *("mutation_selection_balance", "mutation_load", "least_loaded", "error_threshold"),
        *("quasispecies_share", "flattest_threshold", "clonal_speed", "sweep_speed"),
        *("tunnelling_chance", "valley_time"),
    ),
    "traits": (
        *("truncation_intensity", "tournament_intensity", "breeders_response", "bulmer_variance"),
        *("lande_response", "mutation_variance", "moving_lag", "finite_response"),
        *("onemax_proportional", "onemax_truncation"),
    ),
    "escape": (
        *("kramers", "double_well_time", "double_well_passage"),
        *("barrier_kramers", "barrier_steps", "barrier_generations"),
    ),
    "ruggedness": (
        *("uncorrelated_peaks", "uncorrelated_peaks_variance", "block_peaks", "fuji_peaks"),
        *("nk_autocorrelation", "nk_autocorrelation_within", "nk_interactions", "nk_gamma"),
        *("fuji_gamma", "spin_autocorrelation", "adaptive_walk_length", "greedy_walk_length"),
        *("beneficial_chance", "field_maxima"),
    ),
    "games": (
        *("dirac_modulus", "dirac_limit", "bilinear_modulus", "extragradient_modulus"),
        "spurious_fixed_point",
    ),
    "runtimes": ("ea_leading_ones", "rls_onemax"),
}
HOMES = {name: module for module, names in LAWS.items() for name in names}
PREFIX = "theory:"


class About(NamedTuple):
    """What a law says of itself."""

    name: str
    line: str  # what it is, and its formula
    more: str  # the rest of the docstring, but for the following; often empty
    source: str
    range: str
    arguments: dict[str, str]  # name -> default and meaning


def find(name: str) -> Callable[..., float]:
    """The function of a law.

    Args:
        name: with or without the prefix "theory:".

    Raises:
        ValueError: there is none of this name; the nearest is named.
    """
    plain = name.removeprefix(PREFIX)
    if plain not in HOMES:
        raise ValueError(f"unknown law {PREFIX + plain!r}; {suggest(plain, HOMES)}")
    return getattr(importlib.import_module(f"studies.theory.{HOMES[plain]}"), plain)


def about(name: str) -> About:
    """Formula, source, range and arguments of a law, from its docstring.

    Raises:
        ValueError: there is none of this name.
    """  # noqa: DOC502
    law = find(name)
    first, *others = [" ".join(part.split()) for part in _doc(law).split("\n\n")]
    more = [part for part in others if not part.startswith(("Source:", "Range:", "Args:", "Raises:"))]
    return About(
        name=law.__name__,
        line=first,
        more=" ".join(more),
        source=_named(others, "Source"),
        range=_named(others, "Range"),
        arguments=_arguments(law),
    )


def _doc(law: Callable) -> str:
    return inspect.getdoc(law) or ""


def _named(paragraphs: list[str], head: str) -> str:
    """The paragraph with this head, without it."""
    there = (part for part in paragraphs if part.startswith(f"{head}:"))
    return next(there, "").removeprefix(f"{head}:").strip()


def _arguments(law: Callable) -> dict[str, str]:
    """Argument -> its default, and what the docstring says of it."""
    said = _said(_doc(law))
    return {
        name: "; ".join(filter(None, [said.get(name, ""), _default(parameter.default)]))
        for name, parameter in inspect.signature(law).parameters.items()
    }


def _said(text: str) -> dict[str, str]:
    """Argument -> meaning, of a docstring's Args."""
    lines = text.partition("Args:\n")[2].partition("\n\n")[0].splitlines()
    pairs = (line.strip().partition(": ") for line in lines)
    return {name: meaning.rstrip(".") for name, _, meaning in pairs}


def _default(value: object) -> str:
    """A default in words."""
    if value is inspect.Parameter.empty:
        return "needed"
    return "default null" if value is None else f"default {value:g}"
