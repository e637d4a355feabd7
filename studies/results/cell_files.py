"""A cell's file: NetCDF-4, written and read through h5py, and sealed.

What NetCDF-4 asks of an HDF5 file: each dim is a dimension scale, which variables name
(docs.unidata.ucar.edu/netcdf-c, "NetCDF-4 Format"); xarray opens these files too. Through xarray and h5netcdf
a cell of sixty variables took longer to write, and to read, than many a search takes to run.

Behind the bytes of the format, where its readers look for nothing, stands their digest, the seal: a file that
is cut short, or in which a bit has turned, is refused, and is never read as other numbers. Files of earlier
releases have none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from studies.text.shapes import Data

# files are renamed into place, and cluster file systems lock badly
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."  # the words of the format
OF_THE_FORMAT = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS"}
TEXT = h5py.string_dtype()
LARGE = 2048  # bytes: what is less takes more of them when it is compressed
SEALED = "_sealed"  # attribute of a file that has a seal
MARK = b"sha256:"
SEAL = len(MARK) + hashlib.sha256().digest_size  # bytes
AGAIN = "run the study again, which computes the cell anew"


class Damaged(ValueError):
    """A file that is not what was written; the text is one line for the user."""


# the seal ---------------------------------------------------------------------------------------------------


def _seal(content: bytes) -> bytes:
    return MARK + hashlib.sha256(content).digest()


def is_whole(path: Path) -> bool:
    """Whether a file is what was written; of one without a seal, whether it can be opened."""
    try:
        with opened(path):
            return True
    except Damaged:
        return False


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, read into memory once, where it is what was written.

    Raises:
        Damaged: it is not.
    """
    stored = path.read_bytes()
    content, seal = stored[:-SEAL], stored[-SEAL:]
    sealed = seal.startswith(MARK)
    if sealed and seal != _seal(content):
        raise Damaged(_damaged(path, "its seal is that of other bytes"))
    try:
        file = h5py.File(h5py.h5f.open_file_image(content if sealed else stored))
    except (OSError, ValueError) as error:
        raise Damaged(_damaged(path, str(error))) from error
    with file:
        if SEALED in file.attrs and not sealed:
            raise Damaged(_damaged(path, "its seal is gone"))
        yield file


def _damaged(path: Path, why: str) -> str:
    return f"{path}: expected what was written there, got a damaged file ({why}); {AGAIN}"


# writing ----------------------------------------------------------------------------------------------------


def write(data: xr.Dataset, path: Path) -> None:
    """Write a Dataset of numbers and texts, its large variables compressed.

    Raises:
        ValueError: a name with `/`, which in such a file is a folder.
        TypeError: what is no number or text, such as a complex number.
    """
    variables, attrs = xr.conventions.cf_encoder(*xr.conventions.encode_dataset_coordinates(data))
    _check(variables)
    with h5py.File(path.name, "w", driver="core", backing_store=False, track_order=True) as file:
        _write_attrs(file, attrs | {SEALED: MARK.decode()})
        scales = {
            dim: _write_scale(file, str(dim), size, variables.get(dim))
            for dim, size in data.sizes.items()
        }
        for name, variable in variables.items():
            if name not in data.sizes:
                _write_variable(file, str(name), variable, [scales[dim] for dim in variable.dims])
        file.flush()
        content = file.id.get_file_image()
    path.write_bytes(content + _seal(content))


def _check(variables: Mapping[str, xr.Variable]) -> None:
    for name, variable in variables.items():
        if "/" in name:
            raise ValueError(f"expected names without '/' in what a cell records, got {name!r}")
        if variable.dtype.kind not in "iufOU":
            text = f"expected numbers or texts in what a cell records, {name} is of {variable.dtype}"
            raise TypeError(text)


def _write_scale(file: h5py.File, dim: str, size: int, variable: xr.Variable | None) -> h5py.Dataset:
    """A dim, with its labels where it has some."""
    if variable is None:
        scale = file.create_dataset(dim, (size,), ">f4", **_growing((size,)))
        scale.make_scale(f"{NO_VARIABLE}{size:10}")
        return scale
    scale = _create(file, dim, variable)
    scale.make_scale(dim)
    return scale


def _write_variable(
    file: h5py.File, name: str, variable: xr.Variable, scales: Iterable[h5py.Dataset]
) -> None:
    created = _create(file, name, variable, compressed=variable.nbytes >= LARGE)
    for axis, scale in enumerate(scales):
        h5py.h5ds.attach_scale(created.id, scale.id, axis)


def _create(
    file: h5py.File, name: str, variable: xr.Variable, *, compressed: bool = False
) -> h5py.Dataset:
    values = variable.values
    texts = values.dtype.kind in "OU"
    filters = {"compression": "gzip", "compression_opts": 1} if compressed else {}
    created = file.create_dataset(
        name,
        data=values.astype(object) if texts else values,
        dtype=TEXT if texts else values.dtype,
        **filters,
        **_growing(values.shape),
    )
    _write_attrs(created, {key: attr for key, attr in variable.attrs.items() if key != "_FillValue"})
    return created


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


def read(path: Path) -> xr.Dataset:
    """The Dataset of a cell's file, in memory.

    Raises:
        Damaged: the file is not what was written.
    """  # noqa: DOC502
    with opened(path) as file:
        stored = dict(file.items())
        dims = {_place(part.id): name for name, part in stored.items() if part.is_scale}
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
    return tuple(dims[_place(h5py.h5r.dereference(scales[0], stored.id))] for scales in lists)


def _place(stored: h5py.h5d.DatasetID) -> int:
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
