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
from tests.references import random_tables as reference
from tests.support.each import each


def streams(worlds=(0, 4), dtype=torch.float64):
    return Streams(seed=2, worlds=torch.tensor(worlds), dtype=dtype)


def shipped():
    """The rows of the table that ships."""
    lines = (DATA / "weinreich2006.csv").read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


# the table that ships ---------------------------------------------------------------------------------------


def test_the_shipped_table_is_that_of_the_paper():
    """Weinreich et al.

    2006: 32 genotypes, resistance rises about 100,000-fold; TEM-1 0.088, TEM* 4,100 micrograms per
    millilitre.
    """
    rows = {row["genotype"]: row for row in shipped()}
    assert sorted(rows) == ["".join(bits) for bits in itertools.product("01", repeat=5)]
    assert float(rows["00000"]["fitness"]) == 0.088
    assert (
        float(rows["11111"]["fitness"]) == 4100 == max(float(row["fitness"]) for row in rows.values())
    )
    for row in rows.values():
        replicates = [float(row[f"replicate_{i}"]) for i in (1, 2, 3)]
        assert float(row["fitness"]) == statistics.median(replicates)
        doses = [
            4096 / 2 ** (round(2 * math.log2(4096 / r)) / 2) for r in replicates
        ]  # each the last over the root of 2
        assert replicates == pytest.approx(doses, rel=0.05)


def test_18_of_the_120_orders_of_the_five_mutations_are_uphill():
    fitness = {row["genotype"]: float(row["fitness"]) for row in shipped()}
    assert reference.uphill_orders(fitness, 5) == 18
    means = {
        row["genotype"]: sum(float(row[f"replicate_{i}"]) for i in (1, 2, 3)) / 3 for row in shipped()
    }
    assert reference.uphill_orders(means, 5) != 18
    wrong = fitness | {"01001": 0.088}
    assert reference.uphill_orders(wrong, 5) != 18


@each("scale", ["raw", "log_ratio"])
@each("maximise", [True, False])
@each("column", ["fitness", "replicate_2"])
def test_loss_and_extension_against_loops(scale, maximise, column):
    bound = Empirical(scale=scale, maximise=maximise, fitness=column).bind(streams())
    table = {row["genotype"]: float(row[column]) for row in shipped()}
    best = max(table.values()) if maximise else min(table.values())

    def gap(genotype):
        value = table["".join(map(str, genotype))]
        gap = math.log(best) - math.log(value) if scale == "log_ratio" else best - value
        return gap if maximise else -gap

    x = torch.tensor(list(itertools.product((0, 1), repeat=5)), dtype=torch.uint8).expand(2, -1, -1)
    np.testing.assert_allclose(
        bound.loss(x)[1], [gap(g) for g in x[1].tolist()], rtol=1e-13, atol=1e-13
    )
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


# a user's own -----------------------------------------------------------------------------------------------


def write(folder, text, name="mine.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


GOOD = "genotype,fitness,sd\n00,1,0.1\n01,2,0.2\n10,-3,0.3\n11,0.5,0\n"


def test_genotypes_may_stand_in_one_column_or_in_one_for_each_locus(tmp_path):
    one = Empirical(file=write(tmp_path, GOOD)).bind(streams())
    text = "w, A,B\n1,0,0\n\n0.5,1,1\n# in between\n2,0, 1\n-3.0e0,1,0\n"
    many = Empirical(file=write(tmp_path, text, "many.csv"), genotype=["A", "B"], fitness="w").bind(
        streams()
    )
    x = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.uint8).expand(2, -1, -1)
    assert one.loss(x)[0].tolist() == [1.0, 5.0, 0.0, 1.5]
    assert torch.equal(one.loss(x), many.loss(x))
    assert one.optimum.tolist() == [[0, 1], [0, 1]]


def test_comments_quotes_and_a_byte_order_mark_are_read_over(tmp_path):
    text = '# a note, "quoted\n' + GOOD.replace("00,1,", '"00",1,').replace("\n", "\r\n")
    assert (
        Empirical(file=write(tmp_path, "\ufeff" + GOOD)).fingerprint
        == Empirical(file=write(tmp_path, text)).fingerprint
    )


def test_the_fingerprint_follows_the_numbers_that_are_read(tmp_path):
    base = Empirical(file=write(tmp_path, GOOD)).fingerprint
    assert len(base) == 64
    lines = GOOD.splitlines()
    shuffled = "\n".join(["# told anew", lines[0], *reversed(lines[1:])])
    assert Empirical(file=write(tmp_path, shuffled)).fingerprint == base
    assert Empirical(file=write(tmp_path, GOOD.replace("0.5", "0.6"))).fingerprint != base
    assert Empirical(file=write(tmp_path, GOOD.replace("0.3", "0.4"))).fingerprint == base, (
        "the errors are not read"
    )
    errors = [
        Empirical(file=write(tmp_path, text), error="sd").fingerprint
        for text in (GOOD, GOOD.replace("0.3", "0.4"))
    ]
    assert len({base, *errors}) == 3


def test_a_large_table_is_read_and_folded(tmp_path):
    text = "genotype,fitness\n" + "".join(f"{i:014b},{i}\n" for i in range(2**14))
    large = Empirical(file=write(tmp_path, text))
    assert (large.dim, large.extension_cost) == (14, 2**14)
    p = streams().uniform("data", (3, 14))
    place = 2.0 ** torch.arange(
        13, -1, -1
    )  # the first bit of the text is the highest of the number that was measured
    torch.testing.assert_close(
        large.bind(streams()).extension(p), ((1 - p) * place).sum(-1), rtol=1e-12, atol=0
    )


@each(
    ("text", "options", "messages"),
    [
        ("", {}, ["mine.csv: expected a header and a row for each genotype, got an empty file"]),
        (
            "genotype,fitness\n",
            {},
            ["mine.csv: expected a header and a row for each genotype, got a header alone"],
        ),
        (
            GOOD,
            {"fitness": "fitnes"},
            [
                "mine.csv:1: expected a column 'fitnes', got genotype, fitness, sd; did you mean 'fitness'?"
            ],
        ),
        (
            "# note\n" + GOOD,
            {"genotype": "geno", "error": "zzz"},
            [
                "mine.csv:2: expected a column 'geno', got genotype, fitness, sd; did you mean 'genotype'?",
                "mine.csv:2: expected a column 'zzz', got genotype",
            ],
        ),
        (
            GOOD.replace("sd", "fitness", 1),
            {},
            ["mine.csv:1: expected column names that differ, got 'fitness' 2 times"],
        ),
        (
            GOOD.replace("01,2,", "0x,abc,"),
            {},
            [
                "mine.csv:3: expected a genotype of 0 and 1, got '0x'",
                "mine.csv:3: expected a number, got 'abc'",
                "expected all 4 genotypes, 1 missing: 01",
            ],
        ),
        (
            GOOD.replace("01,2,", "1,2,"),
            {},
            ["mine.csv:3: expected a genotype of 2 loci, as most are, got '1'", "1 missing: 01"],
        ),
        (
            GOOD.replace("01,2,", ",,"),
            {},
            ["mine.csv:3: expected a genotype of 0 and 1, got ''", "1 missing: 01"],
        ),
        (
            GOOD.replace("01,2,", "00,2,"),
            {},
            [
                "mine.csv: expected each genotype once, got 00 (lines 2 3); duplicates: mean",
                "1 missing: 01;",
            ],
        ),
        (
            GOOD.replace("01,2,0.2", "01,2,5,0.2"),
            {},
            ["mine.csv:3: expected 3 cells, as in the header, got 4"],
        ),
        (
            GOOD.replace("01,2,", "01,nan,"),
            {},
            [
                "mine.csv: expected all 4 genotypes, 1 missing: 01 (no number in lines 3); missing: lethal,"
                " additive or"
            ],
        ),
        (GOOD.replace("01,2,", "01,inf,"), {}, ["mine.csv:3: expected a number, got 'inf'"]),
        (
            GOOD,
            {"scale": "log_ratio"},
            [r"mine.csv:4: expected a number > 0 (its logarithm is asked for), got '-3'"],
        ),
        (
            GOOD.replace("0.2", "-0.2"),
            {"error": "sd"},
            ["mine.csv:3: expected an error >= 0, got '-0.2'"],
        ),
        (GOOD.replace("0.2", "x"), {"error": "sd"}, ["mine.csv:3: expected an error >= 0, got 'x'"]),
        (
            "\n".join(GOOD.splitlines()[:-2]),
            {},
            ["mine.csv: expected all 4 genotypes, 2 missing: 10 11"],
        ),
        (
            "genotype,fitness\n" + 7 * "0" + ",1\n",
            {},
            ["expected all 128 genotypes, 127 missing: 0000001 0000010", " and 107 more"],
        ),
        ("genotype,fitness\n" + 21 * "0" + ",1\n", {}, ["mine.csv: expected at most 20 loci, got 21"]),
        (
            "A,B,w\n0,0,1\n1,01,2\n",
            {"genotype": ["A", "B"], "fitness": "w"},
            ["mine.csv:3: expected a genotype of 0 and 1, got '1' '01'"],
        ),
        (
            "genotype,fitness\n" + 30 * "x,1\n",
            {},
            ["mine.csv: expected sites with two letters, got one letter at each"],
        ),
        ("genotype,fitness\n00,\0\n", {}, ["mine.csv:2: expected a number"]),
        (
            GOOD.replace("2,0.2", "1,5,0.2"),
            {},
            ["mine.csv:3: expected 3 cells, as in the header, got 4"],
        ),
        (
            GOOD.replace("fitness", "w").replace("sd", "W"),
            {"fitness": "w", "error": "Sd"},
            ["expected a column 'Sd', got genotype, w, W"],
        ),
        (
            GOOD.replace("fitness", "W").replace("sd", "w"),
            {"fitness": "FITNESS"},
            ["expected a column 'FITNESS', got genotype, W, w"],
        ),
        (
            "Fit,FIT,genotype\n1,1,0\n1,2,1\n",
            {"fitness": "fit"},
            ["mine.csv:1: expected column names that differ, got 'Fit' 2 times"],
        ),
        (GOOD.replace("2,0.2", '"1.000,5",0.2'), {}, ["mine.csv:3: expected a number, got '1.000,5'"]),
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
        ValueError,
        match=(
            r"empirical\.file: expected the path of a CSV file, or a table that ships: weinreich2006, got"
            r" 'weinrich'; did you mean"
        ),
    ):
        Empirical(file="weinrich")
    with pytest.raises(ValueError, match=r"empirical\.file: expected the path of a CSV file"):
        Empirical(file=str(tmp_path))
    (tmp_path / "mine.csv").write_bytes(b"genotype,fitness\n00,\xff\xfe\n")
    with pytest.raises(ValueError, match=r"empirical\.file: mine.csv: expected a CSV file in UTF-8"):
        Empirical(file=str(tmp_path / "mine.csv"))


def test_one_line_for_each_kind_of_mistake(tmp_path):
    """Wrong numbers in 40 rows, wrong genotypes in 3, a missing half: three lines."""
    rows = [f"{i:06b},{i if i % 8 else 'hm'}" for i in range(40)] + ["00000z,1", "0000,2", "000,3"]
    with pytest.raises(ValueError, match="empirical") as error:
        Empirical(file=write(tmp_path, "genotype,fitness\n" + "\n".join(rows)))
    assert str(error.value).splitlines() == [
        "empirical.file: mine.csv:42: expected a genotype of 0 and 1, got '00000z'",
        "  mine.csv:43: expected a genotype of 6 loci, as most are, got '0000'; likewise in 1 other line: 44",
        "  mine.csv:2: expected a number, got 'hm'; likewise in 4 other lines: 10 18 26 34",
        *[
            line
            for line in str(error.value).splitlines()
            if line.startswith("  mine.csv: expected all 64 genotypes, 24 missing: 101000 ")
        ],
    ]


# how tables are written -------------------------------------------------------------------------------------

N = 4
TRUTH = {
    bits: round(1 + sum((i + 1) * b for i, b in enumerate(bits)) / 7 - 0.3 * bits[0] * bits[2], 3)
    for bits in itertools.product((0, 1), repeat=N)
}
SITES = ["AG", "CT", "T-", "GA"]  # wild type and mutant letter


def table(text, between=",", header=("genotype", "fitness"), values=TRUTH):
    """TRUTH as a file, text(bits) its genotypes."""
    lines = [
        between.join(header),
        *(between.join([text(bits), str(value)]) for bits, value in values.items()),
    ]
    return "\n".join(lines) + "\n"


def plain(bits):
    return "".join(map(str, bits))


def letters(bits):
    return "".join(site[b] for site, b in zip(SITES, bits, strict=True))


def names(bits, between=":", order=1):
    return (
        between.join(
            [name for name, b in zip(["S3N", "V14L", "E99K", "M105T"], bits, strict=True) if b][::order]
        )
        or "WT"
    )


def values(path, **options):
    """Genotype -> value, as the landscape has it."""
    measured = Empirical(file=path, **options).measured
    return {
        bits: measured.values[sum(b << i for i, b in enumerate(bits))].item()
        for bits in itertools.product((0, 1), repeat=measured.loci)
    }


@each(
    ("text", "options"),
    [
        (table(plain), {}),
        (table(plain, "\t"), {}),
        (table(plain, ";"), {}),
        ("sep=;\n" + table(plain, ";"), {}),
        (table(plain, ";").replace(".", ","), {}),
        (table(plain, "\t").replace(".", ","), {}),
        ("\ufeff" + table(plain, header=("Genotype", " Fitness")), {}),
        (table(plain, header=("GENOTYPE", "w")), {"fitness": "W"}),
        (table(plain).replace("\n", "\r\n") + ",\r\n", {}),
        (table(letters), {}),
        (table(lambda bits: f"GGG{letters(bits)}TTT"), {}),  # sites that do not vary are no loci
        (table(lambda bits: letters([1 - b for b in bits])), {"wild_type": letters((1, 1, 1, 1))}),
        (table(letters, values=dict(reversed(TRUTH.items()))), {"wild_type": letters((0, 0, 0, 0))}),
        (table(lambda bits: plain([1 - b for b in bits])), {"wild_type": "1111"}),
        (table(lambda bits: "".join("aA"[b] for b in bits)), {}),
        (table(names), {}),
        (table(lambda bits: names(bits, "/", -1)), {}),
        (table(lambda bits: names(bits, " + ")).replace("WT", "wild type"), {}),
        (table(lambda bits: names(bits, "_")), {}),
        (table(lambda bits: names(bits, ", "), "\t"), {}),
        (
            table(names, values=dict(reversed(TRUTH.items()))).replace("WT", "TEM-1"),
            {"wild_type": "TEM-1"},
        ),
        (table(lambda bits: names(bits).replace("S3N", "p.Ser3Asn").replace("E99K", "Glu99Lys")), {}),
        (
            table(lambda bits: ",".join(map(str, bits)), header=("a,b,c,D", "fitness")),
            {"genotype": ["A", "b", "c", "d"]},
        ),
        (
            table(
                lambda bits: ",".join(site[b] * 3 for site, b in zip(SITES, bits, strict=True)),
                header=("a,b,c,d", "fitness"),
            ),
            {"genotype": list("abcd")},
        ),
        (
            table(
                lambda bits: ",".join("-+"[b] for b in bits),
                header=("a,b,c,d", "fitness"),
                values=dict(reversed(TRUTH.items())),
            ),
            {"genotype": list("abcd"), "wild_type": list("----")},
        ),
    ],
)
def test_tables_in_every_notation_hold_the_same_numbers(tmp_path, text, options):
    assert values(write(tmp_path, text), **options) == TRUTH


def test_unicode_text_of_a_spreadsheet_is_read(tmp_path):
    (tmp_path / "mine.txt").write_bytes(table(plain, "\t").encode("utf-16"))
    assert values(str(tmp_path / "mine.txt")) == TRUTH


def test_the_sites_of_mutations_are_in_the_order_of_their_numbers(tmp_path):
    path = write(tmp_path, "genotype,fitness\nA100G,2\nC20T,3\nWT,1\nA100G:C20T,7\n")
    assert values(path) == {(0, 0): 1, (1, 0): 3, (0, 1): 2, (1, 1): 7}


def test_the_mean_of_duplicates(tmp_path):
    """Whatever their order, and however mutations are ordered; the error is that of a mean.

    A row without a number is left out.
    """
    text = "genotype,fitness,se\nWT,1,0.3\nA1G,2,0.1\nA1G,4,0.2\nC2T,3,0\nA1G:C2T,5,0.1\nC2T:A1G,8,0.1\nA1G/C2T,11,0.1\nC2T,NA,9\n"
    measured = Empirical(file=write(tmp_path, text), duplicates="mean", error="se").measured
    assert measured.values.tolist() == [1, 3, 3, 8]
    assert measured.errors.tolist() == pytest.approx([
        0.3,
        math.sqrt(0.05) / 2,
        0.0,
        math.sqrt(0.03) / 3,
    ])
    with pytest.raises(
        ValueError,
        match=(
            r"expected each genotype once, got A1G \(lines 3 4\), C2T \(lines 5 9\), A1G:C2T \(lines 6 7 8\);"
            r" duplicates: mean"
        ),
    ):
        Empirical(file=write(tmp_path, text))


ABSENT = [(0, 1, 1, 0), (1, 1, 1, 1), (0, 0, 1, 0)]


@each("blank", [None, "", "NA", "NaN", "n/a", "#N/A", "null", "None", "-", "n.d."])
@each("missing", ["lethal", "additive", 0.25, -3])
def test_what_stands_for_a_genotype_that_was_not_measured(tmp_path, missing, blank):
    known = {bits: value for bits, value in TRUTH.items() if bits not in ABSENT}
    path = write(
        tmp_path, table(plain, values=known if blank is None else TRUTH | dict.fromkeys(ABSENT, blank))
    )
    filled = {
        bits: {"lethal": 0.0, "additive": additive(known, bits)}.get(missing, missing)
        for bits in ABSENT
    }
    assert values(path, missing=missing) == pytest.approx(known | filled, rel=1e-12)
    landscape = Empirical(file=path, missing=missing).bind(streams())
    x = torch.tensor([[0, 1, 1, 0], [0, 1, 0, 0]], dtype=torch.uint8)
    assert landscape.measures(x)["measured"].tolist() == pytest.approx(
        [math.nan, TRUTH[0, 1, 0, 0]], nan_ok=True
    ), "what was not measured is not told"
    assert landscape.loss(x[:, None])[:, 0].tolist() == pytest.approx([
        max(max(known.values()), *filled.values()) - v for v in (filled[0, 1, 1, 0], TRUTH[0, 1, 0, 0])
    ])


def additive(known, bits):
    """The least-squares prediction by the normal equations, solved by elimination."""
    rows = [[1, *b] for b in known]
    matrix = [
        [sum(r[i] * r[j] for r in rows) for j in range(N + 1)]
        + [sum(r[i] * v for r, v in zip(rows, known.values(), strict=True))]
        for i in range(N + 1)
    ]
    for i in range(N + 1):
        matrix[i] = [entry / matrix[i][i] for entry in matrix[i]]
        for j in range(N + 1):
            if j != i:
                matrix[j] = [a - matrix[j][i] * b for a, b in zip(matrix[j], matrix[i], strict=True)]
    return sum(x * row[-1] for x, row in zip([1, *bits], matrix, strict=True))


@each(
    ("text", "options", "message"),
    [
        (
            table(plain),
            {"missing": "lethl"},
            "empirical.missing: expected error, lethal, additive or a number, got 'lethl'",
        ),
        (
            table(plain),
            {"missing": float("nan")},
            "empirical.missing: expected error, lethal, additive or a number, got nan",
        ),
        (
            table(plain),
            {"missing": float("-inf")},
            "empirical.missing: expected error, lethal, additive or a number, got -inf",
        ),
        (
            table(plain),
            {"missing": True},
            "empirical.missing: expected error, lethal, additive or a number, got True",
        ),
        (
            table(plain),
            {"genotype": []},
            r"empirical.genotype: expected a column, or a list of one at least, got \[\]",
        ),
        (
            table(plain),
            {"missing": "lethal", "scale": "log"},
            (
                "empirical.missing: expected a number or additive with scale log, where fitness 0 is no"
                " number of"
            ),
        ),
        (
            table(plain),
            {"missing": "lethal", "maximise": False},
            "empirical.missing: expected a number or additive with maximise false",
        ),
        (
            "genotype,fitness\n00,1\n01,-2\n",
            {"missing": "lethal"},
            "mine.csv: missing: lethal: expected fitness >= 0, since lethal is 0, got -2",
        ),
        (
            "genotype,fitness\n00,1\n01,2\n",
            {"missing": -1, "scale": "log_ratio"},
            r"mine.csv: missing: expected values > 0 \(their logarithm",
        ),
        (
            "genotype,fitness\n00,1\n01,2\n",
            {"missing": "additive"},
            "missing: additive: expected measurements that tell 3 effects apart, got 2 that tell 2",
        ),
        (
            table(plain),
            {"wild_type": ["0"] * 4},
            "empirical.wild_type: expected a text, as in the column of genotypes, got",
        ),
        (table(plain), {"wild_type": "000"}, "mine.csv: expected a wild_type of 4 sites, got 3: '000'"),
        (
            table(lambda b: plain(b).lstrip("0") or "0"),
            {},
            (
                "expected genotypes of one length, got 1 to 4 digits, and none that begins with 0: a"
                " spreadsheet has"
            ),
        ),
        (
            table(lambda b: (plain(b).lstrip("0") or "0") + ".0"),
            {},
            "a spreadsheet has made numbers of them and dropped their leading zeros; make that",
        ),
        (
            table(lambda b: "1.00E+15"),
            {},
            r"got numbers such as 1.00E\+15, and none that begins with 0: a spreadsheet has made numbers",
        ),
        (
            table(lambda b: letters(b) + "ACG"[b[0] + b[1]]),
            {},
            (r"expected all 48 genotypes \(2 x 2 x 2 x 2 x 3 letters\), 32 missing: ACTGC ACTGG ACTAC"),
        ),
        (
            table(lambda b: names(b).replace("V14L", "V14L" if b[0] else "V14M")),
            {},
            r"expected all 24 genotypes \(2 x 3 x 2 x 2 letters\), 8 missing: V14L V14L:M105T V14L:E99K ",
        ),
        (
            table(lambda b: names(b).replace("V14L", "V14L" if b[0] else "A14L")),
            {},
            "expected mutations from one letter at each site, to another, got V14L",
        ),
        (
            table(lambda b: names(b).replace("V14L", "V14L:V14M")),
            {},
            "expected a list of mutations of different sites, such as S54N:V44L, or WT, got",
        ),
    ],
)
def test_what_a_table_cannot_be(tmp_path, text, options, message):
    with pytest.raises(ValueError, match=message) as error:
        Empirical(file=write(tmp_path, text), **options)
    assert len(str(error.value).splitlines()) <= 2


def test_a_path_goes_before_no_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, GOOD, "weinreich2006")
    assert Empirical().dim == 5, "the name of a table that ships means that table"
    assert Empirical(file="./weinreich2006").dim == 2


def test_an_unknown_scale_is_named():
    with pytest.raises(
        ValueError, match=r"empirical\.scale: expected one of raw, log, log_ratio, got 'ln'"
    ):
        Empirical(scale="ln")


# a wild type that the file does not have --------------------------------------------------------------------

LETTERS = "genotype,fitness\nAEM,1\nAEV,2\nAKM,3\nAKV,4\n"
DNA = "genotype,fitness\nAC,1\nAT,2\nGC,3\nGT,4\n"
LISTS = "genotype,fitness\nWT,1\nS54N,2\nV44L,3\nS54N:V44L,4\n"
ZEROS = "genotype,fitness\n00,1\n01,2\n10,3\n11,4\n"
COLUMNS = "a,b,fitness\nA,C,1\nA,T,2\nG,C,3\nG,T,4\n"
NOT_THERE = "expected a wild_type of letters that the file has at their site, got others at"
AS_FILE = "write it as the file writes that genotype"


@each(
    ("text", "wild_type", "message"),
    [
        (LETTERS, "AXM", f"{NOT_THERE} site 2 (X, the file has E, K); {AS_FILE}"),
        (LETTERS, "GEM", f"{NOT_THERE} site 1 (G, the file has A); {AS_FILE}"),
        (
            LETTERS,
            "aem",
            (
                f"{NOT_THERE} site 1 (a, the file has A), site 2 (e, the file has E, K), site 3 (m, the file"
                " has M, V); "
            ),
        ),
        (LETTERS, "AE", f"expected a wild_type of 3 sites, got 2: 'AE'; {AS_FILE}"),
        (DNA, "AU", f"{NOT_THERE} site 2 (U, the file has C, T); {AS_FILE}"),
        (ZEROS, "0x", f"{NOT_THERE} site 2 (x, the file has 0, 1); {AS_FILE}"),
        (
            LISTS,
            "TEM-1",
            "expected a wild_type that the file has, got 'TEM-1'; write 'WT', or leave it out",
        ),
        (
            LISTS.replace("WT", "TEM-1"),
            "tem-1",
            f"expected a wild_type that the file has, got 'tem-1'; {AS_FILE}",
        ),
        (
            LISTS,
            "S54N",
            (
                "expected the wild_type of a file of mutations to be its genotype without any, got 'S54N',"
                " which has mutations, beside 'WT'"
            ),
        ),
    ],
)
def test_a_wild_type_that_the_file_lacks_is_one_line_that_says_where(
    tmp_path, text, wild_type, message
):
    with pytest.raises(ValueError, match="wild_type") as error:
        Empirical(file=write(tmp_path, text), wild_type=wild_type)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"empirical.file: mine.csv: {message}")


@each(
    ("text", "options"),
    [
        (LETTERS, {"wild_type": "AKV"}),
        (COLUMNS, {"genotype": ["a", "b"], "wild_type": ["G", "T"]}),
    ],
)
def test_a_wild_type_may_be_any_genotype_of_the_file(tmp_path, text, options):
    table = Empirical(file=write(tmp_path, text), **options).bind(streams())
    x = torch.tensor([[[0, 0], [1, 0], [0, 1], [1, 1]]], dtype=torch.uint8).expand(2, -1, -1)
    assert table.loss(x)[0].tolist() == [0.0, 2.0, 1.0, 3.0]  # fitness 4 of the wild type, 2, 3 and 1
