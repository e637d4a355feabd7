"""The kernels for a GPU, translated for one: no GPU is needed for that. That they draw the same bits is in `test_streams`."""

import os
import subprocess
import sys
import textwrap

import pytest

TRANSLATED = """
import re
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from landscapes import streams_triton as kernels

ADDRESS = {"key": "*i64", "redraw": "*i64", "place": "i64", "n": "i32"}
AT = {"PLACED": True, "REDRAWN": True, "SIZE": kernels.BLOCK}
LAWS = {"uniform64": (2, "fp64"), "uniform32": (4, "fp32"), "normal64": (2, "fp64"), "normal32": (4, "fp32"), "integers": (2, "i64")}
ASKED = [
    (kernels._draw, {"out": f"*{kind}", **ADDRESS, "high": "i64"}, {"LAW": law, "PER": per, **AT})
    for law, (per, kind) in LAWS.items()
] + [
    (kernels._below, {"out": "*i1", **ADDRESS, "chances": "*fp64"}, {"VARIED": varied, **AT}) for varied in (True, False)
] + [
    (kernels._coins, {"out": "*i1", **ADDRESS}, AT),
    (kernels._floyd, {"out": "*i64", "draws": "*i64", "n": "i32", "size": "i32"}, {"SIZE": 32}),
] + [
    (
        kernels._hashed,
        {"out": "*fp64", "key": "*i64", "words": "*i64", "points": "i32", "rows": "i32", "width": "i32"},
        {"NORMAL": normal, "SIZE": kernels.BLOCK},
    )
    for normal in (True, False)
]
for kernel, takes, constants in ASKED:
    signature = {**takes, **{name: "constexpr" for name in constants}}
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    made = compile(source, target=GPUTarget("cuda", 90, 32), options=kernels.OPTIONS)
    rounded = re.findall(r"\\b(?:fma|mad|div|sqrt)[.a-z0-9]*f(?:32|64)\\b", made.asm["ptx"])
    print(kernel.__name__, len(made.asm["cubin"]) > 0, *sorted(set(rounded)))
"""


@pytest.mark.verify
def test_kernels_are_translated_for_a_gpu_and_no_two_roundings_are_one(tmp_path):
    """Products and sums are apart; quotients and roots are rounded to the nearest."""
    words = os.environ | {"TRITON_CACHE_DIR": str(tmp_path)}
    words.pop("TRITON_INTERPRET", None)
    asked = [sys.executable, "-c", textwrap.dedent(TRANSLATED)]
    told = subprocess.run(asked, env=words, capture_output=True, text=True, check=True).stdout
    rounded = {tuple(line.split()[2:]) for line in told.splitlines()}
    assert all(line.split()[1] == "True" for line in told.splitlines())
    assert len(told.splitlines()) == 11
    assert rounded == {(), ("sqrt.rn.f32",), ("div.rn.f64", "sqrt.rn.f64")}
