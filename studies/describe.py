"""Whatever `python -m studies.list` prints, and every key of a study file.

`python -m studies.describe sgd`, `ecdf`, `quickstart`, `noise.batch`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from studies.text.arguments import Arguments
from studies.text.leave import leave

if TYPE_CHECKING:
    from rich.table import Table

    from landscapes.base import Landscape
    from optimizers.base import Optimizer
    from studies.kinds.instruments import Instrument
    from studies.study_file.figures import Options

Parts = list["str | Table"]
QUANTITIES = ("quantity", "quantities")
WORDS = (
    "a name that python -m studies.list prints, a key of a study file (noise.batch, sgd.schedule), an"
    " import path package.module:Class, theory or theory:LAW"
)


def describe(word: str) -> Parts:
    """What to print about a name: text and tables.

    About all that have it (`claims` is a key, a figure and a ready study).

    Args:
        word: a name that `studies.list` prints, a key of a study file such as noise.batch, an import path
            "package.module:Class", or theory: all laws of theory;
            or quantities: what may be asked of results.

    Raises:
        ValueError: there is nothing of this name.
    """
    from studies.study_file import keys
    from studies.text.formulas import LIBRARY

    if word == LIBRARY:
        return _library()
    if word in QUANTITIES:
        return _language()
    if ":" in word:
        return _law(word) if word.startswith(f"{LIBRARY}:") else _kind(word)
    parts = _named(word) + (keys.describe(word) or keys.of_kinds(word))
    parts += _recordable() if word == "record" else []
    if not parts:
        raise ValueError(f"unknown kind {word!r}; {_hint(word)}")
    return parts


def _named(word: str) -> Parts:
    """About all that `studies.list` prints under this name, but for keys."""
    from studies.list import names

    families = [family for family, members in names().items() if word in members and family != "key"]
    return [part for family in families for part in OF[family](word)]


def _hint(word: str) -> str:
    """What may be meant by a name that nothing has."""
    from studies.list import mentions, near_name
    from studies.study_file import keys
    from studies.text.words import nearest, suggest

    dotted = "." in word
    near = (dotted and nearest(word, keys.known(word))) or near_name(word)
    if near:
        return f"did you mean {near!r}?"
    return suggest(word, keys.known(word)) if dotted else mentions(word)


def find(kind: str) -> tuple[str, type]:
    """Family and class of a landscape or optimizer.

    Raises:
        ValueError: there is no such kind.
    """
    from studies.kinds.registry import FAMILIES
    from studies.text.words import suggest

    for family, (registry, _) in FAMILIES.items():
        if kind in registry:
            return family, registry[kind]
    if ":" in kind:
        return _imported(kind)
    ours = [name for registry, _ in FAMILIES.values() for name in registry]
    raise ValueError(f"unknown kind {kind!r}; {suggest(kind, ours)}")


def _imported(kind: str) -> tuple[str, type]:
    """Family and class of an import path; raises ValueError where it is of none."""
    from studies.kinds.registry import FAMILIES, find

    problems = []
    for family in FAMILIES:
        try:
            return family, find(kind, family)
        except ValueError as error:
            problems.append(str(error))
    raise ValueError(problems[0])


def _kind(kind: str) -> Parts:
    from studies.study_file import fields, keys

    family, cls = find(kind)
    facts = [f"{kind} ({family}): {fields.summary(cls)}", *_about(cls, family)]
    return [*facts, keys.parameters(fields.parameter_model(cls).model_json_schema())]


def _claim(kind: str) -> Parts:
    from studies.claims import CLAIMS
    from studies.study_file import fields, keys

    return [
        f"{kind} (claim): {_text(CLAIMS[kind].__doc__)}",
        keys.parameters(fields.parameter_model(CLAIMS[kind]).model_json_schema()),
    ]


def _figure(name: str) -> Parts:
    from studies.figures import about
    from studies.study_file import keys
    from studies.study_file.figures import model_of
    from studies.study_file.model import section_of

    needs = section_of(name)
    model = model_of(name)
    but = f"; with `{model.instead}` it needs none" if model.instead else ""
    shows = [f"shows the `{needs}` of a study{but}"] if needs else []
    asked: Parts = [keys.parameters(model.model_json_schema()), _example(name, model)]
    return [f"{name} (figure): {_text(about(name))}", *shows, *asked]


def _example(name: str, model: type[Options]) -> str:
    """How a figure is told what to show, in a study and by a command."""
    return (
        f"in a study: figures: [{{{name}: {{{model.example}}}}}]; of results: python -m studies.figures"
        f" results/NAME {name} {model.command}"
    )


SECTIONS = ("landscapes", "optimizers", "sweep", "claims", "figures")  # whose names are printed


def _study(name: str) -> Parts:
    from studies.study_file.files import ready_studies
    from studies.study_file.loading import load_study

    study, path = load_study(name), ready_studies()[name]
    facts = [
        f"{name} (ready study): {' '.join((study.question or '').split())}",
        f"file: {_shown(path)}",
    ]
    sections = {key: study.resolved[key] for key in SECTIONS if study.resolved[key]}
    facts += [f"{key}: {', '.join(map(str, names))}" for key, names in sections.items()]
    return [
        *facts,
        f"worlds of each arm: {study.replicates}; arms: {len(study.arms)}",
        f"run it: python -m studies.run {name}",
    ]


def _collection(name: str) -> Parts:
    from studies.study_file.collections import collections
    from studies.study_file.files import question, ready_studies

    collection, paths = collections()[name], ready_studies()
    rows = enumerate(collection.studies, 1)
    return [
        f"{name} (collection of ready studies): {collection.title}",
        *(f"{number}. {study}: {question(paths[study])}" for number, study in rows),
        f"run it: python -m studies.run {name}",
    ]


def _measure(name: str) -> Parts:
    from studies.probe.measures import measure

    about = measure(name)
    facts = [
        f"{name} (measure): {about.line}",
        f"unit: {about.unit}",
        f"of landscapes of {' and '.join(about.domains)}",
        f"source: {about.source}" if about.source else "",
    ]
    return [*filter(None, facts), f"measure it: python -m studies.probe LANDSCAPE --measures {name}"]


def _variable(name: str) -> Parts:
    from studies.list import variables

    line, unit = variables()[name]
    return [
        f"{name} (variable of the results): {line}",
        f"unit: {unit}",
        f'read it: studies.open_study("results/NAME")["{name}"]',
    ]


def _law(name: str) -> Parts:
    from studies.theory import PREFIX, about

    law = about(name)
    word = PREFIX + law.name
    facts = [f"{word} (law): {law.line}", law.more, f"source: {law.source}", f"range: {law.range}"]
    numbers = "numbers of these names with which the arm ran:"
    use = numbers if law.arguments else "none: it is a constant"
    rows = [f"  {name}: {meaning}" for name, meaning in law.arguments.items()]
    return [*filter(None, facts), f"arguments, {use}", *rows, f"in a claim: predicted: {word}"]


def _library() -> Parts:
    """All laws, a line each."""
    from rich.table import Table

    from studies.theory import LAWS, PREFIX, about

    table = Table.grid(padding=(0, 2))
    for module, names in LAWS.items():
        table.add_row(module.replace("_", " "), style="bold")
        for name in names:
            table.add_row(f"  {PREFIX}{name}", about(name).line)
    return ["theory (library): laws that a formula may name; describe theory:NAME says more", table]


def _word(name: str) -> Parts:
    from studies.study_file.topics import TOPICS

    return [f"{name} (word): {TOPICS[name]}"]


def _language() -> Parts:
    from studies.analysis.quantities.vocabulary import LANGUAGE

    return [LANGUAGE]


def _quantity(name: str) -> Parts:
    from studies.analysis.quantities.vocabulary import WORDS

    word = WORDS[name]
    return [
        f"{name} (word of quantities): {word.line}",
        f"ask for it: python -m studies.ask results/NAME '{word.example}'",
    ]


OF = {
    "quantity": _quantity,
    "landscape": _kind,
    "optimizer": _kind,
    "claim": _claim,
    "figure": _figure,
    "study": _study,
    "collection": _collection,
    "measure": _measure,
    "variable": _variable,
    "law": _law,
    "word": _word,
}


def _recordable() -> Parts:
    """The language of `record:`."""
    from rich.table import Table

    from studies.study_file import recordable

    table = Table("name", "what it is", "unit")
    for row in recordable.names():
        table.add_row(*row)
    for name, line, unit in recordable.of_methods():
        table.add_row(name, f"{line}; of {', '.join(recordable.kinds_with(name))}", unit)
    table.add_row(
        "state.NAME, info.NAME", "what the state holds, and what was told of the last step", ""
    )
    return [
        recordable.EXAMPLES,
        f"functions: {recordable.functions()}; + - * / **, comparisons, and or not, [0] [-1] [0, 3]",
        table,
    ]


def _text(docstring: str | None) -> str:
    """A docstring up to its arguments, each paragraph in a line."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n".join(
        " ".join(part.split())
        for part in paragraphs
        if not part.startswith(("Args:", "Raises:", "Returns:"))
    )


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _about(cls: type, family: str) -> Iterator[str]:
    """Domain, streams and paper; of an optimizer also what it records."""
    yield from _facts(cls, family)
    if family == "optimizer":
        from studies.study_file import recordable

        yield from recordable.of_optimizer(cls)


def _facts(cls: type, family: str) -> Iterator[str]:
    """What its family says of a class, and its paper."""
    facts = FACTS[family](cls) | {"source": source(cls)}
    yield from (f"{name}: {value}" for name, value in facts.items() if value)


def _of_optimizer(cls: type[Optimizer]) -> dict[str, str]:
    return {
        "searches": ", ".join(domain.__name__.lower() for domain in cls.domains),
        "asks for": "gradients" if cls.gradient else "values",
        "draws from": ", ".join(("init", *cls.sources)),
    }


def _of_instrument(cls: type[Instrument]) -> dict[str, str]:
    return {"records": ", ".join(cls.variables) if isinstance(cls.variables, Mapping) else ""}


def _of_landscape(cls: type[Landscape]) -> dict[str, str]:
    return {"domain": _domain(cls), "loss": _loss(cls)}


FACTS: dict[str, Callable[..., dict[str, str]]] = {
    "optimizer": _of_optimizer,
    "instrument": _of_instrument,
    "landscape": _of_landscape,
}


def source(cls: type) -> str:
    """The paragraph "Source: .." of a class's docstring, or of its module's."""
    for text in (cls.__doc__, sys.modules[cls.__module__].__doc__):
        for paragraph in (text or "").split("\n\n"):
            if paragraph.strip().startswith("Source:"):
                return " ".join(paragraph.split()).removeprefix("Source: ")
    return ""


def _loss(cls: type[Landscape]) -> str:
    """What 0 means, as far as that needs no parameters."""
    try:
        known = cls().gap_known
    except TypeError:  # a parameter has no default
        return ""
    if known:
        return "the gap to the optimum, with the defaults"
    return "the landscape's own value, with the defaults: the optimum is not known"


def _domain(cls: type[Landscape]) -> str:
    """Where points live: bits, letters, or reals and their box."""
    from landscapes.base import Reals

    try:
        domain = cls().domain
    except TypeError:  # a parameter has no default
        return ""
    if not isinstance(domain, Reals):
        return type(domain).__name__.lower()
    return f"reals, box [{domain.low:g}, {domain.high:g}]" + ", nothing outside" * domain.bounded


def main() -> int:
    """The command line; returns the exit code, 2 where there is nothing of this name."""
    parser = Arguments(prog="python -m studies.describe", description=__doc__)
    parser.add_argument("name", metavar="NAME", help=WORDS)
    name = parser.parse_args().name
    from studies.text import terminal

    try:
        parts = describe(name)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    console = terminal.console()
    for part in parts:
        console.print(part)
    return 0


if __name__ == "__main__":
    leave(main)
