"""What things may be called.

Labels as papers print them, axes that a file, a variable and a reader can bear, and the words of the Dataset.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from studies.text import schema
from studies.text.shapes import Json, Named

LABELLED = (
    "landscapes",
    "optimizers",
    "claims",
)  # keys of a study whose values are label -> {kind: .., parameters}
LONGEST = 100  # letters of a label
AXIS = re.compile(r"[^\W\d_]\w{0,59}")
JOINERS = "\u200c\u200d"  # invisible, and part of how some scripts and emoji are written
UNUSUAL = frozenset({
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
    "Zl",
    "Zp",
})  # Unicode categories that no reader sees, or no file holds
FILES = frozenset("con prn aux nul".split())  # of Windows

COORDINATES = (
    *schema.DIMS,
    *schema.COORDINATES,
    *schema.OF_CELLS,
    *"precision tuning_cost paired arm state budget_clock budget_time".split(),
)
HITS = tuple(
    f"{stem}_{clock}{end}"
    for stem in ("hit", "best_hit")
    for clock in schema.CLOCKS
    for end in ("", "_low")
)
RECORDED = (
    *schema.RECORDED,
    *schema.COUNTED,
    *"start_loss status target_level recorded".split(),
    *HITS,
)
OF_KINDS = (  # what some kinds of ours record; a kind of the user's may record it too
    "virtual_time staleness unfit_steps adapted_learning_rate test_loss test_accuracy held_out_loss"
    " held_out_accuracy fixed_point_distance measured measured_error"
).split()
LEDGER = (*schema.LEDGER_DIMS, *schema.LEDGER, *schema.AGAINST, *schema.POPULATION)
TIMING = (*schema.TIMING_DIMS, *schema.TIMING)
PICTURES = (
    *schema.PICTURE_DIMS,
    *schema.PICTURE,
    *"band form genotype optimum_known distance page".split(),  # of `probe`
)
ANALYSIS = (
    "at_least tied a12 aicc alignment allowed aocc area attained average_rank bias bias_interval blocks"
    " block bound break_even changes cliffs_delta cosine critical_difference cross crossing decided"
    " differ difference difference_method diverged effect effective_population equal_times ert"
    " ert_method exact exponent exponent_error exponent_interval factor gain group groups interaction"
    " interval law law_found length level linear log_ratio logarithmic low high mean median misfit more"
    " most_spent noise_scale noise_to_signal number objective other p_corrected p_friedman p_value pair"
    " paired_sd per place prefactor preferred problems profile quantile quantiles r_squared range rank"
    " ratio runner_up share solved span spent stationary_temperature statistic success_rate successes"
    " successes_per_cost successes_per_cost_method temperature times total trial unit units"
    " units_to_decide value verdict win win_probability winner worlds judged first angle unresolved"
    " relative_gain biased rate points lead"
).split()
ENDS = ("_interval", "_method", "_lateness")  # of the names of intervals and of how they were had
RESERVED = frozenset([
    *COORDINATES,
    *RECORDED,
    *OF_KINDS,
    *LEDGER,
    *TIMING,
    *PICTURES,
    *ANALYSIS,
])  # no axis has one of these names


OF_DATASET = frozenset([
    *COORDINATES,
    *RECORDED,
    *LEDGER,
    *TIMING,
    *PICTURES,
    *FILES,
])  # no variable has one of these


def tidy(text: str) -> str:
    """A text as it is compared and printed: Unicode's NFC, no space around it, single spaces inside."""
    return " ".join(unicodedata.normalize("NFC", paired(text)).split())


def paired(text: str) -> str:
    """A text whose surrogate pairs, as JSON writes an emoji, are characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def tidied(value: object) -> Json:
    """A copy of plain data in which every text is tidy; that of keys is so already."""
    if isinstance(value, dict):
        return {key: tidied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [tidied(inner) for inner in value]
    return tidy(value) if isinstance(value, str) else value


def unprintable(text: str) -> str | None:
    """The first character that a line of text cannot show, as U+202E; None where there is none."""
    return next((f"U+{ord(letter):04X}" for letter in text if _hidden(letter)), None)


def shown(text: str) -> str:
    """A line of text in which what cannot be printed is an escape, as Python writes it."""
    return "".join(f"\\u{ord(letter):04x}" if _hidden(letter) else letter for letter in text)


def _hidden(letter: str) -> bool:
    """Whether no reader sees it, or no file holds it."""
    return letter not in JOINERS and unicodedata.category(letter) in UNUSUAL


def wrong_label(label: str) -> str | None:
    """Why a tidy text cannot be a label; None where it can."""
    hidden = unprintable(label)
    if hidden:
        return f"expected a label that can be printed, this one has {hidden}"
    if len(label) > LONGEST:
        return f"expected a label of at most {LONGEST} letters, got {len(label)}"
    if "$" in label:
        return (
            "expected a label without $, which a figure reads as a formula; write the letter itself, such"
            " as λ"
        )
    if label.startswith("_"):
        return "expected a label that does not begin with _, which a figure's legend leaves out"
    if not any(unicodedata.category(letter)[0] in "LNS" for letter in label):
        return "expected a label with a letter or a digit in it"
    return None


def as_label(text: str) -> str:
    """A label made of a name that someone else gave."""
    visible = "".join(letter for letter in tidy(text) if not _hidden(letter))
    label = tidy(visible.replace("$", "").lstrip("_"))[:LONGEST].strip()
    return next((name for name in (label, f"({label})") if wrong_label(name) is None), "unnamed")


def wrong_axis(name: str, taken: Iterable[str] = ()) -> str | None:
    """Why a tidy text cannot be the name of an axis; None where it can.

    Args:
        name: of the axis.
        taken: names that the Dataset of this study uses, see `reserved`.
    """
    if not AXIS.fullmatch(name):
        fitting = re.sub(r"\W+", "_", name).strip("_")[:60]
        hint = (
            f"; such as {fitting!r}"
            if AXIS.fullmatch(fitting) and not wrong_axis(fitting, taken)
            else ""
        )
        expected = (
            "expected the name of an axis: letters, digits and _, the first one a letter, at most 60"
        )
        return f"{expected}{hint}"
    if name.casefold() in FILES:
        return "no file may have this name; choose another"
    if name.casefold().endswith(ENDS) or name.casefold() in {word.casefold() for word in taken}:
        return "this name belongs to the Dataset; choose another"
    return None


def wrong_variable(name: object) -> str | None:
    """Why a kind of the user's cannot record a variable of this name; None where it can."""
    if not isinstance(name, str) or not AXIS.fullmatch(name):
        return (
            "expected the name of a variable: letters, digits and _, the first one a letter, at most 60, got"
            f" {name!r}"
        )
    if name.casefold() in OF_DATASET or name.casefold().endswith(ENDS):
        return (
            f"the name {name!r} belongs to the Dataset of a study; choose another, such as 'own_{name}'"
        )
    return None


def reserved(classes: Mapping[str, Mapping[str, type]]) -> frozenset[str]:
    """The names that the Dataset of a study uses: ours, and those that its own kinds record.

    Args:
        classes: family -> kind -> class.
    """
    return RESERVED.union(*(_recorded(cls) for kinds in classes.values() for cls in kinds.values()))


@functools.lru_cache(1024)
def _recorded(cls: type) -> frozenset[str]:
    told, counted, extras = (getattr(cls, name, None) for name in ("recorded", "counted", "extras"))
    names = {str(name) for name in extras} if isinstance(extras, Mapping) else set()
    for entries in (told, counted):
        if isinstance(entries, Mapping):
            names |= {str(variable) for variable, *_ in entries.values()}
    return frozenset(names)


def bearable(path: str) -> str:
    """A dotted path as the name of a dim.

    A label in it may have a slash, the name of a variable in a file may not; U+2215 looks the same.
    """
    return path.replace("/", "\u2215").replace("\\", "\u29f5")


def keys_of(path: str, data: Named, *, stop: str = "") -> tuple[tuple[str, ...], str]:
    """The keys along a dotted path of a study, and what follows a character of `stop`, which ends it.

    A label may itself have dots (k=0.5): where several keys fit, the longest is meant.

    Args:
        path: such as optimizers.LABEL.learning_rate.
        data: the study.
        stop: "=" for PATH=VALUE.
    """
    keys, node, rest = list[str](), data, path
    while True:
        possible = [*node, *_labels_behind(keys, data)]
        key = _first_key(rest, possible, stop)
        keys.append(key)
        rest = rest[len(key) :]
        if not rest.startswith("."):
            return tuple(keys), rest[1:]
        rest = rest[1:]
        inner = node.get(key)
        node = inner if isinstance(inner, Mapping) else {}


def _labels_behind(keys: list[str], data: Named) -> Iterator[str]:
    """The labels of the study that may follow in a path: of the family that begins it, or of all."""
    if not keys:
        return
    families = (keys[0],) if len(keys) == 1 and keys[0] in LABELLED else LABELLED
    for family in families:
        entries = data.get(family)
        if isinstance(entries, Mapping):
            yield from entries


def _first_key(path: str, keys: Iterable[str], stop: str) -> str:
    """The longest known key that a path begins with; else what stands before the next dot."""
    ends = ("", ".", *stop)
    fitting = [key for key in keys if path.startswith(key) and path[len(key) : len(key) + 1] in ends]
    return max(fitting, key=len, default=re.split(f"[.{re.escape(stop)}]", path, maxsplit=1)[0])
