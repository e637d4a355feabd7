"""The words of a quantity that a study will have, before anything is computed."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from landscapes.base import Landscape
from optimizers.base import Optimizer
from studies.analysis.quantities import times, timing
from studies.analysis.quantities.calls import CALLS
from studies.analysis.quantities.grammar import AT, parsed
from studies.analysis.quantities.leaves import DIVERGED, WHENS
from studies.analysis.quantities.ledger import HEAD, INNER, POOLED
from studies.analysis.quantities.parts import calls, is_mixed, walk
from studies.analysis.quantities.question import HEADS, MIXED
from studies.analysis.quantities.summaries import OVER_CHECKPOINTS, SINCE
from studies.analysis.quantities.vocabulary import uncalled
from studies.kinds import registry
from studies.results import settings
from studies.study_file.arm import Arm
from studies.text import schema
from studies.text.formulas import CONSTANTS, PATH
from studies.text.shapes import Axes, Tree
from studies.text.words import short, suggest, suggest_longer

OF_LEDGER = [*POOLED, *schema.LEDGER, *schema.POPULATION, *schema.AGAINST]
FUNCTIONS = [name for name in CALLS if name not in (AT, PATH)]
TIMES = (*WHENS, "moment")  # keywords of what was recorded, loss(steps=40)
OF_LEDGER_ALONE = (*INNER, "scale")  # words in brackets of the noise ledger
NO_LEDGER = "this study keeps no noise ledger (`ledger:`)"


@dataclass(frozen=True)
class Words:
    """What a quantity may name.

    Args:
        recorded: variables of every world.
        numbers: that arms ran with, short and dotted names.
        dims: landscape, optimizer and the axes -> their labels and values.
        hidden: names of `let` that a number of an arm hides -> what is said of them.
        others: what else stands for a number.
        any: whether other names may be recorded too.
    """

    recorded: Sequence[str]
    numbers: Sequence[str] = ()
    dims: Axes = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    others: Sequence[str] = ()
    any: bool = False

    def wrong(self, text: str) -> Iterator[str]:
        """What is wrong with a quantity."""
        try:
            tree = parsed(text)
        except ValueError as error:
            yield str(error)
            return
        if is_mixed(tree, self.recorded):
            yield f"{text!r}: {MIXED}"
        yield from dict.fromkeys(self._labels(tree))
        yield from (self.hidden[name] for name in dict.fromkeys(names(tree)) if name in self.hidden)
        if not self.any:
            yield from self._calls(tree)
            yield from dict.fromkeys(self._keywords(tree))
            yield from self._ledger(tree)
            yield from self._timing(tree)
            yield from self._names(tree)

    def _labels(self, tree: ast.expr) -> Iterator[str]:
        """Axes, labels and values in brackets that the study does not have."""
        words = {re.sub(r"\W", "_", dim): dim for dim in self.dims} | {dim: dim for dim in self.dims}
        for part in walk(tree):
            said = part.said if part.name == AT or _told(part.name) else {}
            own = OF_LEDGER_ALONE if _in_ledger(part.name) else ()
            for word, label in said.items():
                if word in words:
                    yield from _unknown(words[word], label, self.dims[words[word]])
                elif word not in own:
                    yield f"unknown axis {word!r}; {suggest(word, words)}"

    def _calls(self, tree: ast.expr) -> Iterator[str]:
        words = [*FUNCTIONS, *self.recorded]
        for word in called(tree):
            if not _told(word) and word not in CALLS and word not in self.recorded:
                yield f"unknown function {word!r}; {suggest(word, words)}"

    def _keywords(self, tree: ast.expr) -> Iterator[str]:
        """What is said at a word by another keyword, or by another word than the keyword may have."""
        for call in calls(tree):
            yield from times.wrong_words(call)
            taken = self._taken(call.name)
            for word in call.given if taken else ():
                if word not in taken:
                    yield f"{call.name}: unknown word {word!r}; {suggest(word, taken)}"

    def _taken(self, name: str) -> Sequence[str]:
        """The keywords of what is recorded, and of a summary; of other words `times` knows them."""
        if name in self.recorded:
            return TIMES
        return (SINCE,) if name in OVER_CHECKPOINTS else ()

    def _ledger(self, tree: ast.expr) -> Iterator[str]:
        """What the noise ledger does not say, or nobody keeps."""
        for name in filter(_in_ledger, of_ledger(tree)):
            word = name.removeprefix(HEAD)
            if word not in OF_LEDGER:
                yield f"unknown quantity {name!r}; {suggest(word, OF_LEDGER)}"
            elif "step_variance" not in self.recorded:
                yield f"{name}: {NO_LEDGER}"

    def _timing(self, tree: ast.expr) -> Iterator[str]:
        """Words of times that there are not, or that nobody takes."""
        for name in (part.name for part in walk(tree) if part.name.startswith(timing.HEAD)):
            word = name.removeprefix(timing.HEAD)
            if word not in timing.WORDS:
                yield f"unknown quantity {name!r}; {suggest(word, timing.WORDS)}"
            elif "timing_seconds" not in self.recorded:
                yield f"{name}: {timing.NO_TIMES}"

    def _names(self, tree: ast.expr) -> Iterator[str]:
        words = [*self.recorded, *self.numbers]
        for word in (*names(tree), *dotted(tree)):
            if word not in (*words, *CONSTANTS, *self.dims, *self.others):
                hint = uncalled(word) or suggest_longer(word, self.numbers, _alike(word, words))
                yield f"unknown quantity {word!r}; {hint}"


def _unknown(dim: str, label: object, there: Sequence[object]) -> Iterator[str]:
    """What is wrong with a label, or a value, of a dim; None: it is a formula."""
    if label is None or any(_same(label, value) for value in there):
        return
    if not any(isinstance(value, str) for value in there):
        yield f"expected one of {', '.join(map(short, there))} for {dim}, got {short(label)}"
    else:
        yield f"unknown {dim} {label!r}; {suggest(str(label), map(str, there))}"


def _same(label: object, value: object) -> bool:
    """Whether a label is a value of an axis; numbers but for rounding, as results are asked."""
    if all(isinstance(each, int | float) for each in (label, value)):
        return math.isclose(label, value, rel_tol=1e-9)  # type: ignore[arg-type]
    return settings.key(label) == settings.key(value)  # type: ignore[arg-type]


def recorded(
    arms: Iterable[Arm], own: Iterable[str], *, ledger: bool, timed: bool = False
) -> list[str]:
    """The variables of every world that results will have.

    Args:
        arms: whose landscapes and optimizers record some.
        own: what the study records.
        ledger: whether the noise ledger is kept.
        timed: whether steps are timed.
    """
    ours = [*schema.RECORDED, *schema.COUNTED, "start_loss", DIVERGED, *own]
    ours += [*schema.LEDGER, *schema.POPULATION, *schema.AGAINST] if ledger else []
    ours += [*schema.TIMING] if timed else []
    return list(dict.fromkeys([*ours, *(name for arm in arms for name in _of_arm(arm))]))


def _of_arm(arm: Arm) -> list[str]:
    """What the landscape and the optimizer of an arm record beside the others."""
    landscape: Landscape = registry.build(arm.landscape, "landscape")
    optimizer: Optimizer = registry.build(arm.optimizer, "optimizer")
    variables = (*optimizer.recorded.values(), *optimizer.counted.values())
    return [*landscape.extras, *(variable for variable, *_ in variables)]


def instruments(record: Iterable[Tree]) -> dict[str, Tree]:
    """Variable -> the instrument of the user's that records it."""
    return {name: spec for spec in record for name in registry.build(spec, "instrument").variables}


# in a tree --------------------------------------------------------------------------------------------------


def called(tree: ast.expr) -> list[str]:
    """What is called, by its name."""
    return [part.name for part in walk(tree) if part.called]


def names(tree: ast.expr) -> Iterator[str]:
    """Names that are numbers, or axes: not what is called, whose, when, or the variable of a density."""
    yield from (name for name in _not_called(tree) if "." not in name)


def dotted(tree: ast.expr) -> Iterator[str]:
    """Names of numbers that say whose they are, such as optimizer.learning_rate."""
    yield from (name for name in _not_called(tree) if "." in name and not _told(name))


def _not_called(tree: ast.expr) -> Iterator[str]:
    yield from (part.name for part in walk(tree) if part.name and not part.called)


def of_ledger(tree: ast.expr) -> Iterator[str]:
    """Words of the noise ledger."""
    for part in walk(tree):
        if _in_ledger(part.name) or part.name in schema.LEDGER:
            yield part.name


def _told(name: str) -> bool:
    """Whether an instrument says it, which is checked apart."""
    return name.startswith(HEADS)


def _in_ledger(name: str) -> bool:
    return name.startswith(HEAD)


def _alike(word: str, words: Sequence[str]) -> list[str]:
    """Dotted words beside a dotted one, short ones beside a short one."""
    return [other for other in words if ("." in other) == ("." in word)] or list(words)
