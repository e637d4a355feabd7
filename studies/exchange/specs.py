"""What a landscape of a study is, in a benchmark's words: kind, function, dim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xarray import Dataset

from studies.results import settings
from studies.results.arms import places
from studies.text.shapes import Data, Tree

Spec = Data  # kind and parameters
Key = tuple[str, int | None, int]  # kind, function, dim
Place = tuple[tuple[str, object], ...]  # values of axes
SHAPES = {  # kind -> parameters that make the landscape, but for where its target is
    "onemax": ("n",),
    "leading_ones": ("n",),
    "trap": ("n", "block", "slope"),
    "labs": ("n",),
    "spin_glass": ("n", "graph", "order", "couplings"),
}


def variants(part: Dataset, label: str) -> Iterator[tuple[Spec, Dataset]]:
    """A landscape of a study, apart where an axis makes it several.

    Args:
        part: the results of this landscape; an axis may have been cut or one value selected.
        label: of the landscape.

    Raises:
        ValueError: the results hold no settings of this landscape, or have lost the coordinate of an axis
            that changes it.
    """
    here = _arms_on(part, label)
    if not here:
        raise ValueError(f"landscapes.{label}: expected to know what it is; {settings.OLD}")
    axes = [axis for axis in settings.axis_values(here[0]) if _changes(here, axis)]
    _check_coordinates(part, axes, label)
    for place in places(part, [axis for axis in axes if axis in part.dims]):
        chosen = part.isel(place)
        yield dict(_arms_on(chosen, label)[0].landscape), chosen


def _check_coordinates(part: Dataset, axes: Sequence[str], label: str) -> None:
    for axis in axes:
        if axis not in part.coords:
            shown = ", ".join(map(str, part.coords)) or "none"
            raise ValueError(
                f"landscapes.{label}: expected the coordinate of the axis {axis}, found {shown}"
            )


def _arms_on(part: Dataset, label: str) -> list[settings.Arm]:
    """What the arms ran with on a landscape, at the values of the axes that are there."""
    return [arm for arm in settings.arms(part, but=settings.FIXED) if arm.coords["landscape"] == label]


def specs_of(dataset: Dataset) -> dict[str, Spec]:
    """Label -> kind and parameters, for the landscapes of a study.

    Raises:
        ValueError: a landscape is several, or all worlds have one chosen instance, so that `instance` does
            not count the benchmark's.
    """
    return {label: _spec_of(dataset, label) for label in dataset["landscape"].values.tolist()}


def _spec_of(dataset: Dataset, label: str) -> Spec:
    """Kind and parameters of a landscape; raises ValueError as `specs_of` does."""
    spec, *others = [spec for spec, _ in variants(dataset.sel(landscape=label), label)]
    if others:
        raise ValueError(
            f"landscapes.{label}: expected one landscape, an axis makes {1 + len(others)} of it; select"
            " one value of the axis first"
        )
    _check_instance(spec, label)
    return spec


def _check_instance(spec: Spec, label: str) -> None:
    """Refuse a landscape of which all worlds have one chosen instance."""
    if spec.get("instance") is not None:
        raise ValueError(
            f"landscapes.{label}.instance: expected null, so that worlds have the benchmark's instances,"
            f" got {spec['instance']}"
        )


def landscapes_of(dataset: Dataset) -> dict[str, Key]:
    """Label -> what it is, for the landscapes of a study; what raises is said in `specs_of`."""
    return {label: key_of(spec, label) for label, spec in specs_of(dataset).items()}


def key_of(spec: Spec, label: str) -> Key:
    """What says that two landscapes are one: kind, function and dim of BBOB's.

    Kind and shape of one that PBO has too; the label of any other.
    """
    kind, function = spec["kind"], spec.get("function")
    if function is not None:
        return kind, function, int(spec.get("dim", 0))
    shape = {name: spec[name] for name in SHAPES.get(kind, ()) if name in spec}
    if not shape or len(shape) < len(SHAPES[kind]):
        return by_label(label)
    return f"{kind} ({', '.join(f'{name} = {value}' for name, value in shape.items())})", None, 0


def by_label(label: str) -> Key:
    """The key of a landscape that has only its label."""
    return label, None, 0


def words(key: Key) -> str:
    """A key in a message."""
    return f"{key[0]} f{key[1]} {key[2]}-D" if key[1] is not None else key[0]


def _changes(arms: Sequence[settings.Arm], axis: str) -> bool:
    """Whether two arms that differ in this axis alone have different landscapes."""
    first: dict[Place, Tree] = {}
    for arm in arms:
        if first.setdefault(_others(arm, axis), arm.landscape) != arm.landscape:
            return True
    return False


def _others(arm: settings.Arm, axis: str) -> Place:
    """The values of all axes of an arm but one."""
    values = settings.axis_values(arm).items()
    return tuple((name, value) for name, value in values if name != axis)
