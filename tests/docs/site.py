"""The documentation as a static site, results/site/index.html: `make docs`.

The pages are those of the repository, at the same places, so that their links lead where they do there. Beside
them stand what is never typed: reference pages of all that a study can name, as `studies.describe` tells them,
the help of all commands, and the functions of the analysis and what own kinds are made of, from their
docstrings. Tutorials are run, and shown with what they print and draw; one can be taken along as a notebook. Kinds have a small
picture each, see `tests.docs.pictures`.
"""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

import jupytext
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from rich.console import Console
from rich.table import Table
from sphinx.cmd.build import main as build

from studies.__main__ import COMMANDS
from tests.docs import pictures
from tests.docs.make import DOCS, PAGES, ROOT, escaped, known, table

SITE = ROOT / "results" / "site"
TUTORIALS = "tutorials"
LEFT, READY = "../configs)", "../../reference/studies.md)"  # a folder is no page
ORDER = {  # caption -> pages of studies/docs
    "Begin": (
        "tutorials/crossover",
        "tutorials/network",
        "tutorials/genotypes",
        "tutorials/landscape",
        "tutorials/optimizer",
        "concepts",
    ),
    "Guides": (
        "studying",
        "kinds",
        "results",
        "cookbook",
        "noise",
        "ruggedness",
        "clusters",
        "own_kinds",
    ),
    "Findings": ("chapter", "questions", "laws", "speed"),
}
FAMILIES = {  # of `studies.list` -> file and title of their reference
    "landscape": ("landscapes", "Landscapes"),
    "optimizer": ("optimizers", "Search methods"),
    "claim": ("claims", "Claims"),
    "figure": ("figures", "Figures"),
    "measure": ("measures", "Measures of ruggedness"),
    "key": ("keys", "Keys of a study file"),
    "study": ("studies", "Ready studies"),
}
ERASED = re.compile(r"[^\n]*\x1b\[2K")  # of a line, what a terminal has erased
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
PICTURED = ("landscape", "optimizer", "figure")
MADE_OF = {  # what own kinds are made of
    "landscapes.base": ("Landscape",),
    "landscapes.streams": ("Streams",),
    "landscapes.oracle.oracle": ("Oracle",),
    "optimizers.base": ("Optimizer",),
    "studies": ("run_study", "open_study"),
}
SETTINGS = """
project = "Two Descents"
html_title = project
html_theme = "furo"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_heading_anchors = 3
nb_execution_mode = "off"
autodoc_typehints = "none"
html_show_copyright = False
exclude_patterns = ["**.ipynb_checkpoints"]
suppress_warnings = ["myst.header", "toc.not_included"]
templates_path = []
html_copy_source = True
html_show_sourcelink = True


def setup(app):
    import re

    def escaped(app, what, name, thing, options, lines):  # signs that mean something else to Sphinx
        for number, line in enumerate(lines):
            parts = re.split("(`[^`]*`)", line)
            parts[::2] = [re.sub(r"([*|])", r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)

    app.connect("autodoc-process-docstring", escaped, priority=100)
"""


def main() -> int:
    """Write the site; the exit code of Sphinx."""
    source = SITE / "source"
    shutil.rmtree(SITE, ignore_errors=True)
    _copy(source)
    captions = pictures.write(source / "reference" / "pictures")
    reference = dict(pages(captions))
    for name, text in reference.items():
        path = source / "reference" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (source / "index.md").write_text(_index(reference))
    (source / "conf.py").write_text(SETTINGS)
    for tutorial in sorted((source / "studies" / "docs" / TUTORIALS).glob("*.md")):
        executed(tutorial)
    return build(["-q", "-W", "--keep-going", "-b", "html", str(source), str(SITE / "html")])


def _copy(source: Path) -> None:
    """The pages and pictures, at the places that they have."""
    for page in [*PAGES, ROOT / "CHANGELOG.md", *(DOCS / TUTORIALS).glob("*.md")]:
        place = source / page.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = _linked(page.read_text())
        beside = re.sub(r"\]\((\w+)\.md", r"](\1.ipynb", text)  # another tutorial
        place.write_text(beside if page.parent.name == TUTORIALS else text)
    shutil.copytree(DOCS / "pictures", source / "studies" / "docs" / "pictures")


def _linked(text: str) -> str:
    """A page whose links lead to pages: a folder is none, tutorials become notebooks, others stay behind."""
    text = text.replace(LEFT, READY).replace("../configs/collections)", READY)
    text = re.sub(r"(\]\([\w/.]*tutorials/\w+)\.md", r"\1.ipynb", text)
    return re.sub(r"\]\((?:LICENSE|\.ci/run)\)", "]", text)


def executed(tutorial: Path) -> None:
    """A tutorial as a notebook, in its own folder, with what its code prints and draws."""
    notebook = jupytext.read(tutorial)
    notebook.cells.insert(0, new_code_cell("%matplotlib inline", metadata={"tags": ["remove-cell"]}))
    work = SITE / "work" / tutorial.stem
    work.mkdir(parents=True)
    NotebookClient(notebook, resources={"metadata": {"path": str(work)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = settled(cell.outputs)
    jupytext.write(notebook, tutorial.with_suffix(".ipynb"))
    tutorial.unlink()


def settled(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Outputs as a reader sees them in the end.

    Texts in one piece, of a progress bar its last state, no number that a last line returned, as `write_text` does.
    """
    seen: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "execute_result" and output.data.get("text/plain", "").isdigit():
            continue
        if seen and seen[-1].output_type == output.output_type == "stream":
            seen[-1].text += output.text
        else:
            seen.append(output)
    for output in seen:
        if output.output_type == "stream":
            output.text = CONTROL.sub("", ERASED.sub("", output.text))
    return seen


# pages ------------------------------------------------------------------------------------------------------


def _index(reference: Iterable[str]) -> str:
    """The first page: the README, and the way to all others, as the pages of the reference."""
    readme = _linked((ROOT / "README.md").read_text())
    trees = [
        _tree(caption, [f"studies/docs/{name}" for name in names]) for caption, names in ORDER.items()
    ]
    trees += [_tree("Reference", [f"reference/{name}" for name in reference])]
    trees += [_tree("Project", ["CONTRIBUTING", "CHANGELOG"])]
    return "\n\n".join([readme, *trees])


def _tree(caption: str, names: Iterable[str]) -> str:
    """A part of the navigation."""
    lines = ["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```"]
    return "\n".join(lines)


def pages(captions: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[str, str]]:
    """Name and text of the pages of the reference.

    Args:
        captions: kind -> what its picture shows; others have none.
    """
    for family, (file, title) in FAMILIES.items():
        shown = captions if family in PICTURED else {}
        yield file, _family(title, [name for what, name, _ in known() if what == family], shown)
    yield "analysis", _analysis()
    yield "own", _made_of()
    yield "commands", _commands()


def _family(title: str, names: Iterable[str], captions: Mapping[str, str]) -> str:
    """A section for each name, as `studies.describe` tells it, with its picture."""
    sections = (f"## {name}\n\n{_told(name, _picture(name, captions))}" for name in names)
    return "\n\n".join([f"# {title}", *sections])


def _picture(name: str, captions: Mapping[str, str]) -> str:
    """A small picture and its caption, where there is one."""
    caption = captions.get(name)
    if caption is None:
        return ""
    alt = caption.translate(str.maketrans("`[]", "'()"))
    return f"![{name}: {alt}](pictures/{name}.png)\n\n*The picture.* {caption}"


def _told(name: str, picture: str) -> str:
    """What is said of a name; a picture below its first line."""
    from studies.describe import describe

    first, *rest = (_markdown(part) for part in describe(name))
    return "\n\n".join(filter(None, [first, picture, *rest]))


def _markdown(part: str | Table) -> str:
    """A part of what is told of a name."""
    if not isinstance(part, Table):
        return escaped(part)
    columns = [[_plain(cell) for cell in column.cells] for column in part.columns]
    return table([_plain(column.header) for column in part.columns], zip(*columns, strict=True))


def _plain(cell: object) -> str:
    """What a terminal would show, without colours."""
    console = Console(width=10_000, color_system=None, file=None)
    with console.capture() as said:
        console.print(cell, end="")
    return said.get()


def _analysis() -> str:
    """The public functions of the analysis, by question."""
    from studies.analysis import FUNCTIONS

    parts = ["# Analysis: from a Dataset to numbers"]
    for room, modules in FUNCTIONS.items():
        names = [
            f"studies.analysis.{room}.{module}.{name}" for module in modules for name in modules[module]
        ]
        parts += [f"## {room.replace('_', ' ')}", _documented("autofunction", names)]
    return "\n\n".join(parts)


def _made_of() -> str:
    """What a landscape or an optimizer of a user's is made of, and how a study is run from Python."""
    parts = ["# Python: studies, and what own kinds are made of"]
    for module, names in MADE_OF.items():
        for name in names:
            is_class = inspect.isclass(getattr(import_module(module), name))
            option = "\n   :members:" if is_class else ""
            kind = "autoclass" if is_class else "autofunction"
            parts += [f"## {name}", _documented(kind, [f"{module}.{name}"], option)]
    return "\n\n".join(parts)


def _documented(kind: str, names: Iterable[str], option: str = "") -> str:
    """Docstrings, read by Sphinx."""
    lines = "\n\n".join(f".. {kind}:: {name}{option}" for name in names)
    return f"```{{eval-rst}}\n{lines}\n```"


def _commands() -> str:
    """The help of all commands."""
    return "\n\n".join([
        "# Commands",
        *(f"## studies.{name}\n\n```text\n{_help(name)}```" for name in COMMANDS),
    ])


def _help(name: str) -> str:
    """What a command prints with --help."""
    module = import_module(f"studies.{name}")
    if hasattr(module, "__path__"):
        module = import_module(f"studies.{name}.__main__")
    if not hasattr(module, "parser"):
        return f"usage: python -m studies.{name}\n\n{COMMANDS[name]}\n"
    return module.parser().format_help()


if __name__ == "__main__":
    sys.exit(main())
