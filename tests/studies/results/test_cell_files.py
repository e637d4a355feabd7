"""A cell's file: xarray reads the same from it, and we the same from one that xarray wrote."""

import contextlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from studies.results import cell_files

DATA = xr.Dataset(
    {
        "loss": (("replicate", "checkpoint"), [[1.5, np.nan], [-np.inf, 4.0]], {"units": "loss"}),
        "status": ("replicate", np.array([1, 3], np.int8), {"flag_values": np.array([1, 3], np.int8)}),
        "hits": (("target", "replicate"), np.zeros((0, 2)), {"long_name": "no target, so none"}),
        "share": (("source", "replicate"), [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
        "alone": ((), 7.0),
        "words": ("replicate", ["längs", "quer"]),
    },
    {
        "replicate": [2, 3],
        "source": ["batch", "mutation", "drift"],
        "cost": ("checkpoint", [10.0, 20.0], {"units": "evaluations"}),
        "target_loss": ("target", np.zeros(0)),
    },
    {"terms": 4, "spacing": 0.25, "profile": '{"ask": 1.0}', "kinds": ["nk", "quadratic"]},
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cell.nc"


def plain(data):
    """Texts as objects, and attributes of several places as lists, whoever read them."""
    lists = {key: np.asarray(value).tolist() for key, value in data.attrs.items()}
    texts = {name: data[name].astype(object) for name in ("words", "source") if name in data}
    return data.assign(texts).assign_attrs(lists)


def test_a_dataset_comes_back_whole(path):
    cell_files.write(DATA, path)
    xr.testing.assert_identical(plain(cell_files.read(path)), plain(DATA))
    assert cell_files.read(path)["status"].dtype == np.int8


def test_xarray_reads_it(path):
    cell_files.write(DATA, path)
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert data.attrs.pop(cell_files.SEALED)
        xr.testing.assert_identical(plain(data.load()), plain(DATA))


def test_files_of_xarray_are_read(path):
    """So were cells of earlier releases written."""
    encoding = {name: {"zlib": True, "complevel": 1} for name in DATA.data_vars}
    DATA.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    xr.testing.assert_identical(plain(cell_files.read(path)), plain(DATA))


@pytest.fixture
def built(monkeypatch):
    """How many forms were made since."""
    made, form = [], cell_files._form
    monkeypatch.setattr(cell_files, "_FORMS", {})
    monkeypatch.setattr(cell_files, "_form", lambda data: made.append(1) or form(data))
    return made


NUMBERS = DATA.drop_vars(["words", "source"])


def another(data, factor):
    """The same with other numbers."""
    numbers = {name: (factor * part.values).astype(part.dtype) for name, part in data.items()}
    return data.copy(data=numbers).assign_attrs(terms=7, profile='{"ask": 22222222222222.0}')


@pytest.mark.parametrize("size", [1, 5000])
def test_alike_cells_fill_the_same_form(path, built, size):
    """Small ones, and large ones, whose numbers are compressed to other lengths."""
    data = NUMBERS.isel(replicate=np.arange(size) % 2)
    noise = np.random.default_rng(1).normal(size=data["loss"].shape)
    for given in (data, another(data, 3), data.assign(loss=data["loss"].copy(data=noise)), data):
        cell_files.write(given, path)
        xr.testing.assert_identical(plain(cell_files.read(path)), plain(given))
        with xr.open_dataset(path, engine="h5netcdf") as read:
            xr.testing.assert_identical(
                plain(read.load().drop_attrs(deep=False)), plain(given.drop_attrs(deep=False))
            )
    assert len(built) == 1


OTHERS = {
    "dtype": NUMBERS.assign(loss=NUMBERS["loss"].astype(np.float32)),
    "shape": NUMBERS.isel(replicate=[0]),
    "attribute": NUMBERS.assign(share=NUMBERS["share"].assign_attrs(units="1")),
    "array": NUMBERS.assign(
        status=NUMBERS["status"].assign_attrs(flag_values=np.array([1, 2], np.int8))
    ),
    "coordinate": NUMBERS.set_coords("alone"),
    "dims": NUMBERS.assign(alone=("replicate", [1.0, 2.0])),
    "name": NUMBERS.rename(alone="single"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_differs_in_more_than_numbers_has_a_form_of_its_own(path, built, other):
    cell_files.write(NUMBERS, path)
    cell_files.write(OTHERS[other], path)
    assert len(built) == 2
    xr.testing.assert_identical(plain(cell_files.read(path)), plain(OTHERS[other]))


@pytest.mark.parametrize("data", [NUMBERS, DATA, NUMBERS.isel(replicate=np.arange(9000) % 2)])
def test_numbers_are_those_of_the_file_without_dims(path, data):
    """By the index of a small file of numbers alone, or else by HDF5."""
    cell_files.write(data, path)
    read = cell_files.numbers(path)
    whole = cell_files.read(path)
    assert read.variables.keys() == set(whole.variables) - set(whole.dims)
    for name, values in read.variables.items():
        if values.dtype.kind != "O":
            np.testing.assert_array_equal(values, whole[name].values, strict=True)
    assert {
        key: np.asarray(value).tolist() for key, value in read.attrs.items() if key != cell_files.SEALED
    } == plain(whole).attrs


def test_small_files_are_read_without_hdf5(path, monkeypatch):
    cell_files.write(NUMBERS, path)
    monkeypatch.setattr(cell_files, "h5py", None)
    assert cell_files.is_whole(path)
    assert cell_files.numbers(path).variables["loss"][1, 1] == 4.0
    with pytest.raises(ValueError, match="read-only"):
        cell_files.numbers(path).variables["loss"][1, 1] = 5.0


def test_large_variables_are_compressed(path):
    many = xr.Dataset({"loss": (("replicate", "checkpoint"), np.tile(np.arange(1000.0), (100, 1)))})
    cell_files.write(many, path)
    xr.testing.assert_identical(cell_files.read(path), many)
    assert Path(path).stat().st_size < 100 * 1000
    with h5py.File(path) as file:
        assert file["loss"].compression == "gzip"


def test_a_name_that_would_be_a_folder_is_one_line(path):
    with pytest.raises(
        ValueError, match="expected names without '/' in what a cell records, got 'a/b'"
    ):
        cell_files.write(DATA.rename(share="a/b"), path)
    assert not path.exists()


# damage -----------------------------------------------------------------------------------------------------


def zeroed(content):
    """As a disk gives it back that lost the end of a file."""
    half = len(content) // 2
    return content[:half] + bytes(len(content) - half)


def one_bit_turned(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def is_taken(path):
    """Whether any reader takes a file."""
    readers = (cell_files.read, cell_files.numbers)
    taken = cell_files.is_whole(path)
    for reader in readers:
        with contextlib.suppress(cell_files.Damaged):
            reader(path)
            taken = True
    return taken


@pytest.mark.parametrize("damage", [zeroed, lambda content: content[:-1000], lambda content: b""])
@pytest.mark.parametrize("data", [DATA, NUMBERS])
def test_what_is_cut_short_is_refused_and_named(path, damage, data):
    cell_files.write(data, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        cell_files.Damaged, match="cell.nc: expected what was written there, got a damaged"
    ):
        cell_files.read(path)
    assert not cell_files.is_whole(path)


@pytest.mark.parametrize("data", [DATA, NUMBERS])
def test_no_bit_that_turns_changes_a_number(path, data):
    """One in each 64 bytes of the file, and all of its last 64 bytes: the length of an index, and the seal."""
    cell_files.write(data, path)
    content = path.read_bytes()
    bits = 8 * len(content)
    taken = []
    for bit in [*range(0, bits, 521), *range(bits - 8 * 64, bits)]:
        path.write_bytes(one_bit_turned(content, bit))
        if is_taken(path):
            taken.append(bit)
    assert taken == []
