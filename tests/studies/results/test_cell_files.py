"""A cell's file: xarray reads the same from it, and we the same from one that xarray wrote."""

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
    texts = {name: data[name].astype(object) for name in ("words", "source")}
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


def one_bit_turned(content, place):
    changed = bytearray(content)
    changed[place] ^= 1 << place % 8
    return bytes(changed)


@pytest.mark.parametrize("damage", [zeroed, lambda content: content[:-1000], lambda content: b""])
def test_what_is_cut_short_is_refused_and_named(path, damage):
    cell_files.write(DATA, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        cell_files.Damaged, match="cell.nc: expected what was written there, got a damaged"
    ):
        cell_files.read(path)
    assert not cell_files.is_whole(path)


def test_no_bit_that_turns_changes_a_number(path):
    """One in every part of the file: it is refused, or, in the mark of the seal alone, changes nothing."""
    cell_files.write(DATA, path)
    content = path.read_bytes()
    mark = len(content) - cell_files.SEAL
    taken = []
    for place in [*range(0, len(content), 97), *range(mark, len(content))]:
        path.write_bytes(one_bit_turned(content, place))
        if cell_files.is_whole(path):
            taken.append(place)
    assert taken == []
