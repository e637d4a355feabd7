"""Expressions of `record:`: read once, and looked at on one step of each arm before anything is computed.

What an arm does not have (`state.path` of a method without one) is left out of it, and is NaN there; what no
arm has is a mistake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from optimizers.base import Optimizer
from studies.cells.contract import PluginError
from studies.cells.expressions.arithmetic import Nowhere, Shapes
from studies.cells.expressions.compiled import Expression, compiled
from studies.cells.expressions.fixation import Fixation
from studies.cells.expressions.names import WHOLES, WORDS, NotYet, Scope, names_of
from studies.cells.expressions.recorder import shaped
from studies.cells.expressions.search import Search
from studies.kinds import registry
from studies.kinds.instruments import Moment
from studies.study_file import recordable
from studies.study_file.arm import Arm
from studies.study_file.document import Mistake, Path
from studies.study_file.spending import Bowl, landscape_of, place
from studies.text.formulas import function_at, is_path, needed
from studies.text.labels import wrong_variable
from studies.text.schema import POPULATION
from studies.text.shapes import Data
from studies.text.words import nearest, show, suggest

KEYS = ("expression", "long_name", "units")
UNKNOWN = "not stated"  # the unit of what is computed
STEPS = 1000  # of a run that ends with its budget, of which one is taken


def is_expression(given: object) -> bool:
    """Whether an entry of `record:` is an expression, and no instrument of the user's."""
    if isinstance(given, dict):
        return "kind" not in given
    return isinstance(given, str) and not (is_path(given) and _names_a_class(given))


def _names_a_class(path: str) -> bool:
    """Whether an import path leads to a class, or nowhere."""
    try:
        return isinstance(function_at(path), type)
    except ValueError:
        return True


def completed(path: Path, given: object) -> Data | list[Mistake]:
    """An expression with its long name and units: {expression: .., long_name: .., units: ..}."""
    spec = given if isinstance(given, dict) else {"expression": given}
    wrong = [
        Mistake((*path, key), f"unknown key; {suggest(str(key), KEYS)}", True)
        for key in spec
        if key not in KEYS
    ]
    wrong += [
        Mistake((*path, key), f"expected text, got {show(value)}")
        for key, value in spec.items()
        if key in KEYS and not isinstance(value, str)
    ]
    if wrong or "expression" not in spec:
        return wrong or [Mistake(path, "expected an expression, such as {expression: 'center[0]'}")]
    try:
        expression = compiled(spec["expression"])
        for function in expression.functions:
            function_at(function)
    except ValueError as error:
        return [Mistake(path if isinstance(given, str) else (*path, "expression"), str(error))]
    words = WORDS.get(expression.text)
    units = words.units if words else UNKNOWN
    return {"long_name": expression.text, "units": units, **spec}


def wrong_name(label: str, *, ledger: bool) -> str | None:
    """Why a variable of expressions cannot have this name; None where it can.

    What the noise ledger records of a population may be recorded under the same name in a study without one.
    """
    return None if label in POPULATION and not ledger else wrong_variable(label)


# at the arms ------------------------------------------------------------------------------------------------


def of_arms(
    record: Mapping[str, Data], arms: Sequence[Arm], *, missing: bool = False
) -> tuple[list[Arm], list[Mistake]]:
    """The arms with the expressions that each has, and what is wrong with those of the study.

    Args:
        record: label -> instrument or expression, complete.
        arms: of the study.
        missing: whether others are missing, which may have what these do not.
    """
    specs = {label: spec for label, spec in record.items() if "expression" in spec}
    if not specs or not arms:
        return [*arms], []
    trials = _trials(arms)
    wrong: list[Mistake] = []
    has: list[Data] = [{} for _ in arms]  # label -> spec, of each arm
    for label, spec in specs.items():
        seen = [trial.look(compiled(spec["expression"])) for trial in trials]
        if all(each.missing for each in seen) and not missing:
            wrong.append(Mistake(("record", label), _why(seen, trials)))
        wrong += (
            Mistake(("record", label), f"{place(arm)}: {each.wrong}")
            for arm, each in zip(arms, seen, strict=True)
            if each.wrong
        )
        vector = any(each.size > 1 for each in seen)
        for own, each in zip(has, seen, strict=True):
            if not each.missing:
                own[label] = {**spec, "vector": vector}
    both = zip(arms, has, strict=True)
    return [replace(arm, scalars=arm.scalars | {"expressions": own}) for arm, own in both], wrong


@dataclass(frozen=True)
class Seen:
    """What an arm has of an expression.

    Args:
        missing: why it has none, or the name that is unknown; empty: it has it.
        wrong: what is wrong with it there; empty: nothing.
        size: numbers of each world.
        unknown: whether it is a name that is missing.
    """

    missing: str = ""
    wrong: str = ""
    size: int = 1
    unknown: bool = False


@dataclass(frozen=True)
class Trial:
    """One step of an arm, on a bowl in place of its landscape.

    Args:
        scope: what can be named after it; None: the method cannot take a step there.
        known: the names.
    """

    scope: Scope | None
    known: list[str]

    @staticmethod
    def of(arm: Arm) -> Trial:
        """That of an arm."""
        try:
            scope = _scope(arm)
            return Trial(scope, [*names_of(scope), *WHOLES])
        except (Exception, SystemExit):  # noqa: BLE001  what is wrong with it is said where it runs
            return Trial(None, [])

    def look(self, expression: Expression) -> Seen:
        """What the arm has of an expression."""
        if self.scope is None:
            return Seen()
        for name in _names(expression):
            if name not in self.known:
                return Seen(missing=name, unknown=True)
        try:
            return Seen(size=_size(expression, self.scope))
        except (NotYet, PluginError):  # a function of the user's may fail on numbers that mean nothing
            return Seen()
        except Nowhere as error:
            return Seen(missing=str(error))
        except Shapes as error:
            return Seen(wrong=str(error))


def _trials(arms: Sequence[Arm]) -> list[Trial]:
    """A trial of each arm, those that are alike taken once."""
    trials: dict[str, Trial] = {}
    for arm in arms:
        alike = _alike(arm)
        if alike not in trials:
            trials[alike] = Trial.of(arm)
    return [trials[_alike(arm)] for arm in arms]


def _alike(arm: Arm) -> str:
    parts = (arm.optimizer, arm.landscape, arm.relaxation, arm.noise)
    return json.dumps(parts, sort_keys=True)


def _size(expression: Expression, scope: Scope) -> int:
    """How many numbers each world has."""
    scope.averages = [average.read(scope) for average in expression.averages]
    value = expression.read(scope)
    return shaped(value, vector=True).shape[1]


def _names(expression: Expression) -> Iterator[str]:
    """The names that it reads, and those of the arguments of its functions."""
    for name in expression.names:
        if ":" in name:
            yield from needed(function_at(name))
        else:
            yield name


def _why(seen: Sequence[Seen], trials: Sequence[Trial]) -> str:
    """Why no arm has an expression: a name that is unknown, and those that are known."""
    unknown = [each.missing for each in seen if each.unknown]
    if not unknown:
        return seen[0].missing
    known = dict.fromkeys(name for trial in trials for name in trial.known if name not in WHOLES)
    # where each name is known to some arm, no arm has them all
    name = next((name for name in unknown if name not in known), unknown[0])
    if name in known:
        return f"no arm has all of its names; {name!r} is missing in some"
    owner, dot, _ = name.partition(".")
    same = [word for word in known if word.startswith(f"{owner}.")]
    words = same if dot and same else [word for word in known if "." not in word]
    kinds = recordable.kinds_with(name)
    if kinds:
        return f"no method here has {name!r}; {', '.join(kinds)} have it"
    return f"unknown name {name!r}; {hint(name, words)}"


def hint(name: str, words: Sequence[str]) -> str:
    """The nearest word, and all of them."""
    near = nearest(name, words)
    listed = f"expected one of: {', '.join(words)}"
    return f"did you mean {near!r}? {listed}" if near else listed


def _scope(arm: Arm) -> Scope:
    """What can be named after the first step of an arm's method."""
    landscape = landscape_of(arm)
    bowl = Bowl.of(arm)._replace(dim=landscape.dim, domain=landscape.domain)
    method: Optimizer = registry.build(arm.optimizer, "optimizer").budgeted(STEPS)
    begun = bowl.begin(method)
    ones = torch.ones(1, dtype=torch.int64)
    moment = Moment(
        state=begun.state,
        steps=ones,
        cost=ones.double(),
        value_terms=ones,
        gradient_terms=ones,
        virtual_time=ones.double(),
        seconds=ones.double(),
        query=begun.first,
        answer=begun.answer,
        info=begun.info,
        epoch=None,
    )
    search = Search(method, landscape, begun.streams, arm.noise["batch"], bound=False)
    return Scope(search, moment, before=begun.state, fixation=Fixation.none(1, bowl.dim))
