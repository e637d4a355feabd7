"""What the adapters share: a library's searches, one for each world, in lockstep.

A library keeps its search in objects that change and draws from the global generators. Here every world has
objects of its own, and its own states of the generators of torch, NumPy and Python, which stand in for the
global ones while the library works and are put back afterwards, also where it raises. A step works on a copy
of the objects, so a state stays what it was. What the worlds propose is asked in one query, on the device of
the study; the library itself works on the CPU. NumPy libraries think in float64: their points are rounded to
the study's dtype where they are asked.

A library that raises over the numbers of one world (a NaN in its covariance, say) ends the search of that
world alone: its points are NaN from then on. Draws: library, once, the seed of all that a world's library
will draw.
"""

from __future__ import annotations

import copy
import difflib
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from landscapes.base import Answer, Problem, Query
from landscapes.streams import Streams
from optimizers.adapters.generators import SHARED, Generators, apart
from optimizers.base import Info, Optimizer
from optimizers.evolution_strategies import distribution
from optimizers.gradient import steps

MISTAKES = (
    TypeError,
    AttributeError,
    NameError,
    ImportError,
)  # over finite numbers, a wrong call of the library
# keyword arguments of a library's own, as a study file can hold them
Numbers = dict[str, float | bool | list[float]]


class Proposal(NamedTuple):
    """What one world's library wants to know next, and where it stands."""

    points: Tensor  # (P, D)
    center: Tensor  # (D,)
    best: Tensor  # (D,) what it would return now
    asked: Tensor  # (P,) bool: what it has no value of


class Run(ABC):
    """One world's search by a library.

    `propose` and `take` alternate, the global generators being the world's own.
    """

    @abstractmethod
    def propose(self) -> Proposal:
        """The next points."""

    @abstractmethod
    def take(self, value: Tensor, gradient: Tensor | None) -> None:
        """Tell the library the values (P,), and gradients (P, D) where asked, of the points proposed last."""


class World(NamedTuple):
    """One world's library."""

    run: Run | None  # None where the library raised
    generators: Generators  # with which it goes on
    proposal: Proposal


class State(NamedTuple):
    """What the libraries of all worlds propose; all but `worlds` are tensors."""

    points: Tensor  # (R, P, D)
    asked: Tensor  # (R, P) bool
    best: Tensor  # (R, D)
    center: Tensor  # (R, D)
    worlds: tuple[World, ...]  # R, copied before they change


class Library(Optimizer):
    """A search method of another library, world by world. Subclasses say how a world's search begins."""

    sources: ClassVar[tuple[str, ...]] = ("library",)

    @property
    @abstractmethod
    def founders(self) -> int:
        """How many of the landscape's starts a search begins with."""

    @abstractmethod
    def begin(self, problem: Problem, starts: Tensor, row: int) -> Run:
        """The search of one world, from its starts (founders, D) on the CPU.

        Hyperparameters that differ by world are those of `row`.
        """

    def init(self, problem: Problem, streams: Streams) -> State:
        """Every world's library, seeded, and what it proposes first."""
        starts = problem.start(self.founders)
        seeds = streams.integers("library", 2**32, (1,))[:, 0].tolist()
        worlds = []
        with apart():
            for row, (start, seed) in enumerate(zip(starts.cpu(), seeds, strict=True)):
                Generators.seed(seed)
                run = self.begin(problem, start.clone(), row)
                proposal = run.propose()
                worlds.append(World(run, Generators.now(), proposal))
        return _side_by_side(tuple(worlds), starts, streams.dtype)

    def ask(self, state: State, streams: Streams) -> Query:
        """The points of every world; those whose values its library still knows are not asked."""
        del streams
        return Query(
            state.points, gradient=self.gradient, alive=None if bool(state.asked.all()) else state.asked
        )

    def tell(self, state: State, query: Query, answer: Answer, streams: Streams) -> tuple[State, Info]:
        """A step of every world's library."""
        del query, streams
        values, slopes = (
            answer.value.cpu(),
            steps.slope(answer, self.name).cpu() if self.gradient else None,
        )
        with apart():
            worlds = tuple(
                _moved(world, values[r], None if slopes is None else slopes[r])
                for r, world in enumerate(state.worlds)
            )
        return _side_by_side(worlds, state.points, state.center.dtype), {}

    def recommend(self, state: State) -> Tensor:
        """What each library would return now: (R, D)."""
        return state.best

    def center(self, state: State) -> Tensor:
        """The mean of each library's search distribution or population: (R, D)."""
        return state.center


def of_world(value: Any, row: int) -> Any:  # noqa: ANN401
    """A hyperparameter in one world: the number itself, or that of `row` of an (R,) tensor."""
    return value[row].item() if isinstance(value, Tensor) and value.ndim else value


def start_sigma(sigma: float | Tensor | None, problem: Problem, row: int) -> float:
    """The initial standard deviation in one world; see `strategies.start_sigma`."""
    return distribution.start_sigma(
        of_world(sigma, row), problem, torch.ones(1, 1, 1, dtype=torch.float64)
    ).item()


def check_names(where: str, given: Collection[str], known: Collection[str]) -> None:
    """Raise ValueError with the nearest names unless all that is given is known."""
    for name in given:
        if name not in known:
            same = [other for other in known if other.lower() == name.lower()]
            near = same or difflib.get_close_matches(name, known, 3)
            hint = (
                f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
            )
            raise ValueError(f"{where}: unknown name {name!r}; {hint}")


def _moved(world: World, value: Tensor, gradient: Tensor | None) -> World:
    if world.run is None:
        return world
    run = copy.deepcopy(world.run, dict(SHARED))
    world.generators.restore()
    try:
        run.take(value, gradient)
        proposal = run.propose()
        return World(run, Generators.now(), proposal)
    except Exception as error:  # whatever a library makes of the numbers of a world that diverges
        points = world.proposal.points
        if (
            isinstance(error, MISTAKES)
            and bool(value.isfinite().all())
            and bool(points.isfinite().all())
        ):
            raise
        lost = torch.full_like(points, torch.nan) if points.is_floating_point() else points
        return World(None, world.generators, world.proposal._replace(points=lost))


def _side_by_side(worlds: tuple[World, ...], like: Tensor, dtype: torch.dtype) -> State:
    points, center, best, asked = (
        torch.stack(rows) for rows in zip(*(world.proposal for world in worlds), strict=True)
    )
    return State(
        points.to(like), asked.to(like.device), best.to(like), center.to(like.device, dtype), worlds
    )
