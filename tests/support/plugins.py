"""Kinds of a user's, named by their import path.

One of each family that keeps the contract, and many that break one promise each.
"""

import os
import random
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch

from landscapes.base import Bits, Landscape, Query, Reals
from optimizers.base import Optimizer
from optimizers.populations.ga import GA


class State(NamedTuple):
    parents: torch.Tensor  # (R, mu, D)
    value: torch.Tensor  # (R, mu)
    sigma: torch.Tensor  # (R,)


@dataclass(frozen=True, kw_only=True)
class Sound(Optimizer):
    """(mu + lambda)-ES with the one-fifth rule."""

    name: ClassVar[str] = "sound"
    sources: ClassVar[tuple[str, ...]] = ("mutation", "drift")
    mu: int = 4
    children: int = 12

    def init(self, problem, streams):
        x = problem.start(self.mu)
        return State(
            x,
            torch.full(x.shape[:2], torch.inf, dtype=x.dtype, device=x.device),
            torch.full_like(x[:, 0, 0], 0.3),
        )

    def ask(self, state, streams):
        pick = streams.integers("drift", self.mu, (self.children,))
        base = torch.gather(state.parents, 1, pick[..., None].expand(-1, -1, state.parents.shape[2]))
        return Query(base + state.sigma[:, None, None] * self.normal(state, streams))

    def normal(self, state, streams):
        return streams.normal("mutation", (self.children, state.parents.shape[2]))

    def tell(self, state, query, answer, streams):
        x, value = (
            torch.cat([state.parents, query.points], 1),
            torch.cat([state.value, answer.value], 1),
        )
        order = value.argsort(1)[:, : self.mu]
        sigma = state.sigma * torch.exp((self.success(state, answer) - 0.2) / 3)
        return (
            State(
                torch.gather(x, 1, order[..., None].expand(-1, -1, x.shape[2])),
                value.gather(1, order),
                sigma,
            ),
            {},
        )

    def success(self, state, answer):
        return (answer.value < state.value.amax(1, keepdim=True)).to(state.sigma.dtype).mean(1)

    def recommend(self, state):
        return state.parents[:, 0]

    def center(self, state):
        return state.parents.mean(1)


@dataclass(frozen=True, kw_only=True)
class Selects(GA):
    """A GA of ours by another name, which selects by the fitness that a table says its losses stand for."""

    name: ClassVar[str] = "selects"
    selection: Literal["proportional"] = "proportional"


def normals(state, rows=12):
    return (len(state.parents), rows, state.parents.shape[2])


class TorchDraw(Sound):
    def normal(self, state, streams):
        return torch.randn(normals(state), dtype=state.parents.dtype)


class NumpyDraw(Sound):
    def normal(self, state, streams):
        return torch.from_numpy(np.random.normal(size=normals(state)))  # noqa: NPY002


class PythonDraw(Sound):
    def normal(self, state, streams):
        return super().normal(state, streams) * random.random()


class OwnGenerator(Sound):
    def normal(self, state, streams):
        return torch.from_numpy(np.random.default_rng().normal(size=normals(state)))


SHARED = np.random.default_rng(1)


class KeptGenerator(Sound):
    def normal(self, state, streams):
        return torch.from_numpy(SHARED.normal(size=normals(state)))


class OneSeed(Sound):
    """The same numbers at each call, so each world of a batch has others than alone."""

    def normal(self, state, streams):
        return torch.from_numpy(np.random.default_rng(7).normal(size=normals(state)))


class InitDraw(Sound):
    def init(self, problem, streams):
        state = super().init(problem, streams)
        return state._replace(parents=state.parents + torch.rand(1))


class Particular(Sound):
    """It cannot begin where all starts are one point, as those of a bowl in place of its landscape are."""

    def init(self, problem, streams):
        if not bool(problem.start(2).diff(dim=1).any()):
            raise RuntimeError("one point")
        return super().init(problem, streams)


class TellDraw(Sound):
    def tell(self, state, query, answer, streams):
        told, info = super().tell(state, query, answer, streams)
        return told._replace(sigma=told.sigma * random.uniform(0.9, 1.1)), info


class LateDraw(Sound):
    """Sound at the steps at which everything is looked at."""

    def ask(self, state, streams):
        query = super().ask(state, streams)
        return query._replace(points=query.points + 0 * torch.rand(1)) if streams.step == 5 else query


class ChangesState(Sound):
    def tell(self, state, query, answer, streams):
        told = super().tell(state, query, answer, streams)
        state.parents.zero_()
        return told


class ChangesStateByNumpy(Sound):
    def ask(self, state, streams):
        query = super().ask(state, streams)
        state.sigma.numpy()[:] = 1.0
        return query


class ChangesAnswer(Sound):
    def tell(self, state, query, answer, streams):
        told = super().tell(state, query, answer, streams)
        answer.value.sub_(1.0)
        return told


class ChangesQuery(Sound):
    def tell(self, state, query, answer, streams):
        told = super().tell(state, query, answer, streams)
        query.points[:, 0] = 0.0
        return told


class ChangesInRecommend(Sound):
    def recommend(self, state):
        return state.parents.sort(1).values[:, 0] + state.sigma.mul_(1.0)[:, None]


class AcrossWorlds(Sound):
    def success(self, state, answer):
        return super().success(state, answer).mean().expand(len(state.sigma))


class FirstWorld(Sound):
    def ask(self, state, streams):
        query = super().ask(state, streams)
        return query._replace(points=query.points + state.parents[:1, :1])


class Counts(Sound):
    """Keeps something from call to call."""

    seen: ClassVar[list[int]] = []

    def normal(self, state, streams):
        self.seen.append(1)
        return super().normal(state, streams) * len(self.seen)


class LongRecommendation(Sound):
    def recommend(self, state):
        return state.parents[:, :1]


class ShortCenter(Sound):
    def center(self, state):
        return state.parents.mean((1, 2))


class FlatPoints(Sound):
    def ask(self, state, streams):
        return Query(super().ask(state, streams).points[:, 0])


class NoQuery(Sound):
    def ask(self, state, streams):
        return super().ask(state, streams).points


class SinglePrecision(Sound):
    def ask(self, state, streams):
        return Query(super().ask(state, streams).points.float())


class NoInfo(Sound):
    def tell(self, state, query, answer, streams):
        return super().tell(state, query, answer, streams)[0]


class NoWorlds(Sound):
    """A state with a number for all worlds."""

    def init(self, problem, streams):
        return super().init(problem, streams)._replace(sigma=torch.tensor(0.3, dtype=torch.float64))


class PlainNumber(Sound):
    def init(self, problem, streams):
        return super().init(problem, streams)._replace(sigma=0.3)


class Dictionary(Sound):
    def init(self, problem, streams):
        return super().init(problem, streams)._asdict()


class Undeclared(Sound):
    sources: ClassVar[tuple[str, ...]] = ("mutation",)


class OneDevice(Sound):
    def normal(self, state, streams):
        return super().normal(state, streams) + torch.zeros(1, dtype=state.parents.dtype)


class KeepsSigma(Sound):
    """What it counts is in the object."""

    def tell(self, state, query, answer, streams):
        told, info = super().tell(state, query, answer, streams)
        object.__setattr__(self, "steps", getattr(self, "steps", 0) + 1)
        return told._replace(sigma=told.sigma / self.steps), info


class OneDomain(Sound):
    domains = Reals


class OneSource(Sound):
    sources = "mutation"


@dataclass(kw_only=True)
class Thawed(Optimizer):
    mu: int = 4


class Half(Optimizer):
    name = "half"


@dataclass(frozen=True, kw_only=True)
class Centerless(Optimizer):
    """Without `center`."""

    name: ClassVar[str] = "centerless"
    init = ask = tell = recommend = Sound.recommend


class Raises(Sound):
    def ask(self, state, streams):
        raise ZeroDivisionError("no children")


@dataclass(frozen=True, kw_only=True)
class Ridge(Landscape):
    """|x|, a sum of `terms` equal terms."""

    name: ClassVar[str] = "ridge"
    dim: int = 3
    terms: int = 1
    domain = Reals(-1.0, 1.0)

    def loss(self, x, terms=None, time=None):
        return x.square().sum(-1).sqrt() + 0.0 * self.more(x)

    def more(self, x):
        return 0.0


class RidgeDraws(Ridge):
    def more(self, x):
        return torch.rand(x.shape[:2], dtype=x.dtype)


class RidgeDrawsInNumpy(Ridge):
    def more(self, x):
        return float(np.random.rand())  # noqa: NPY002


class RidgeOwnGenerator(Ridge):
    def loss(self, x, terms=None, time=None):
        return super().loss(x) + float(np.random.default_rng().normal())


class RidgeChanges(Ridge):
    def loss(self, x, terms=None, time=None):
        with torch.no_grad():
            x.clamp_(-0.1, 0.1)
        return super().loss(x)


class RidgeAcross(Ridge):
    def loss(self, x, terms=None, time=None):
        return super().loss(x) - super().loss(x).mean()


class RidgeOneWorld(Ridge):
    def loss(self, x, terms=None, time=None):
        return super().loss(x).mean(1)


class RidgeSingle(Ridge):
    def loss(self, x, terms=None, time=None):
        return super().loss(x).float()


class RidgeNumpy(Ridge):
    def loss(self, x, terms=None, time=None):
        return torch.from_numpy(np.abs(x.detach().numpy()).sum(-1))


class RidgeNaN(Ridge):
    def loss(self, x, terms=None, time=None):
        return super().loss(x) * torch.nan


class RidgeAcrossPoints(Ridge):
    def loss(self, x, terms=None, time=None):
        return super().loss(x - x.mean(1, keepdim=True))


class RidgeNothing(Ridge):
    def loss(self, x, terms=None, time=None):
        x.square().sum(-1)


class RidgeFewArguments(Ridge):
    def loss(self, x):
        return x.square().sum(-1)


class RidgeForgets(Ridge):
    def bind(self, streams):
        self.bound()


class RidgeStart(Ridge):
    def start(self, streams, n):
        return streams.normal("init", (self.dim,))


class RidgeStartDraws(Ridge):
    def start(self, streams, n):
        return super().start(streams, n) + torch.rand(1)


class RidgePlayers(Ridge):
    @property
    def players(self):
        return 3


class RidgeDomain(Ridge):
    domain = (-1.0, 1.0)


class RidgeMeasures(Ridge):
    extras: ClassVar[dict[str, tuple[str, str]]] = {"height": ("height", "1")}

    def measures(self, x):
        return {"hight": x[:, 0]}


class RidgeTruth(Ridge):
    def solution_loss(self, x, time=None):
        return self.loss(x)[:, 0]


@dataclass(frozen=True, kw_only=True)
class Ones(Landscape):
    """The zeros among n bits, and their mean field, which draws."""

    name: ClassVar[str] = "ones"
    dim: int = 5
    domain = Bits()
    extension_cost = 1

    def loss(self, x, terms=None, time=None):
        return (1.0 - x.double()).sum(-1)

    def extension(self, p, terms=None, time=None):
        return (1 - p).sum(-1) * (1 + 0 * torch.rand(1).item())


class Leaves(Sound):
    def ask(self, state, streams):
        raise SystemExit(3)


class Interrupts(Sound):
    def tell(self, state, query, answer, streams):
        raise KeyboardInterrupt


def helper():
    raise ZeroDivisionError("no\nchildren")


class Calls(Sound):
    def tell(self, state, query, answer, streams):
        return helper()


class Inherits(Raises):
    pass


class OtherNames(Sound):
    """Its methods name their arguments in their own way."""

    def tell(self, *given):
        return super().tell(*given)


class NaNPoints(Sound):
    def ask(self, state, streams):
        query = super().ask(state, streams)
        return query._replace(points=query.points * torch.nan)


class InfinitePointsLate(Sound):
    """Sound at the steps at which everything is looked at.

    Then two of twelve points of each world are infinite.
    """

    def ask(self, state, streams):
        query = super().ask(state, streams)
        few = (torch.arange(self.children) < 2)[None, :, None]
        return (
            query._replace(points=query.points.masked_fill(few, torch.inf))
            if streams.step == 5
            else query
        )


class NaNCenter(Sound):
    def center(self, state):
        return super().center(state) * torch.nan


class NaNRecommendation(Sound):
    def recommend(self, state):
        return super().recommend(state) * torch.nan


class RunsAway(Sound):
    """Its step size doubles and doubles, as in a search that diverges."""

    def tell(self, state, query, answer, streams):
        told, info = super().tell(state, query, answer, streams)
        return told._replace(parents=query.points[:, : self.mu], sigma=told.sigma * 1e40), info


@dataclass(frozen=True, kw_only=True)
class RecordsLoss(Sound):
    recorded: ClassVar = {"s": ("loss", "step size", "1")}


@dataclass(frozen=True, kw_only=True)
class CountsCost(Sound):
    counted: ClassVar = {"s": ("cost", "step size", "1")}


@dataclass(frozen=True, kw_only=True)
class RecordsTwice(Sound):
    recorded: ClassVar = {"s": ("spread", "step size", "1"), "t": ("spread", "step size", "1")}


@dataclass(frozen=True, kw_only=True)
class RecordsWords(Sound):
    recorded: ClassVar = {"s": "spread"}


@dataclass(frozen=True, kw_only=True)
class RecordsNothing(Sound):
    """Names what its info does not have."""

    recorded: ClassVar = {"s": ("spread", "step size", "1")}


@dataclass(frozen=True, kw_only=True)
class Spreads(Sound):
    recorded: ClassVar = {"s": ("height", "step size", "1")}

    def tell(self, state, query, answer, streams):
        told, _ = super().tell(state, query, answer, streams)
        return told, {"s": told.sigma}


class RidgeHeight(Ridge):
    extras: ClassVar[dict[str, tuple[str, str]]] = {"height": ("height", "1")}

    def measures(self, x):
        return {"height": x[:, 0]}


class RidgeLoss(Ridge):
    extras: ClassVar[dict[str, tuple[str, str]]] = {"loss": ("height", "1")}


class RidgeReplicate(Ridge):
    extras: ClassVar[dict[str, tuple[str, str]]] = {"replicate": ("height", "1")}


class RidgeSlash(Ridge):
    extras: ClassVar[dict[str, tuple[str, str]]] = {"a/b": ("height", "1")}


class RidgeLate(Ridge):
    """Its extras are known of an object alone."""

    @property
    def extras(self):
        return {"cost": ("height", "1")}

    def measures(self, x):
        return {"cost": x[:, 0]}


class RidgeSlopeNaN(Ridge):
    """A loss whose gradient is NaN though it is not."""

    def loss(self, x, terms=None, time=None):
        return torch.where(x[..., 0] > -9, x.square().sum(-1), (-1 - x.square().sum(-1)).sqrt())


class RidgeLeaves(Ridge):
    def loss(self, x, terms=None, time=None):
        raise SystemExit("no loss")


class RidgeDies(Ridge):
    def loss(self, x, terms=None, time=None):
        os._exit(4)
