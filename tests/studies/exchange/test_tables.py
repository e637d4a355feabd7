"""Tables and NetCDF: every number of the study is in them, at its place."""

import csv
import importlib.util
import json

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from studies.exchange import export_csv, export_netcdf, export_parquet, hits_frame, to_frame
from studies.exchange.tables import frames


def rows_of_an_arm(study):
    return study.sizes["replicate"] * study.sizes["checkpoint"]


def without_pyarrow(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "pyarrow" else real(name, *rest),
    )


def assert_written(path, frame):
    """What a file says, word by word, is what stands in a frame."""
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == frame.columns.tolist()
    for name, texts in zip(head, zip(*rows, strict=True), strict=True):
        values = frame[name].tolist()
        if isinstance(values[0], str):
            assert list(texts) == values
        else:
            np.testing.assert_array_equal([float(text or "nan") for text in texts], values)


class TestFrames:
    def test_have_a_row_for_every_record(self, study):
        frame = to_frame(study)
        assert len(frame) == study["loss"].size
        assert frame.columns[:4].tolist() == ["landscape", "optimizer", "replicate", "checkpoint"]
        row = frame.iloc[12_34 % len(frame)]
        there = study.sel(
            landscape=row["landscape"],
            optimizer=row["optimizer"],
            replicate=row["replicate"],
            checkpoint=row["checkpoint"],
        )
        for name in ("loss", "cost", "instance", "value_terms", "status"):
            np.testing.assert_equal(row[name], there[name].item())
        assert row["state"] == study["status"].attrs["flag_meanings"].split()[row["status"]]

    def test_at_the_end_have_one_for_every_world(self, study):
        frame = to_frame(study, at="end")
        assert len(frame) == 4 * 3 * 10
        np.testing.assert_array_equal(frame["loss"], study["loss"].isel(checkpoint=-1).values.ravel())

    def test_of_hits_name_the_target(self, study):
        frame = hits_frame(study)
        np.testing.assert_array_equal(frame["hit_cost"], study["hit_cost"].values.ravel())
        assert frame["target_loss"][:6].tolist() == study["target_loss"].values.tolist()

    def test_of_parts_make_up_the_whole(self, study):
        parts = list(frames(study, rows=rows_of_an_arm(study)))
        assert len(parts) == 12
        assert all(len(a) == 10 * study.sizes["checkpoint"] for a, _ in parts)
        pd.testing.assert_frame_equal(
            pd.concat([a for a, _ in parts], ignore_index=True), to_frame(study)
        )
        pd.testing.assert_frame_equal(
            pd.concat([b for _, b in parts], ignore_index=True), hits_frame(study)
        )

    def test_of_parts_may_be_of_a_world_each(self, study):
        alone = study.isel(landscape=[2], optimizer=[0])
        parts = [records for records, _ in frames(alone, rows=study.sizes["checkpoint"])]
        assert [len(part["replicate"].unique()) for part in parts] == [1] * 10

    def test_of_parts_hold_as_many_worlds_as_fit(self, study):
        alone = study.isel(landscape=[2], optimizer=[0])
        parts = list(frames(alone, rows=4 * study.sizes["checkpoint"] + 1))
        assert [len(records["replicate"].unique()) for records, _ in parts] == [4, 4, 2]
        whole = pd.concat([records for records, _ in parts], ignore_index=True)
        pd.testing.assert_frame_equal(whole, to_frame(alone))

    def test_of_a_large_study_load_one_part_at_a_time(self, study):
        chunked, loaded = study.chunk(landscape=1, optimizer=1), []

        class Watch(dask.callbacks.Callback):
            def _pretask(self, key, dsk, state):
                loaded.append(key)

        with Watch():
            parts = frames(chunked, rows=rows_of_an_arm(study))
            next(parts)
            first = len(loaded)
            list(parts)
        assert 0 < first <= len(loaded) / 6

    def test_refuse_other_times_and_other_data(self, study):
        with pytest.raises(ValueError, match="at: expected checkpoint or end, got 'begin'"):
            to_frame(study, at="begin")
        with pytest.raises(ValueError, match="expected a study's results with loss"):
            to_frame(study[["hit_cost"]])


class TestFiles:
    @pytest.mark.parametrize("arrow", [True, False])
    def test_csv(self, study, tmp_path, monkeypatch, arrow):
        if not arrow:
            without_pyarrow(monkeypatch)
        export_csv(study, tmp_path / "out", rows=rows_of_an_arm(study))
        assert_written(tmp_path / "out/records.csv", to_frame(study))
        assert_written(tmp_path / "out/hits.csv", hits_frame(study))
        assert json.loads((tmp_path / "out/study.json").read_text())["config"] == json.loads(
            study.attrs["config"]
        )

    @pytest.mark.parametrize("arrow", [True, False])
    def test_csv_of_odd_labels_and_numbers(self, study, tmp_path, monkeypatch, arrow):
        if not arrow:
            without_pyarrow(monkeypatch)
        odd = study.isel(landscape=[2, 0]).assign_coords(landscape=['a "b", c', "None\n"])
        odd["loss"][0, 0, 0, :5] = [np.inf, -np.inf, np.nan, 5e-324, 0.1 + 0.2]
        export_csv(odd, tmp_path / "out", rows=rows_of_an_arm(odd))
        assert_written(tmp_path / "out/records.csv", to_frame(odd))

    def test_parquet(self, study, tmp_path):
        study = study.isel(landscape=[2])
        export_parquet(study, tmp_path / "out", rows=120)  # world by world
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "out/records.parquet"), to_frame(study), check_dtype=False
        )
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "out/hits.parquet"), hits_frame(study), check_dtype=False
        )

    def test_parquet_says_what_to_install(self, study, tmp_path, monkeypatch):
        without_pyarrow(monkeypatch)
        with pytest.raises(
            ValueError, match=r"parquet needs pyarrow: pip install two-descents\[parquet\]"
        ):
            export_parquet(study, tmp_path / "out")

    @pytest.mark.parametrize("chunks", [pytest.param(None, marks=pytest.mark.verify), {"landscape": 1}])
    def test_netcdf_opens_equal(self, study, tmp_path, chunks):
        odd = study.assign_attrs(flag=True, nothing=None, nested={"a": [1, 2]})
        (path,) = export_netcdf(odd.chunk(chunks) if chunks else odd, tmp_path / "out")
        assert path.name == "exchanged.nc"
        with xr.open_dataset(path) as back:
            xr.testing.assert_equal(back, study)
            assert back.attrs["config"] == study.attrs["config"]
            assert (back.attrs["flag"], back.attrs["nested"], "nothing" in back.attrs) == (
                "true",
                '{"a": [1, 2]}',
                False,
            )
            assert back["loss"].attrs == study["loss"].attrs
        assert (odd.attrs["flag"], odd.attrs["nothing"]) == (True, None), (
            "the Dataset given is not changed"
        )

    def test_a_failure_leaves_nothing_behind(self, study, tmp_path):
        with pytest.raises(ValueError, match="expected a study's results with loss"):
            export_csv(study[["hit_cost"]], tmp_path / "out")
        assert not list(tmp_path.iterdir())
