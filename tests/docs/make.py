"""Write the lists and tables of the README and of studies/docs anew: `make docs`.

A page says where a list goes by two lines, and what is between them is written here, from the registries:

    <!-- landscapes -->
    <!-- end of landscapes -->

The table of laws is what the last `make verify` left in results/truths. Where that was not run, the table on
the page stays as it is.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "studies" / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
LAWS = ROOT / "results" / "truths" / "table.md"
BLOCK = re.compile(r"<!-- ([\w ]+) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)
IN_REGISTRY = re.compile(r'^    (?:# (?P<family>.+)|"(?P<kind>\w+)": .+)$', re.MULTILINE)
PLAIN = str.maketrans({"|": "&#124;", "<": "&lt;", "*": r"\*", "~": r"\~", "\n": " "})


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; signs that Markdown would read are escaped, but for code."""
    heads = [*heads]
    lines = [heads, ["---"] * len(heads), *([*map(escaped, row)] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Text as Markdown shows it, code as it is but for the bars of a table."""
    parts = text.split("`")
    return "`".join(
        part.replace("|", r"\|") if number % 2 else part.translate(PLAIN)
        for number, part in enumerate(parts)
    )


def code(*words: str) -> str:
    """Words as code, one beside the other."""
    return " ".join(f"`{word}`" for word in words)


def families(module: str, kinds: Iterable[str]) -> dict[str, list[str]]:
    """Family -> its kinds, as the comments within a registry say.

    Args:
        module: where the registry is written.
        kinds: all of the registry.
    """
    found: dict[str, list[str]] = {}
    for line in IN_REGISTRY.finditer(inspect.getsource(importlib.import_module(module))):
        if line["family"]:
            members = found.setdefault(line["family"], [])
        elif line["kind"] in kinds:
            members.append(line["kind"])
    return found


def registries() -> dict[str, Mapping[str, type]]:
    """Floor -> its registry."""
    from landscapes import LANDSCAPES
    from optimizers import OPTIMIZERS

    return {"landscapes": LANDSCAPES, "optimizers": OPTIMIZERS}


def overview(floor: str) -> str:
    """A line for each family, for the README."""
    rows = families(floor, registries()[floor]).items()
    return table(
        (floor.replace("optimizers", "search methods"), "kinds"),
        ((family, code(*kinds)) for family, kinds in rows),
    )


def every(floor: str) -> str:
    """A table for each family, a line for each kind."""
    from studies.describe import source
    from studies.study_file.fields import summary

    registry, parts = registries()[floor], list[str]()
    for family, kinds in families(floor, registry).items():
        rows = ((code(kind), summary(registry[kind]), source(registry[kind])) for kind in kinds)
        parts += [f"### {family[0].upper()}{family[1:]}", table(("kind", "what it is", "source"), rows)]
    return "\n\n".join(parts)


@functools.cache
def known() -> list[tuple[str, str, str]]:
    """Family, name and line of all that `studies.list` has."""
    from studies.list import rows

    return [*rows()]


def listed(family: str) -> str:
    """Name and line of all of a family."""
    return table(
        (family, "what it is"), ((code(name), line) for what, name, line in known() if what == family)
    )


def figures() -> str:
    """The figures, and what a study must have for each."""
    from studies.study_file.model import section_of

    shown = ((name, line) for what, name, line in known() if what == "figure")
    return table(
        ("figure", "what it shows", "needs"),
        (
            (code(name), line, code(section_of(name)) if section_of(name) else "")
            for name, line in shown
        ),
    )


def measures() -> str:
    """The measures of ruggedness."""
    from studies.probe.measures import measure

    every = ((name, measure(name)) for what, name, _ in known() if what == "measure")
    return table(
        ("measure", "what it is", "unit", "on"),
        ((code(name), it.line, it.unit, " and ".join(it.domains)) for name, it in every),
    )


def variables() -> str:
    """The variables of a Dataset."""
    from studies.list import variables

    rows = ((code(name), line, unit) for name, (line, unit) in variables().items())
    return table(("variable", "what it is", "unit"), rows)


def theory() -> str:
    """The library of laws, a table."""
    from studies.theory import HOMES, PREFIX, about

    laws = (about(name) for name in HOMES)
    rows = ((code(PREFIX + law.name), law.line, law.range, law.source) for law in laws)
    return table(("law", "formula", "range", "source"), rows)


def commands() -> str:
    """The commands."""
    from studies.__main__ import COMMANDS

    rows = ((code(f"python -m studies.{name}"), meaning) for name, meaning in COMMANDS.items())
    return table(("command", "what it does"), rows)


def analysis() -> str:
    """The public functions of the analysis, by question."""
    from studies.analysis import FUNCTIONS

    return table(
        ("question", "function", "what it gives"), (row for room in FUNCTIONS for row in _of_room(room))
    )


def _of_room(room: str) -> Iterator[tuple[str, str, str]]:
    from studies import analysis

    question = room.replace("_", " ")
    for name in (name for functions in analysis.FUNCTIONS[room].values() for name in functions):
        yield question, code(f"analysis.{name}"), inspect.getdoc(getattr(analysis, name)).split("\n")[0]
        question = ""


def laws() -> str:
    """What `make verify` printed."""
    return LAWS.read_text().strip()


def names_of_record() -> str:
    """The names that `record:` of a study may use."""
    from studies.study_file import recordable

    own = [
        (
            f"`{name}`",
            f"{line}; of {', '.join(f'`{kind}`' for kind in recordable.kinds_with(name))}",
            unit,
        )
        for name, line, unit in recordable.of_methods()
    ]
    every = [(f"`{name}`", line, unit) for name, line, unit in recordable.names()]
    return table(("name", "what it is", "unit"), [*every, *own])


def chapter() -> str:
    """The studies of the chapter: question, what is said at the top of the file, command and picture."""
    from studies.study_file.files import ready_studies

    files, parts = ready_studies(), list[str]()
    for name in collection("chapter"):
        text = files[name].read_text()
        begin = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
        answer = " ".join(line.removeprefix("#").strip() for line in begin)
        question = " ".join(yaml.safe_load(text)["question"].split())
        run = f"*Run.* `python -m studies.run {name} --strict`"
        picture = f"![Law and observations of {name}](pictures/{name}.png)"
        said = f"*Question.* {question.translate(PLAIN)}", f"*Answer.* {answer.translate(PLAIN)}"
        parts += [f"## {name}", *said, run, picture]
    return "\n\n".join(parts)


def collection(name: str) -> list[str]:
    """The studies of a collection."""
    path = ROOT / "studies" / "configs" / "collections" / f"{name}.yaml"
    return yaml.safe_load(path.read_text())["studies"]


BLOCKS: dict[str, Callable[[], str]] = {
    "chapter": chapter,
    "landscapes": lambda: overview("landscapes"),
    "optimizers": lambda: overview("optimizers"),
    "every landscape": lambda: every("landscapes"),
    "every optimizer": lambda: every("optimizers"),
    "claims": lambda: listed("claim"),
    "figures": figures,
    "measures": measures,
    "variables": variables,
    "keys": lambda: listed("key"),
    "studies": lambda: listed("study"),
    "commands": commands,
    "analysis": analysis,
    "laws": laws,
    "theory": theory,
    "names of record": names_of_record,
}


def made(page: str) -> str:
    """A page with its lists written anew; what cannot be made here stays."""
    return BLOCK.sub(_block, page)


def _block(found: re.Match[str]) -> str:
    name = found[1]
    if name == "laws" and not LAWS.exists():
        return found[0]
    return f"<!-- {name} -->\n{BLOCKS[name]()}\n<!-- end of {name} -->"


def main() -> None:
    """Write all pages."""
    for path in PAGES:
        page = path.read_text()
        new = made(page)
        if new != page:
            path.write_text(new)
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
