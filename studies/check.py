"""The contract of one landscape or optimizer, promise by promise: python -m studies.check mine:Kind."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

    from landscapes.base import Answer, Domain, Landscape, Problem, Query
    from landscapes.streams import Streams
    from optimizers.base import Optimizer

WORLDS, ALONE, DIM, STEPS = (
    (4, 0, 7),
    2,
    5,
    6,
)  # worlds of a batch, the row that is also run alone, coordinates, steps
SEED = 3
Check = tuple[str, Callable[[], str]]  # what is held, and a call that returns a remark, or raises


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m studies.check`."""
    words = argparse.ArgumentParser(
        prog="python -m studies.check",
        description="Hold a landscape or an optimizer to its contract: one line for each promise.",
        epilog="exit codes: 0 it keeps the contract, 1 it breaks a promise, 2 it cannot be loaded",
    )
    words.add_argument(
        "kind", metavar="KIND", help="an import path such as mine:Kind, or the name of a kind of ours"
    )
    words.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter that is not its default",
    )
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(arguments)
    try:
        made = load(args.kind, args.set)
    except ValueError as error:
        print(f"{args.kind}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    broken = 0
    for name, check in checks(made):
        told = verdict(check)
        broken += told.startswith("FAIL")
        print(f"{told[:4]}  {name}{told[4:]}")
    print(f"{args.kind}: {f'{broken} promises are broken' if broken else 'keeps the contract'}")
    return 1 if broken else 0


def verdict(check: Callable[[], str]) -> str:
    """What came of a check, in a line that begins with ok, FAIL or skip, padded to four letters."""
    from studies.cells.contract import PluginError, Undecided
    from studies.text.user_code import one_line

    try:
        remark = check()
    except Undecided as error:
        return f"skip: {error}"
    except PluginError as error:
        return f"FAIL: {error}"
    except (Exception, SystemExit) as error:  # noqa: BLE001  a kind of the user's may raise anything
        return f"FAIL: {one_line(error)}"
    return f"ok  : {remark}" if remark else "ok  "


def load(kind: str, settings: Sequence[str] = ()) -> Optimizer | Landscape:
    """The object of a kind with these parameters, "name=value" each, values as in a study file.

    Raises:
        ValueError: there is no such kind, or it does not take these parameters.
    """
    from pydantic import ValidationError

    from landscapes import LANDSCAPES
    from optimizers import OPTIMIZERS
    from studies import registry
    from studies.study_file import fields

    if not (kind in LANDSCAPES or kind in OPTIMIZERS or ":" in kind):
        raise ValueError(
            "expected an optimizer or a landscape: a name that `python -m studies.list` prints, or an import"
            " path 'module:Class'"
        )
    family = (
        "landscape" if kind in LANDSCAPES else "optimizer" if kind in OPTIMIZERS else registry.family(kind)
    )
    cls, given = registry.find(kind, family), {"kind": kind}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"--set: expected PARAMETER=VALUE, got {setting!r}")
        given[name] = _value(value)
    try:
        checked = fields.entry_model(f"{family}s", kind, cls).model_validate(given)
    except ValidationError as error:
        raise ValueError(
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors())
        ) from error
    made = registry.build(
        {"kind": kind, **checked.model_dump(include=set(fields.parameter_names(cls)), mode="json")}, family
    )
    return made if family == "landscape" else made.budgeted(STEPS)


def _value(text: str) -> Any:  # noqa: ANN401
    from studies.study_file.document import value_of

    try:
        return value_of(text)
    except ValueError as error:
        raise ValueError(f"--set: {text!r} is no value") from error


def checks(made: Optimizer | Landscape) -> Iterator[Check]:
    """All that is asked of a kind."""
    import torch

    from optimizers.base import Optimizer

    for dtype in (torch.float64, torch.float32):
        label = str(dtype).removeprefix("torch.")
        if isinstance(made, Optimizer):
            for domain in made.domains:
                trial = OptimizerTrial(made, domain(), dtype)
                yield from ((f"{name} ({label}, {domain.__name__})", check) for name, check in trial.checks())
        else:
            yield from ((f"{name} ({label})", check) for name, check in LandscapeTrial(made, dtype).checks())


# an optimizer -----------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """One step, and the state that it began with."""

    number: int
    state: Any
    query: Query
    answer: Answer
    told: tuple[Any, dict[str, torch.Tensor]]


class OptimizerTrial:
    """An optimizer on a bowl without noise.

    Args:
        made: the optimizer.
        domain: where it searches.
        dtype: precision.
        device: where tensors are.
    """

    def __init__(self, made: Optimizer, domain: Domain, dtype: torch.dtype, device: str = "cpu") -> None:
        import torch

        from landscapes.streams import Streams
        from studies.cells.contract import Method, Sizes

        self.made, self.domain, self.dtype = made, domain, dtype
        self.few = Streams(
            seed=SEED, worlds=torch.tensor(WORLDS), dtype=dtype, device=device, sources=made.sources
        )
        self.one = self.few.subset([WORLDS[ALONE]])
        self.sizes = Sizes(len(WORLDS), DIM, domain, dtype)
        self.methods = {name: Method(made, name) for name in ("init", "ask", "tell", "recommend", "center")}

    def checks(self) -> Iterator[Check]:
        """What it promises."""
        yield "shapes and types", self.shapes
        yield "points are numbers", self.finite
        yield "nothing is changed in place", self.unchanged
        yield "no draw without an address", self.addressed
        yield "draws from its sources alone", self.declared
        yield "a world alone is that world in a batch", self.alone
        yield "goes on from a state as if it had not stopped", self.resumed
        yield "tensors stay on their device", self.on_its_device

    def problem(self, streams: Streams) -> Problem:
        """The bowl as the optimizer sees it."""
        import torch

        from landscapes.base import Bits, Problem, Reals

        def start(n: int) -> torch.Tensor:
            if isinstance(self.domain, Reals):
                return 2 * streams.at(0).uniform("init", (n, DIM)) - 1
            return streams.at(0).bernoulli("init", 0.5, (n, DIM)).to(torch.uint8)

        return Problem(DIM, Bits() if isinstance(self.domain, Bits) else self.domain, True, start)

    def answer(self, query: Query) -> Answer:
        """Of the bowl sum_d (x_d - 0.3)^2."""
        from landscapes.base import Answer

        x = query.points.to(self.dtype) - 0.3
        return Answer(x.square().sum(-1), 2 * x if query.gradient else None)

    def steps(
        self,
        streams: Streams,
        made: Optimizer | None = None,
        state: Any = None,  # noqa: ANN401
        first: int = 1,
    ) -> Iterator[Step]:
        """The steps from the first one on, or from a state."""
        made = made or self.made
        state = made.init(self.problem(streams), streams.at(0)) if state is None else state
        for number in range(first, STEPS + 1):
            s = streams.at(number)
            query = made.ask(state, s)
            answer = self.answer(query)
            told = made.tell(state, query, answer, s)
            yield Step(number, state, query, answer, told)
            state = told[0]

    def shapes(self) -> str:
        """Of everything that it returns."""
        from studies.cells import contract

        state = self.made.init(self.problem(self.few), self.few.at(0))
        contract.check_state(self.methods["init"], state, self.sizes)
        for number in range(1, STEPS + 1):
            s = self.few.at(number)
            for name in ("recommend", "center"):
                contract.check_point(self.methods[name], getattr(self.made, name)(state), self.sizes)
            query = self.made.ask(state, s)
            contract.check_query(self.methods["ask"], query, self.sizes)
            told = self.made.tell(state, query, self.answer(query), s)
            contract.check_told(self.methods["tell"], told, self.sizes)
            state = told[0]
        return ""

    def finite(self) -> str:
        """No point is NaN or infinite, while all that it saw is moderate."""
        import torch

        from studies.cells import contract

        rows = torch.ones(len(WORLDS), dtype=torch.bool)
        for step in self.steps(self.few):
            seen = {
                "recommend": self.made.recommend(step.state),
                "center": self.made.center(step.state),
                "ask": step.query.points,
            }
            for name, points in seen.items():
                if points.is_floating_point():
                    contract.check_finite(
                        self.methods[name], points, rows, "centers" if name == "center" else "points"
                    )
            if step.query.points.is_floating_point():
                rows = rows & contract.moderate(step.query.points) & contract.moderate(step.answer.value)
        return ""

    def unchanged(self) -> str:
        """States, queries and answers stay what they were."""
        from studies.cells.contract import Unchanged

        for step in self.steps(self.few):
            for name, call in self.calls(step, self.few):
                given = (
                    {"state": step.state}
                    if name != "tell"
                    else {"state": step.state, "query": step.query, "answer": step.answer}
                )
                kept = Unchanged(self.methods[name], given, thorough=True)
                call()
                kept.check()
        return ""

    def addressed(self) -> str:
        """The global generators stay where they are."""
        from studies.cells import contract

        contract.draws_nothing(
            self.methods["init"], lambda: self.made.init(self.problem(self.few), self.few.at(0))
        )
        for step in self.steps(self.few):
            for name, call in self.calls(step, self.few):
                contract.draws_nothing(self.methods[name], call)
        return ""

    def declared(self) -> str:
        """It draws from no source that it does not declare."""
        state, drawn = self.made.init(self.problem(self.few), first := self.few.at(0)), set[str]()
        drawn |= first.drawn
        for number in range(1, STEPS + 1):
            s = self.few.at(number)
            query = self.made.ask(state, s)
            state, _ = self.made.tell(state, query, self.answer(query), s)
            drawn |= s.drawn
        missing = sorted(drawn - set(self.made.sources))
        if missing:
            found = ", ".join(f'"{name}"' for name in (*self.made.sources, *missing))
            raise self.methods["ask"].broken(
                f"draws from {', '.join(missing)}, which it does not declare; write `sources = ({found},)` in"
                " the class"
            )
        return f"it draws from {', '.join(sorted(drawn)) or 'none'}"

    def alone(self) -> str:
        """Every method gives one world what it gives it among others."""
        from studies.cells import contract

        init, exact = self.methods["init"], True
        whole, single = self._init(self.few), lambda: self._init(self.one)
        contract.alone_as_in_batch(init, lambda: self._init(self.few), single, ALONE, whole)
        for step in self.steps(self.few):
            part = step._replace(
                **contract.rows_of({"state": step.state, "query": step.query, "answer": step.answer}, [ALONE])
            )
            for (name, again), (_, alone) in zip(
                self.calls(step, self.few), self.calls(part, self.one), strict=True
            ):
                result = again()
                contract.alone_as_in_batch(self.methods[name], again, alone, ALONE, result)
                exact &= not contract.difference(contract.rows_of(result, [ALONE]), alone(), rounding=False)
        return (
            ""
            if exact
            else (
                "but for the last digits, which depend on the batch; see matmul, logistic and power in"
                " landscapes.base"
            )
        )

    def resumed(self) -> str:
        """Another object, made of the same parameters, goes on from a state as the first did."""
        from studies.cells import contract

        rest = [*self.steps(self.few)][STEPS // 2 :]
        fresh = type(self.made)(**self.made.parameters())
        for step, again in zip(rest, self.steps(self.few, fresh, rest[0].state, rest[0].number), strict=True):
            other = contract.difference(step.told, again.told, rounding=False)
            if other:
                text = (
                    f"{other} differs when another object goes on from the state of step"
                    f" {rest[0].number - 1}; keep in the state all that counts"
                )
                raise self.methods["tell"].broken(text)
        return ""

    def on_its_device(self) -> str:
        """On a device that holds no numbers, or a GPU where there is one, nothing comes from the CPU."""
        from studies.cells import contract

        return contract.on_a_device(
            lambda device: [*OptimizerTrial(self.made, self.domain, self.dtype, device).steps_and_points()]
        )

    def steps_and_points(self) -> Iterator[Any]:
        """All that it computes in its steps."""
        for step in self.steps(self.few):
            yield step.query, step.told
            yield from (
                call() for name, call in self.calls(step, self.few) if name in ("recommend", "center")
            )

    def _init(self, streams: Streams) -> Any:  # noqa: ANN401
        return self.made.init(self.problem(streams), streams.at(0))

    def calls(self, step: Step, streams: Streams) -> list[tuple[str, Callable[[], Any]]]:
        """The methods of a step, to be called again."""
        made, state = self.made, step.state
        return [
            ("recommend", lambda: made.recommend(state)),
            ("center", lambda: made.center(state)),
            ("ask", lambda: made.ask(state, streams.at(step.number))),
            ("tell", lambda: made.tell(state, step.query, step.answer, streams.at(step.number))),
        ]


# a landscape ------------------------------------------------------------------------------------------------


class LandscapeTrial:
    """A landscape bound to some worlds, and to one of them alone.

    Args:
        made: the landscape.
        dtype: precision.
    """

    def __init__(self, made: Landscape, dtype: torch.dtype) -> None:
        import torch

        from landscapes.streams import Streams

        self.made, self.dtype = made, dtype
        worlds = torch.tensor([WORLDS[ALONE], *WORLDS[:ALONE]])
        self.few = Streams(seed=SEED, worlds=worlds, dtype=dtype)
        self.one = self.few.subset(worlds[:1])

    def checks(self) -> Iterator[Check]:
        """What it promises."""
        from landscapes.base import Reals

        yield "shapes, draws, nothing in place, a world alone", lambda: self.contract(gradient=False)
        if self.made.sloped and isinstance(self.made.domain, Reals):
            yield "the same of its gradient", lambda: self.contract(gradient=True)
        yield "bound twice it is the same", self.twice
        yield "tensors stay on their device", self.on_its_device

    def contract(self, *, gradient: bool) -> str:
        """As the guards of a study hold it."""
        from studies.cells import guards

        guards.check_bind(self.made, self.one)
        bound, alone = self.made.bind(self.few), self.made.bind(self.one)
        guards.check_landscape(
            bound, alone, self.few, self.one, named=guards.author(self.made), gradient=gradient
        )
        return ""

    def twice(self) -> str:
        """Its tables follow from the worlds."""
        import torch

        from studies.cells.contract import Method

        first, second = (self.values(self.few.device) for _ in range(2))
        if not torch.equal(first, second):
            raise Method(self.made, "bind").broken(
                "gives another landscape when bound again to the same worlds; draw its tables from the"
                " streams"
            )
        return ""

    def on_its_device(self) -> str:
        """On a device that holds no numbers, or a GPU where there is one, nothing comes from the CPU."""
        from studies.cells import contract

        return contract.on_a_device(self.values)

    def values(self, device: Any) -> Any:  # noqa: ANN401
        """The losses of some points on a device."""
        from dataclasses import replace

        streams = replace(self.few, device=device)
        landscape = self.made.bind(streams)
        return landscape.loss(landscape.start(streams.at(0), 2))


if __name__ == "__main__":
    sys.exit(main())
