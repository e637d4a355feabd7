"""A cell's file: NetCDF-4, written and read through h5py, and sealed.

What NetCDF-4 asks of an HDF5 file: each dim is a dimension scale, which variables name
(docs.unidata.ucar.edu/netcdf-c, "NetCDF-4 Format"); xarray opens these files too. Through xarray and h5netcdf
a cell of sixty variables took longer to write, and to read, than many a search takes to run.

Files of alike cells differ in numbers alone. So the file of a cell is made once, as a form, which the next
ones fill in: to make variables with dims and attributes takes twenty times as long as to write their numbers.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from studies.results import cell_trailer
from studies.text.shapes import Data

# files are renamed into place, and cluster file systems lock badly
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."  # the words of the format
OF_THE_FORMAT = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS"}
TEXT = h5py.string_dtype()
SEALED = "_sealed"  # attribute of a file that has a seal
WRITABLE = 1  # flag of HDF5 for an image of a file in memory
SMALL = 2**15  # bytes of a Dataset up to which nothing is compressed
LARGE = 2048  # bytes: a variable of less takes more of them when it is compressed
MOST_FORMS = 256  # that are kept
AGAIN = "run the study again, which computes the cell anew"


class Damaged(ValueError):
    """A file that is not what was written; the text is one line for the user."""


# whether it is what was written -----------------------------------------------------------------------------


def is_whole(path: Path) -> bool:
    """Whether a file is what was written; of one without a seal, whether it can be opened."""
    try:
        if not _whole(path).sealed:
            with opened(path):
                pass
    except Damaged:
        return False
    return True


def _whole(path: Path) -> cell_trailer.Parts:
    """What is stored; raises Damaged where it is not what was sealed."""
    parts = cell_trailer.parts(path.read_bytes())
    if not parts.whole:
        raise Damaged(_damaged(path, "its seal is that of other bytes"))
    return parts


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, read into memory once, where it is what was written.

    Raises:
        Damaged: it is not.
    """
    parts = _whole(path)
    try:
        file = h5py.File(h5py.h5f.open_file_image(parts.content))
        lacks = SEALED in file.attrs and not parts.sealed
    except (OSError, ValueError, KeyError) as error:
        raise Damaged(_damaged(path, str(error))) from error
    with file:
        if lacks:
            raise Damaged(_damaged(path, "its seal is gone"))
        yield file


def _damaged(path: Path, why: str) -> str:
    return f"{path}: expected what was written there, got a damaged file ({why}); {AGAIN}"


# writing ----------------------------------------------------------------------------------------------------


class Form(NamedTuple):
    """The file of a cell, to be filled in."""

    image: bytes  # with every variable, and no attribute of the whole
    places: list[cell_trailer.Place]  # of variables whose numbers stand in it as they are
    others: list[str]  # compressed ones, and texts
    listed: bytes  # `places`, without dims; empty: not all numbers stand there


Variables = Mapping[Hashable, xr.Variable]
_FORMS: dict[tuple[object, ...], Form] = {}  # by what alike cells have in common


def write(data: xr.Dataset, path: Path) -> None:
    """Write a Dataset of numbers and texts; the large variables of a large one are compressed.

    Raises:
        ValueError: a name with `/`, which in such a file is a folder.
        TypeError: what is no number or text, such as a complex number.
    """  # noqa: DOC502
    variables: Variables
    if all(variable.dtype.kind in "iuf" for variable in data.variables.values()):
        form, variables, attrs = _form_of(data), data.variables, data.attrs
    else:
        form, variables, attrs = _form(data)
    path.write_bytes(_filled(form, variables, attrs))


def _form_of(data: xr.Dataset) -> Form:
    """The form of a Dataset of numbers, made once for all that are alike."""
    key = _alike(data)
    if key not in _FORMS:
        if len(_FORMS) >= MOST_FORMS:
            _FORMS.clear()
        _FORMS[key] = _form(data)[0]
    return _FORMS[key]


def _alike(data: xr.Dataset) -> tuple[object, ...]:
    """All of a Dataset but its numbers and the attributes of the whole."""
    variables = (
        (name, part.dims, part.shape, part.dtype.str, *map(_fixed, part.attrs.items()))
        for name, part in data.variables.items()
    )
    return (*data.sizes.items(), frozenset(data.coords), *variables)


def _fixed(attr: tuple[str, object]) -> tuple[object, ...]:
    """An attribute, as it can be compared."""
    key, value = attr
    if isinstance(value, str):
        return attr
    array = np.asarray(value)
    return key, array.dtype.str, array.shape, array.tobytes()


def _form(data: xr.Dataset) -> tuple[Form, Variables, Data]:
    """A form, with the variables and attributes that fill it."""
    variables, attrs = xr.conventions.cf_encoder(*xr.conventions.encode_dataset_coordinates(data))
    _check(variables)
    compressed = data.nbytes > SMALL
    with h5py.File("form", "w", driver="core", backing_store=False, track_order=True) as file:
        scales = {
            dim: _make_scale(file, str(dim), size, variables.get(dim))
            for dim, size in data.sizes.items()
        }
        for name, variable in variables.items():
            if name not in data.sizes:
                made = _make(file, str(name), variable, compressed=compressed)
                _attach(made, [scales[dim] for dim in variable.dims])
        file.flush()
        image = file.id.get_file_image()
        by_name = {str(name): _place(file[str(name)]) for name in variables}
    places = [place for place in by_name.values() if place]
    behind = [place for place in places if place.name not in data.sizes]
    others = [name for name, place in by_name.items() if not place]
    listed = b"" if others else cell_trailer.places_text(behind)
    return Form(image, places, others, listed), variables, attrs


def _place(stored: h5py.Dataset) -> cell_trailer.Place | None:
    """Where the numbers of a variable are; None where they do not stand there as they are."""
    offset = stored.id.get_offset() if stored.size else 0
    if offset is None or stored.dtype.kind not in "iuf":
        return None
    return cell_trailer.Place(stored.name[1:], stored.dtype.str, stored.shape, offset)


def _filled(form: Form, variables: Variables, attrs: Mapping[str, object]) -> bytes:
    """A form with numbers and texts, and behind it the seal."""
    with h5py.File(h5py.h5f.open_file_image(form.image, flags=WRITABLE)) as file:
        _write_attrs(file, {**attrs, SEALED: cell_trailer.MARK.decode()})
        for name in form.others:
            values = variables[name].values
            file[name][...] = values.astype(object) if values.dtype.kind == "U" else values
        file.flush()
        content = bytearray(file.id.get_file_image())
    for place in form.places:
        numbers = variables[place.name].values.tobytes()
        content[place.offset : place.offset + len(numbers)] = numbers
    index = cell_trailer.index(form.listed, attrs) if form.listed else b""
    return cell_trailer.sealed(bytes(content), index)


def _check(variables: Mapping[str, xr.Variable]) -> None:
    for name, variable in variables.items():
        if "/" in name:
            raise ValueError(f"expected names without '/' in what a cell records, got {name!r}")
        if variable.dtype.kind not in "iufOU":
            text = f"expected numbers or texts in what a cell records, {name} is of {variable.dtype}"
            raise TypeError(text)


def _make_scale(file: h5py.File, dim: str, size: int, variable: xr.Variable | None) -> h5py.Dataset:
    """A dim, with its labels where it has some."""
    if variable is None:
        scale = file.create_dataset(dim, (size,), ">f4", **_growing((size,)))
        scale.make_scale(f"{NO_VARIABLE}{size:10}")
        return scale
    scale = _make(file, dim, variable)
    scale.make_scale(dim)
    return scale


def _attach(made: h5py.Dataset, scales: Iterable[h5py.Dataset]) -> None:
    """Say the dims of a variable."""
    for axis, scale in enumerate(scales):
        h5py.h5ds.attach_scale(made.id, scale.id, axis)


def _make(
    file: h5py.File, name: str, variable: xr.Variable, *, compressed: bool = False
) -> h5py.Dataset:
    """A variable; it has its numbers already where they stand in the file as they are."""
    texts = variable.dtype.kind in "OU"
    compressed = compressed and variable.nbytes >= LARGE
    filters = {"compression": "gzip", "compression_opts": 1} if compressed else {}
    made = file.create_dataset(
        name,
        variable.shape,
        TEXT if texts else variable.dtype,
        data=None if texts or compressed else variable.values,
        **filters,
        **_growing(variable.shape),
    )
    _write_attrs(made, {key: attr for key, attr in variable.attrs.items() if key != "_FillValue"})
    return made


def _growing(shape: tuple[int, ...]) -> Data:
    """A dim of no length is in NetCDF one that may grow."""
    return {} if all(shape) else {"maxshape": tuple(size or None for size in shape)}


def _write_attrs(owner: h5py.File | h5py.Dataset, attrs: Mapping[str, object]) -> None:
    for key, value in attrs.items():
        if isinstance(value, str):
            owner.attrs[key] = value
            continue
        array = np.atleast_1d(np.asarray(value))
        owner.attrs[key] = array.astype(TEXT) if array.dtype.kind == "U" else array


# reading ----------------------------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """What a Dataset of many cells takes of one."""

    variables: dict[str, np.ndarray]  # without dims
    attrs: Data


def numbers(path: Path) -> Numbers:
    """The variables of a cell's file, texts among them, and its attributes.

    Of a small file in a tenth of the time that `read` takes.

    Raises:
        Damaged: the file is not what was written.
    """
    parts = _whole(path)
    if parts.listed:
        places, attrs = parts.listed
        return Numbers(cell_trailer.numbers(parts.content, places), cell_trailer.attributes(attrs))
    with opened(path) as file:
        variables = {name: part[()] for name, part in file.items() if not part.is_scale}
        return Numbers(variables, _attrs(file))


def read(path: Path) -> xr.Dataset:
    """The Dataset of a cell's file, in memory.

    Raises:
        Damaged: the file is not what was written.
    """  # noqa: DOC502
    with opened(path) as file:
        stored = dict(file.items())
        dims = {_address(part.id): name for name, part in stored.items() if part.is_scale}
        arrays = {
            name: _array(name, part, dims) for name, part in stored.items() if not _only_a_dim(part)
        }
        attrs = _attrs(file)
    listed = [own.pop("coordinates", "") for own in (attrs, *(a.attrs for a in arrays.values()))]
    coords = {name for text in listed for name in text.split()}
    return xr.Dataset(arrays, attrs=attrs).set_coords(coords)


def _only_a_dim(stored: h5py.Dataset) -> bool:
    return stored.is_scale and stored.attrs["NAME"].startswith(NO_VARIABLE.encode())


def _array(name: str, stored: h5py.Dataset, dims: Mapping[int, str]) -> xr.Variable:
    values = stored.asstr()[()] if stored.dtype.kind == "O" else stored[()]
    return xr.Variable(_dims(name, stored, dims), values, _attrs(stored))


def _dims(name: str, stored: h5py.Dataset, dims: Mapping[int, str]) -> tuple[str, ...]:
    if stored.is_scale:
        return (name,)
    lists = stored.attrs.get("DIMENSION_LIST", ())
    return tuple(dims[_address(h5py.h5r.dereference(scales[0], stored.id))] for scales in lists)


def _address(stored: h5py.h5d.DatasetID) -> int:
    """Where it is in its file; to ask HDF5 for the name of what a reference leads to is slow."""
    return h5py.h5o.get_info(stored).addr


def _attrs(owner: h5py.File | h5py.Dataset) -> Data:
    """The attributes but for those of the format, which are not read."""
    return {
        key: _plain(owner.attrs[key])
        for key in owner.attrs
        if key not in OF_THE_FORMAT and not key.startswith("_")
    }


def _plain(value: object) -> object:
    """A number in place of an array of one."""
    return value[0] if isinstance(value, np.ndarray) and value.size == 1 else value
