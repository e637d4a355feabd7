"""Measured tables: the one that ships beside its paper, and what is said of files that are wrong."""

import csv
import itertools
import math
import statistics

import numpy as np
import pytest
import torch

from landscapes.binary.empirical import DATA, Empirical
from landscapes.streams import Streams
from tests import reference_random_tables as reference


def streams(worlds=(0, 4), dtype=torch.float64):
    return Streams(seed=2, worlds=torch.tensor(worlds), dtype=dtype)


def shipped():
    """The rows of the table that ships."""
    lines = (DATA / "weinreich2006.csv").read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


# the table that ships ---------------------------------------------------------------------------------------------------------


def test_the_shipped_table_is_that_of_the_paper():
    """Weinreich et al. 2006: 32 genotypes, resistance rises about 100,000-fold; TEM-1 0.088, TEM* 4,100 micrograms per millilitre."""
    rows = {row["genotype"]: row for row in shipped()}
    assert sorted(rows) == ["".join(bits) for bits in itertools.product("01", repeat=5)]
    assert float(rows["00000"]["fitness"]) == 0.088
    assert float(rows["11111"]["fitness"]) == 4100 == max(float(row["fitness"]) for row in rows.values())
    for row in rows.values():
        replicates = [float(row[f"replicate_{i}"]) for i in (1, 2, 3)]
        assert float(row["fitness"]) == statistics.median(replicates)
        doses = [4096 / 2 ** (round(2 * math.log2(4096 / r)) / 2) for r in replicates]  # each the last over the root of 2
        assert replicates == pytest.approx(doses, rel=0.05)


def test_18_of_the_120_orders_of_the_five_mutations_are_uphill():
    fitness = {row["genotype"]: float(row["fitness"]) for row in shipped()}
    assert reference.uphill_orders(fitness, 5) == 18
    means = {row["genotype"]: sum(float(row[f"replicate_{i}"]) for i in (1, 2, 3)) / 3 for row in shipped()}
    assert reference.uphill_orders(means, 5) != 18
    wrong = fitness | {"01001": 0.088}
    assert reference.uphill_orders(wrong, 5) != 18


@pytest.mark.parametrize("scale", ["raw", "log_ratio"])
@pytest.mark.parametrize("maximise", [True, False])
@pytest.mark.parametrize("column", ["fitness", "replicate_2"])
def test_loss_and_extension_against_loops(scale, maximise, column):
    bound = Empirical(scale=scale, maximise=maximise, fitness=column).bind(streams())
    table = {row["genotype"]: float(row[column]) for row in shipped()}
    best = max(table.values()) if maximise else min(table.values())

    def gap(genotype):
        value = table["".join(map(str, genotype))]
        gap = math.log(best) - math.log(value) if scale == "log_ratio" else best - value
        return gap if maximise else -gap

    x = torch.tensor(list(itertools.product((0, 1), repeat=5)), dtype=torch.uint8).expand(2, -1, -1)
    np.testing.assert_allclose(bound.loss(x)[1], [gap(g) for g in x[1].tolist()], rtol=1e-13, atol=1e-13)
    p = streams().uniform("data", (3, 5))
    naive = [[reference.mean_over_genotypes(gap, q) for q in row] for row in p.tolist()]
    np.testing.assert_allclose(bound.extension(p), naive, rtol=1e-12)
    torch.testing.assert_close(bound.extension(x.double()), bound.loss(x), rtol=1e-14, atol=0)
    assert torch.equal(bound.loss(bound.optimum[:, None]), torch.zeros((2, 1), dtype=torch.float64))


def test_what_was_measured_is_shown_beside_the_results():
    x = torch.tensor([[0, 0, 0, 1, 0], [1, 1, 1, 1, 1]], dtype=torch.uint8)
    measures = Empirical(scale="log_ratio").bind(streams()).measures(x)
    assert {name: m.tolist() for name, m in measures.items()} == {"measured": [0.063, 4100.0]}
    with_error = Empirical(error="replicate_1").bind(streams())
    assert with_error.measures(x)["measured_error"].tolist() == [0.088, 4100.0]
    assert set(with_error.extras) == {"measured", "measured_error"}


# a user's own -----------------------------------------------------------------------------------------------------------------


def write(folder, text, name="mine.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


GOOD = "genotype,fitness,sd\n00,1,0.1\n01,2,0.2\n10,-3,0.3\n11,0.5,0\n"


def test_genotypes_may_stand_in_one_column_or_in_one_for_each_locus(tmp_path):
    one = Empirical(file=write(tmp_path, GOOD)).bind(streams())
    text = "w, A,B\n1,0,0\n\n0.5,1,1\n# in between\n2,0, 1\n-3.0e0,1,0\n"
    many = Empirical(file=write(tmp_path, text, "many.csv"), genotype=["A", "B"], fitness="w").bind(streams())
    x = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.uint8).expand(2, -1, -1)
    assert one.loss(x)[0].tolist() == [1.0, 5.0, 0.0, 1.5]
    assert torch.equal(one.loss(x), many.loss(x))
    assert one.optimum.tolist() == [[0, 1], [0, 1]]


def test_comments_quotes_and_a_byte_order_mark_are_read_over(tmp_path):
    text = '# a note, "quoted\n' + GOOD.replace("00,1,", '"00",1,').replace("\n", "\r\n")
    assert Empirical(file=write(tmp_path, "\ufeff" + GOOD)).fingerprint == Empirical(file=write(tmp_path, text)).fingerprint


def test_the_fingerprint_follows_the_numbers_that_are_read(tmp_path):
    base = Empirical(file=write(tmp_path, GOOD)).fingerprint
    assert len(base) == 64
    lines = GOOD.splitlines()
    shuffled = "\n".join(["# told anew", lines[0], *reversed(lines[1:])])
    assert Empirical(file=write(tmp_path, shuffled)).fingerprint == base
    assert Empirical(file=write(tmp_path, GOOD.replace("0.5", "0.6"))).fingerprint != base
    assert Empirical(file=write(tmp_path, GOOD.replace("0.3", "0.4"))).fingerprint == base, "the errors are not read"
    errors = [Empirical(file=write(tmp_path, text), error="sd").fingerprint for text in (GOOD, GOOD.replace("0.3", "0.4"))]
    assert len({base, *errors}) == 3


def test_a_large_table_is_read_and_folded(tmp_path):
    text = "genotype,fitness\n" + "".join(f"{i:014b},{i}\n" for i in range(2**14))
    large = Empirical(file=write(tmp_path, text))
    assert (large.dim, large.extension_cost) == (14, 2**14)
    p = streams().uniform("data", (3, 14))
    place = 2.0 ** torch.arange(13, -1, -1)  # the first bit of the text is the highest of the number that was measured
    torch.testing.assert_close(large.bind(streams()).extension(p), ((1 - p) * place).sum(-1), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("text", "options", "messages"),
    [
        ("", {}, ["mine.csv: expected a header and a row for each genotype, got an empty file"]),
        ("genotype,fitness\n", {}, ["mine.csv: expected a header and a row for each genotype, got a header alone"]),
        (GOOD, {"fitness": "fitnes"}, ["mine.csv:1: expected a column 'fitnes', got genotype, fitness, sd; did you mean 'fitness'?"]),
        (
            "# note\n" + GOOD,
            {"genotype": "geno", "error": "zzz"},
            [
                "mine.csv:2: expected a column 'geno', got genotype, fitness, sd; did you mean 'genotype'?",
                "mine.csv:2: expected a column 'zzz', got genotype",
            ],
        ),
        (GOOD.replace("sd", "fitness", 1), {}, ["mine.csv:1: expected column names that differ, got 'fitness' 2 times"]),
        (
            GOOD.replace("01,2,", "0x,abc,"),
            {},
            [
                "mine.csv:3: expected a genotype of 0 and 1, got '0x'",
                "mine.csv:3: expected a number, got 'abc'",
                "expected all 4 genotypes, 1 missing: 01",
            ],
        ),
        (GOOD.replace("01,2,", "1,2,"), {}, ["mine.csv:3: expected a genotype of 2 loci, as most are, got '1'", "1 missing: 01"]),
        (GOOD.replace("01,2,", ",,"), {}, ["mine.csv:3: expected a genotype of 0 and 1, got ''", "mine.csv:3: expected a number, got ''"]),
        (GOOD.replace("01,2,", "00,2,"), {}, ["mine.csv:3: expected each genotype once, got '00' again, as in line 2", "1 missing: 01"]),
        (GOOD.replace("01,2,0.2", "01,2,5,0.2"), {}, ["mine.csv:3: expected 3 cells, as in the header, got 4"]),
        (GOOD.replace("01,2,", "01,nan,"), {}, ["mine.csv:3: expected a number, got 'nan'"]),
        (GOOD.replace("01,2,", "01,inf,"), {}, ["mine.csv:3: expected a number, got 'inf'"]),
        (GOOD, {"scale": "log_ratio"}, [r"mine.csv:4: expected a number > 0 (its logarithm is asked for), got '-3'"]),
        (GOOD.replace("0.2", "-0.2"), {"error": "sd"}, ["mine.csv:3: expected an error >= 0, got '-0.2'"]),
        (GOOD.replace("0.2", "?"), {"error": "sd"}, ["mine.csv:3: expected an error >= 0, got '?'"]),
        ("\n".join(GOOD.splitlines()[:-2]), {}, ["mine.csv: expected all 4 genotypes, 2 missing: 10 11"]),
        ("genotype,fitness\n" + 7 * "0" + ",1\n", {}, ["expected all 128 genotypes, 127 missing: 0000001 0000010", " and 107 more"]),
        ("genotype,fitness\n" + 21 * "0" + ",1\n", {}, ["mine.csv: expected at most 20 loci, got 21"]),
        ("A,B,w\n0,0,1\n1,01,2\n", {"genotype": ["A", "B"], "fitness": "w"}, ["mine.csv:3: expected a genotype of 0 and 1, got '1' '01'"]),
        ("genotype,fitness\n" + 30 * "x,1\n", {}, ["mine.csv:21: expected", "mine.csv: and 10 more"]),
        ("genotype,fitness\n00,\0\n", {}, ["mine.csv:2: expected a number"]),
        ("# note\n" + GOOD.replace(",", ";"), {}, ["mine.csv:2: expected cells that commas separate, got semicolons; separate with commas"]),
        (GOOD.replace(",", "\t"), {}, ["mine.csv:1: expected cells that commas separate, got tabs; separate with commas"]),
    ],
)
def test_a_wrong_file_is_told_line_by_line(tmp_path, text, options, messages):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=r"empirical\.file: ") as error:
        Empirical(file=path, **options)
    for message in messages:
        assert message in str(error.value)
    assert str(error.value).count("mine.csv") <= 21


def test_each_mistake_has_a_line(tmp_path):
    with pytest.raises(ValueError, match="empirical") as error:
        Empirical(file=write(tmp_path, GOOD.replace("01,2", "0x,abc")))
    first, *others = str(error.value).splitlines()
    assert first.startswith("empirical.file: mine.csv:3: expected a genotype")
    assert [line.split(" expected")[0] for line in others] == ["  mine.csv:3:", "  mine.csv:"]


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(
        ValueError, match=r"empirical\.file: expected the path of a CSV file, or a table that ships: weinreich2006, got 'weinrich'; did you mean"
    ):
        Empirical(file="weinrich")
    with pytest.raises(ValueError, match=r"empirical\.file: expected the path of a CSV file"):
        Empirical(file=str(tmp_path))
    (tmp_path / "mine.csv").write_bytes(b"genotype,fitness\n00,\xff\xfe\n")
    with pytest.raises(ValueError, match=r"empirical\.file: mine.csv: expected a CSV file in UTF-8"):
        Empirical(file=str(tmp_path / "mine.csv"))


def test_a_path_goes_before_no_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, GOOD, "weinreich2006")
    assert Empirical().dim == 5, "the name of a table that ships means that table"
    assert Empirical(file="./weinreich2006").dim == 2


def test_an_unknown_scale_is_named():
    with pytest.raises(ValueError, match=r"empirical\.scale: expected one of raw, log, log_ratio, got 'ln'"):
        Empirical(scale="ln")
