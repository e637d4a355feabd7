"""The break-even map and the phase diagram draw the numbers of the analysis."""

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from studies.analysis.comparison.winners import winners
from studies.analysis.price.break_even import break_even as analysis
from studies.figures import style
from studies.figures.break_even import break_even
from studies.figures.break_even import panel as bars
from studies.figures.captions import said
from studies.figures.phase import FAINT, STRONG, diagrams, phase
from studies.figures.phase import cells as draw
from studies.figures.phase import panel as cells
from tests.studies.analysis.test_break_even import study
from tests.studies.analysis.test_outcomes import DONE, FAST, SLOW, both, raced
from tests.studies.analysis.test_winners import LEVELS, made

EVEN = np.exp(np.random.default_rng(2).normal(np.log(4.0), 0.4, 41))


def one():
    return study(EVEN).expand_dims(landscape=["hill"])


class TestBreakEven:
    def test_dots_bars_and_hatches_are_those_of_the_analysis(self):
        told = analysis(one(), "gradient", "value").isel(landscape=0)
        axes = bars(one().isel(landscape=0), Figure().subplots())
        dot = next(line for line in axes.lines if line.get_gid() == "break-even")
        assert dot.get_xdata()[0] == pytest.approx(float(told["break_even"]))
        ends = [
            line.get_xdata()
            for line in axes.lines
            if line.get_color() == "black" and len(line.get_xdata()) == 2
        ][0]
        np.testing.assert_allclose(ends, told["break_even_interval"])
        plain = [bar for bar in axes.patches if not bar.get_hatch()]
        colours = [to_rgb(look["color"]) for look in style.looks(["gradient", "value"]).values()]
        for bar, win in zip(plain, told["win"].values, strict=True):
            strength, ahead = abs(2 * win - 1), colours[int(win < 0.5)]
            np.testing.assert_allclose(
                bar.get_facecolor()[:3], 1 - strength * (1 - np.array(ahead)), atol=1e-9
            )
        hatched = [bar for bar in axes.patches if bar.get_hatch()]
        low, high = told["win_interval"].transpose("bound", "price").values
        undecided = told["price"].values[(low <= 0.5) & (high >= 0.5)]
        assert len(hatched) == 1
        assert (
            hatched[0].get_x()
            < undecided.min()
            < undecided.max()
            < hatched[0].get_x() + hatched[0].get_width()
        )
        assert sum(plain_bar.get_x() >= hatched[0].get_x() - 1e-9 for plain_bar in plain) >= len(
            undecided
        )

    def test_an_interval_that_goes_on_has_an_arrow(self):
        data = study(np.exp(np.random.default_rng(2).normal(np.log(20.5), 0.3, 32)))
        axes = bars(data, Figure().subplots())
        assert [line.get_marker() for line in axes.lines if line.get_marker() in "<>"] == [">"]

    def test_a_row_for_every_value_of_an_axis_that_touches_the_landscape(self):
        data = one().expand_dims(k=[0, 2, 6], other=[1, 2]).copy(deep=True)
        data["loss"].loc[{"k": 6, "optimizer": "value"}] *= 2
        axes = bars(data.isel(landscape=0), Figure().subplots(), 20.0)
        assert [text.get_text() for text in axes.get_yticklabels()] == [
            f"gradient / value, k = {k}" for k in (0, 2, 6)
        ]

    def test_along_an_axis_prices_are_lines_with_ribbons(self):
        """Twice the loss of values makes gradients twice as dear at the break, fifty times at no price."""
        data = one().expand_dims(k=[0, 2, 6], other=[1, 2]).copy(deep=True)
        for k, times in ((2, 2.0), (6, 50.0)):
            data["loss"].loc[{"k": k, "optimizer": "value"}] *= times
        data["loss"].loc[{"other": 2, "optimizer": "value"}] *= 0.5
        figure = break_even(data)
        (axes,) = [axes for axes in figure.axes if axes.lines]
        assert axes.get_xlabel() == "k"
        told = analysis(data, "gradient", "value").isel(landscape=0)
        for other in (1, 2):
            (line,) = [line for line in axes.lines if line.get_label() == f"other = {other}"]
            np.testing.assert_allclose(line.get_ydata(), told["break_even"].sel(other=other))
        step = float(told["price"][1] / told["price"][0])  # known to a cell of prices
        np.testing.assert_allclose(
            told["break_even"].sel(other=1)[:2], np.median(EVEN) * np.array([1, 2]), rtol=step - 1
        )
        (mark, _) = [line for line in axes.lines if line.get_gid() == "first at all prices"]
        assert mark.get_xdata().tolist() == [6]
        assert mark.get_ydata().tolist() == [1.0]
        ribbon = axes.collections[0].get_paths()[0].vertices
        low, high = told["break_even_interval"].sel(other=1, k=2).values
        assert {low, high} <= set(ribbon[ribbon[:, 0] == 2][:, 1])

    def test_rows_below_a_long_title_are_as_high_as_others(self):
        def height(name):
            with rc_context(style.PAPER):
                figure = break_even(one().assign_coords(landscape=[name]), width=style.COLUMN)
                figure.draw_without_rendering()
            return figure.axes[0].get_position().height * figure.get_figheight()

        assert height("a hill with a very long name of a thing") == pytest.approx(
            height("hill"), rel=0.1
        )

    def test_without_rivals_it_says_so(self):
        with pytest.raises(
            ValueError,
            match="break_even: expected two optimizers that use gradients to different parts",
        ):
            break_even(one().sel(optimizer=["gradient"]))


class TestPhase:
    def test_cells_are_the_winners(self):
        data = made(LEVELS)
        axes = cells(data, Figure().subplots())
        told = winners(data)
        drawn = {
            (box.get_x() + 0.5, box.get_y() + 0.5): box
            for box in axes.patches
            if isinstance(box, Rectangle) and box.get_gid() in "ABC"
        }
        hatched = {(box.get_x() + 0.5, box.get_y() + 0.5) for box in axes.patches if box.get_hatch()}
        looks = style.looks(list("ABC"))
        for row, column in np.ndindex(2, 3):
            cell = told.isel(k=row, noise=column)
            box = drawn[(column, row)]
            assert box.get_gid() == cell["winner"]
            part = min(1.0, np.log10(float(cell["lead"])) / 2)  # strong at a hundred times
            strength = FAINT + (STRONG - FAINT) * part
            np.testing.assert_allclose(
                box.get_facecolor()[:3],
                1 - strength * (1 - np.array(to_rgb(looks[cell["winner"].item()]["color"]))),
            )
            assert ((column, row) in hatched) == (not cell["decided"])
        (lines,) = [part for part in axes.collections if part.get_gid() == "boundary"]
        names = ["winner", "decided"]
        won, sure = (told[name].transpose("k", "noise").values.tolist() for name in names)
        pairs = [((row, 0), (row, 1)) for row in (0, 1)]
        pairs += [((row, 1), (row, 2)) for row in (0, 1)]
        pairs += [((0, column), (1, column)) for column in (0, 1, 2)]
        apart = [(won[i][j] != won[k][m]) and sure[i][j] and sure[k][m] for (i, j), (k, m) in pairs]
        assert len(lines.get_paths()) == sum(apart)
        texts = {text.get_text() for text in axes.texts}
        assert {f"{float(lead):.2g}×" for lead in told["lead"].values.ravel() if lead < 10} <= texts
        assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "0.1", "1"]

    @pytest.mark.parametrize(("sure", "number"), [([True, True], 1), ([True, False], 0)])
    def test_a_boundary_stands_between_winners_that_are_told_apart(self, sure, number):
        told = winners(made(LEVELS)).isel(k=[0], noise=[0, 1])
        shape = told["winner"].shape
        told["winner"] = told["winner"].dims, np.array(["A", "B"]).reshape(shape)
        told["decided"] = told["winner"].dims, np.array(sure).reshape(shape)
        axes = draw(told, Figure().subplots(), style.looks(list("ABC")))
        (lines,) = [part for part in axes.collections if part.get_gid() == "boundary"]
        assert len(lines.get_paths()) == number

    def test_a_winner_at_the_precision_is_ahead_by_at_least_so_much_and_equals_tie(self):
        """Medians over 16 worlds, made 0 for A everywhere and for B at the last noise.

        The precision is 0.001.
        """
        data = made([[[0, 0, 0]] * 2, [[0.5, 2, 0]] * 2, [[9, 9, 9]] * 2]).assign_coords(
            precision=0.001
        )
        axes = cells(data, Figure().subplots())
        told = winners(data).isel(k=0)
        assert told["at_least"].values.tolist() == [True, True, False]
        assert told["tied"].values.tolist() == [False, False, True]
        shown = {(text.get_position()): text.get_text() for text in axes.texts}
        lead = float(told["lead"][0])
        rival = (
            data["loss"]
            .isel(checkpoint=-1, k=0, noise=0)
            .sel(optimizer="B")
            .quantile(0.5, "replicate", method="inverted_cdf")
        )
        assert lead == pytest.approx(float(np.round(rival / 0.001)))
        assert [shown[x, 0] for x in range(3)] == [f"≥{lead:.0f}×", "≥1e3×", "tie"]
        note = said(phase(data.expand_dims(landscape=["hill"])))
        assert "≥: the winner's is the precision or less" in note
        assert "tie: equal at the precision" in note
        assert "faster" not in note

    def test_a_tie_whose_winner_is_sure_is_the_faster(self):
        told = winners(raced(DONE, both(SLOW, FAST)).isel(landscape=0).assign_attrs(config="{}"))
        assert bool(told["decided"])
        axes = draw(told.expand_dims(k=[0], noise=[0.0]), Figure().subplots(), style.looks(["A", "B"]))
        assert [text.get_text() for text in axes.texts] == ["faster"]

    def test_labels_of_axes_that_change_together_are_told_once(self):
        data = made(LEVELS).assign_coords(
            noise=["value=0 gradient=0", "value=0.03 gradient=0.003", "value=0.1 gradient=0.01"]
        )
        axes = cells(data, Figure().subplots())
        assert [text.get_text() for text in axes.get_xticklabels()] == [
            "0\n0",
            "0.03\n0.003",
            "0.1\n0.01",
        ]
        assert axes.get_xlabel() == "noise: value, gradient"

    def test_one_axis_of_several_landscapes_is_one_diagram(self):
        data = made(LEVELS).isel(noise=0, drop=True).expand_dims(landscape=["hill", "valley"])
        assert [part["winner"].dims for _, part in diagrams(data)] == [("landscape", "k")]
        figure = phase(data)
        assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["hill", "valley"]

    def test_further_axes_are_told_in_the_title(self):
        data = made(LEVELS).expand_dims(landscape=["hill"], more=[1, 2]).copy(deep=True)
        data["loss"].loc[{"more": 2}] *= 2
        data = data.transpose("landscape", "optimizer", "k", "noise", "more", ...)
        assert [title for title, _ in diagrams(data)] == ["hill, more = 1"]

    def test_without_a_sweep_it_says_so(self):
        data = made(LEVELS).isel(noise=0, k=0, drop=True).expand_dims(landscape=["hill"])
        with pytest.raises(ValueError, match="phase: expected a study with a `sweep:`"):
            phase(data)
