"""The command line: what it writes, and one line and exit code 2 where something is wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from studies import exchange, open_study
from studies.exchange import __main__ as command
from studies.exchange.folders import safe

ROOT = Path(exchange.__file__).parent


@pytest.fixture(scope="module")
def small(study):
    """The results on one landscape."""
    return study.isel(landscape=[2])


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    """A folder that holds them."""
    out = tmp_path_factory.mktemp("small")
    small.assign_attrs(view="a test's").to_zarr(out / "dataset.zarr", zarr_format=3, consolidated=False)
    return out


@pytest.mark.parametrize("kind", ["coco", "ioh", "csv", "parquet", "netcdf"])
def test_exports(folder, tmp_path, capsys, kind):
    assert command.main(["export", str(folder), "--to", kind, "--out", str(tmp_path / "out")]) == 0
    written = capsys.readouterr().out.splitlines()
    assert written
    assert all(Path(path).exists() for path in written)


@pytest.mark.parametrize("kind", ["coco", "ioh"])
def test_imports_what_it_exported(folder, small, tmp_path, kind):
    assert (
        command.main([
            "export",
            str(folder),
            "--to",
            kind,
            "--out",
            str(tmp_path / "out"),
            "--point",
            "best",
        ])
        == 0
    )
    assert (
        command.main([
            "import",
            str(tmp_path / "out"),
            "--from",
            kind,
            "--like",
            str(folder),
            "--out",
            str(tmp_path / "results"),
        ])
        == 0
    )
    back = open_study(tmp_path / "results")
    np.testing.assert_array_equal(
        back["best_hit_cost"].sel(optimizer=small["optimizer"].values), small["best_hit_cost"]
    )
    assert exchange.beside(small, back.assign_coords(optimizer=["a", "b", "c"])).sizes["optimizer"] == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "no", "--to", "csv", "--out", "{out}"], "expected a study's folder"),
        (
            ["import", "no", "--from", "ioh", "--out", "{out}"],
            "no: expected a folder, a file or an archive, found nothing",
        ),
        (["import", "{here}", "--from", "coco", "--out", "{out}"], "expected COCO's files"),
        (
            ["import", "{here}", "--from", "coco", "--like", "no", "--out", "{out}"],
            "expected a study's folder",
        ),
    ],
)
def test_says_what_is_wrong_in_one_line(tmp_path, capsys, words, message):
    (tmp_path / "here").mkdir()
    words = [word.format(out=tmp_path / "out", here=tmp_path / "here") for word in words]
    assert command.main(words) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert message in told.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words", [[], ["export", "x", "--to", "word", "--out", "y"], ["import", "x", "--out", "y"]]
)
def test_wrong_arguments(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(words)
    assert capsys.readouterr().err.count("\n") == 1


def test_help_needs_nothing():
    """That no module of the room needs torch is a test of the house."""
    code = (
        "import sys, runpy; sys.argv = ['x', '--help']\ntry: runpy.run_module('studies.exchange',"
        " run_name='__main__')\nexcept SystemExit: pass\n"
        "assert not {'torch', 'xarray', 'numpy', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_names_of_files_are_safe_and_different():
    taken = set()
    assert [safe(label, taken) for label in ("SGD, rate = 0.1", "SGD  rate:0.1", "sgd_rate_0.1", "..")] == [
        "SGD_rate_0.1", "SGD_rate_0.1_2", "sgd_rate_0.1_3", "unnamed"]  # fmt: skip


def test_everything_promised_is_there():
    assert all(callable(getattr(exchange, name)) for name in exchange.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        exchange.nothing  # noqa: B018
