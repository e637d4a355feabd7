"""What the noise ledger costs beside the search whose steps it takes again.

Seconds of both, and their ratio, in one run.
"""

import json

import studies.loop

from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan

STUDY = {
    "name": "ledger-cost",
    "replicates": 64,
    "budget": 2000 * 32,
    "landscapes": {"bowl": {"kind": "quadratic", "dim": 20, "condition": 10}},
    "optimizers": {"ES": {"kind": "openai_es", "population": 32}},
    "noise": {"evaluation": 0.01},
    "ledger": {"moments": 5, "redraws": 256},
}


def test_ledger_of_a_cell(benchmark):
    """64 worlds, 2000 steps in 20-D.

    5 moments, two arms and one for each of two sources, 256 redraws each.
    """
    plan = make_plan(load_study(STUDY))

    def run():
        return [
            json.loads(studies.cells.loop.run_cell(cell).attrs["profile"]) for cell in plan.cells(())
        ]

    run()  # compiles
    spent = benchmark.pedantic(run, rounds=1)
    ledger = sum(profile["ledger"] for profile in spent)
    search = sum(profile[part] for profile in spent for part in ("ask", "oracle", "tell", "record"))
    benchmark.extra_info["ledger per search"] = ledger / search
    print(f"search {search:.2f} s, ledger {ledger:.2f} s, ratio {ledger / search:.1f}")
