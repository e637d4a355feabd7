"""Figures along other clocks than cost: the same worlds, where steps or virtual time show them."""

import numpy as np
import pytest
import xarray as xr

from studies.analysis.running_time import runtime
from studies.analysis.running_time.profiles import profile as of_profiles
from studies.analysis.running_time.tables import fixed_target
from studies.figures.__main__ import main
from studies.figures.convergence import convergence
from studies.figures.ecdf import curves, ecdf
from studies.figures.profile import profile
from studies.report.tables import number, running_time
from studies.study_file.study import StudyError
from tests.studies.figures.test_convergence import COST, arm, study
from tests.studies.study_file.test_checkpoints import read, results

SEVERAL = {
    "GD": {"kind": "sgd", "learning_rate": 0.1, "budget": {"steps": 30}},
    "GA": {"kind": "ga", "population": 20},
}
CLOCKS = {"cost": "cost (evaluations)", "steps": "steps", "epochs": "epochs"}


def line(figure, label):
    """The line of an arm on the only panel."""
    return next(one for one in figure.axes[0].lines if one.get_label() == label)


class TestConvergence:
    def test_losses_lie_at_the_steps_of_their_states(self):
        """50 and 10 steps on the way to a cost of 100."""
        losses = np.geomspace(10, 0.1, 6)
        data = study(fast=arm(losses), slow=arm(losses, steps=10))
        drawn = convergence(data, clock="steps")
        np.testing.assert_allclose(line(drawn, "fast").get_xdata(), COST / 2)
        np.testing.assert_allclose(line(drawn, "slow").get_xdata(), COST / 10)
        np.testing.assert_allclose(line(drawn, "fast").get_ydata(), losses)
        assert drawn.axes[0].get_xlabel() == "steps"

    def test_a_state_before_the_first_step_has_no_place_on_a_log_axis(self):
        data = study(idle=arm(np.geomspace(10, 0.1, 6), steps=2))  # 0, 0, 1, 1, 2, 2
        assert line(convergence(data, clock="steps"), "idle").get_xdata().tolist() == [1, 1, 2, 2]

    def test_worlds_whose_seconds_differ_are_at_their_median(self):
        """Four of nine worlds are in a cell that takes 7 times as long for each step."""
        losses = np.geomspace(10, 0.1, 6)
        data = study(GD=arm(losses, [100.0] * 9))
        slow = xr.DataArray([1.0] * 5 + [7.0] * 4, dims="replicate")
        data["seconds"] = (slow * xr.DataArray(COST / 100, dims="checkpoint")).broadcast_like(
            data["loss"]
        )
        drawn = convergence(data, clock="seconds")
        np.testing.assert_allclose(line(drawn, "GD").get_xdata(), COST / 100)

    def test_a_method_without_the_clock_is_left_out(self):
        losses = np.geomspace(10, 0.1, 6)
        data = study(workers=arm(losses), GD=arm(losses))
        time = xr.DataArray(COST / 5, dims="checkpoint").broadcast_like(data["loss"])
        data["virtual_time"] = time.where(data["optimizer"] == "workers")
        drawn = convergence(data, clock="virtual_time")
        assert [one.get_label() for one in drawn.axes[0].lines] == ["workers"]
        np.testing.assert_allclose(line(drawn, "workers").get_xdata(), COST / 5)

    def test_a_clock_that_nobody_has_is_told(self):
        with pytest.raises(ValueError, match="no virtual time"):
            convergence(study(GD=arm(1.0)), clock="virtual_time")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two methods of 33 and 5 steps, with targets; worlds share instances, of which there is one."""
    found = results(tmp_path_factory.mktemp("cells"), targets=[2.0, 0.5], instances=1)
    return found.expand_dims(landscape=["bowl"])


@pytest.mark.parametrize("clock", CLOCKS)
class TestOfTargets:
    def test_the_distribution_is_that_of_the_clock(self, data, clock):
        one = data.isel(landscape=0)
        told = curves(one, clock=clock)
        wanted = runtime.ecdf(one, told["cost"].fillna(0.0), clock=clock)["solved"]
        there = told["cost"].notnull()
        xr.testing.assert_allclose(
            told["solved"].where(there), wanted.reset_coords(drop=True).where(there)
        )
        end = {"cost": 100, "steps": 33, "epochs": 33}[clock]
        assert told["cost"].sel(optimizer="GD").max() == end

    def test_axes_say_which(self, data, clock):
        assert CLOCKS[clock] in {axes.get_xlabel() for axes in ecdf(data, clock=clock).axes}
        drawn = profile(data, clock=clock)
        assert drawn.axes[0].get_xlabel() == f"{clock} over the least {clock} of any optimizer"
        told = of_profiles(data, clock=clock)
        for name in told["optimizer"].values.tolist():
            np.testing.assert_allclose(
                line(drawn, name).get_ydata(), told["profile"].sel(optimizer=name)
            )


def test_a_study_and_a_command_may_ask_for_a_clock(tmp_path, capsys):
    asked = [{"convergence": {"clock": "steps"}}, "ecdf"]
    study_of = read(targets=[0.5], figures=asked)
    assert study_of.figures == asked
    with pytest.raises(StudyError, match="did you mean 'steps'?"):
        read(targets=[0.5], figures=[{"ecdf": {"clock": "stpes"}}])
    with pytest.raises(StudyError, match="ecdf shows the `targets` of a study"):
        read(figures=[{"ecdf": {"clock": "steps"}}])
    results(tmp_path, targets=[0.5]).assign_attrs(view="a test's").expand_dims(
        landscape=["bowl"]
    ).to_zarr(tmp_path / "dataset.zarr", zarr_format=3, consolidated=False)
    assert (
        main([str(tmp_path / "dataset.zarr"), "convergence", "--clock", "steps", "--format", "png"])
        == 0
    )
    assert (tmp_path / "figures" / "convergence.png").exists()
    assert main([str(tmp_path / "dataset.zarr"), "convergence", "--clock", "stpes"]) == 2
    assert capsys.readouterr().err == (
        "convergence: --clock: expected 'cost', 'steps', 'epochs', 'virtual_time' or 'seconds', got 'stpes';"
        " did you mean 'steps'?\n"
    )


@pytest.mark.parametrize(
    ("changes", "unit", "clock"),
    [
        ({}, "evaluations at the nominal price of a gradient", "cost"),
        ({"budget": {"steps": 30}}, "steps", "steps"),
        ({"optimizers": SEVERAL}, "evaluations at the nominal price of a gradient", "cost"),
    ],
)
def test_the_running_times_of_a_report_are_on_the_clock_of_the_budgets(tmp_path, changes, unit, clock):
    """Of several clocks cost is the one that all arms have."""
    told = results(tmp_path, targets=[2.0], **changes).expand_dims(landscape=["bowl"])
    table = running_time(told)
    assert table.notes[0] == f"In {unit}; ∞: never seen."
    wanted = fixed_target(told.isel(landscape=0), clock=clock)["ert"].sel(optimizer="GD").item()
    row = next(row for row in table.rows if row[1].text == "GD")
    assert row[3].text == number(wanted).text
