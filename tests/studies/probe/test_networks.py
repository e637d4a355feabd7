"""Local optima networks: numbers by brute force, places by the distances between them, and their pictures."""

import itertools

import numpy as np
import pytest
import torch
from matplotlib import rc_context
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from xarray import Dataset

from landscapes.streams import Streams
from studies.figures import captions, style
from studies.figures.optima_network import LEAST, RING, optima_networks, panel, places
from studies.probe.__main__ import main
from studies.probe.named import named
from studies.probe.networks import optima
from tests.support.each import each
from tests.support.looks import faults

N = 6


def table(words):
    """The losses of all genotypes of world 0, by the tuple of their bits."""
    (entry,) = named([words])
    streams = Streams(seed=1, worlds=torch.tensor([0]), dtype=getattr(torch, entry.dtype))
    bits = list(itertools.product((0, 1), repeat=N))
    points = torch.tensor(bits, dtype=torch.uint8)[None]
    return dict(zip(bits, entry.landscape.bind(streams).loss(points)[0].tolist(), strict=True))


def neighbours(bits, flips):
    for some in itertools.combinations(range(N), flips):
        yield tuple(1 - bit if place in some else bit for place, bit in enumerate(bits))


def end(loss, bits):
    """Where a greedy climb ends."""
    best = min(neighbours(bits, 1), key=loss.__getitem__)
    return bits if loss[best] >= loss[bits] else end(loss, best)


@pytest.mark.parametrize("words", ["nk:n=6,k=2", "nk:n=6,k=5"])
def test_basins_and_chances_are_those_of_all_climbs(words):
    loss = table(words)
    ends = {bits: end(loss, bits) for bits in loss}
    peaks = sorted(set(ends.values()), key=loss.__getitem__)
    data = optima(named([words])[0])
    assert data.attrs["optima"] == len(peaks)
    np.testing.assert_allclose(data["loss"], [loss[peak] for peak in peaks])
    sizes = [sum(other == peak for other in ends.values()) for peak in peaks]
    np.testing.assert_allclose(data["basin"], np.array(sizes) / 2**N)
    wanted = np.zeros((len(peaks),) * 2)
    for peak in peaks:
        tries = [*neighbours(peak, 1), *neighbours(peak, 2)]
        for other in tries:
            wanted[peaks.index(peak), peaks.index(ends[other])] += 1 / len(tries)
    np.fill_diagonal(wanted, 0)
    chances = np.zeros_like(wanted)
    chances[data["origin"], data["target"]] = data["chance"]
    np.testing.assert_allclose(chances, wanted)


def test_the_best_are_kept_with_the_edges_between_them():
    whole, part = (optima(named(["nk:n=8,k=5"])[0], most=most) for most in (1000, 5))
    assert part.attrs["optima"] == whole.sizes["optimum"] > 5
    np.testing.assert_array_equal(part["loss"], whole["loss"][:5])
    assert (np.diff(whole["loss"]) >= 0).all()
    kept = (whole["origin"] < 5) & (whole["target"] < 5)
    np.testing.assert_array_equal(part["chance"], whole["chance"][kept.values])


def network(chances, loss=None, basin=None):
    """A network of these chances (U, U), all else as if made up."""
    chances = np.asarray(chances, float)
    origin, target = chances.nonzero()
    number = len(chances)
    return Dataset(
        {
            "loss": ("optimum", np.arange(number) if loss is None else np.asarray(loss, float)),
            "basin": (
                "optimum",
                np.full(number, 1 / number) if basin is None else np.asarray(basin, float),
            ),
            "origin": ("edge", origin),
            "target": ("edge", target),
            "chance": ("edge", chances[origin, target]),
        },
        attrs={"optima": number, "flips": 2, "kind": "made up", "parameters": f"n={number}"},
    )


def test_places_are_as_far_apart_as_the_ways_between_them():
    """Of a chain of three, each a step of 1 / sqrt(1/4) = 2: on a line, and the middle in the middle."""
    chain = network([[0, 0.25, 0], [0, 0, 0.25], [0, 0, 0]])
    first, middle, last = places(chain)
    long, short = np.linalg.norm(first - last), np.linalg.norm(first - middle)
    assert long == pytest.approx(
        2 * short, rel=0.02
    )  # places are found by descent, to 1 % of the picture
    np.testing.assert_allclose(middle, (first + last) / 2, atol=0.01 * long)
    np.testing.assert_array_equal(places(chain), places(chain))


@each("chances", [np.zeros((1, 1)), np.zeros((3, 3)), [[0, 1], [1, 0]]])
def test_networks_in_pieces_have_places_of_their_own(chances):
    found = places(network(chances))
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(6), axis=0)) == len(found)


def test_discs_arrows_and_the_ring():
    loss, basin = [0.0, 0.0, 1.0], [0.5, 0.25, 0.25]
    axes = panel(network([[0, 0.5, 0.04], [0.1, 0, 0], [0, 0.3, 0]], loss, basin), Figure().subplots())
    discs, rings = axes.collections
    least = discs.get_sizes() - 900 * np.array(basin)
    assert np.ptp(least) == pytest.approx(0, abs=1e-9)
    assert len(rings.get_offsets()) == 2
    assert tuple(rings.get_edgecolor()[0]) == to_rgba(RING["edgecolor"])
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == 3  # 0.04 is less than LEAST
    widths = [arrow.get_linewidth() for arrow in arrows]
    assert np.argsort(widths).tolist() == np.argsort([0.5, 0.1, 0.3]).tolist()
    assert LEAST == 0.05


@pytest.mark.daily(1)
@pytest.mark.parametrize("width", [style.COLUMN, style.WIDTH])
def test_pages_have_no_fault(width):
    shown = [optima(entry) for entry in named(["nk:n=10,k=9", "onemax:n=5", "nk:n=8,k=2"])]
    with rc_context(style.PAPER):
        pages = optima_networks(shown, width)
        for page in pages:
            assert not faults(page)
            assert page.get_figheight() <= 1.3 * width
    assert len(pages) == (3 if width == style.COLUMN else 1)
    said = " ".join(captions.said(page) for page in pages)
    assert f"the 30 best of {shown[0].attrs['optima']} optima" in said
    assert "1 local optimum, 100% of genotypes" in said


def test_the_command_draws_networks(tmp_path, capsys):
    words = ["nk:n=6,k=2", "--network", "--width", "3.4", "--out", str(tmp_path)]
    assert main(words) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"optima_network.{ending}" for ending in ("png", "pdf", "txt", "tex")}
    assert capsys.readouterr().out.count("\n") == 2


@each(
    ("words", "line"),
    [
        (["nk:n=21,k=2", "--network"], "nk: expected at most 20 loci to look at all genotypes, got 21"),
        (["quadratic", "--network"], "expected"),
    ],
)
def test_what_has_no_network_is_one_line(words, line, tmp_path, capsys):
    assert main([*words, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())
