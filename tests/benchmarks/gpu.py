"""What a GPU computes, and how fast: `make gpu`, in eight minutes at most.

    python -m tests.benchmarks.gpu [--device cuda] [--seconds 2]

Draws are held against those of the CPU bit for bit, 50 steps of every optimizer and answers of every landscape
to rounding. Then worlds x generations a second at several numbers of worlds R, beside one core of the CPU, with
plain and with compiled steps; the most memory that was held; and a sweep of 16 rates as one batch, and cell by
cell. Tables in Markdown, on standard output.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
import time

import torch

from landscapes import LANDSCAPES
from landscapes.base import Problem, Query, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from landscapes.starts import starts
from landscapes.streams import Streams
from optimizers import OPTIMIZERS
from studies.cells import graphs
from studies.cells.fused import run_together
from studies.cells.loop import run_cell, run_worlds
from studies.cells.task import Cell
from studies.cells.timing import finish, name_of
from studies.probe.examples import EXAMPLES
from studies.probe.named import named
from tests.contract.test_runs import small
from tests.studies.cells.test_fused import descents
from tests.studies.cells.test_loop import task

WORLDS = (256, 4096, 65536)
METHODS = {
    "sgd": {},
    "openai_es": {"population": 16},
    "snes": {"population": 16},
    "de": {"population": 16},
    "ga": {"population": 16},
    "cma_es": {"population": 16},
}
LAWS = {
    "uniform": lambda s: s.uniform("data", (5, 7)),
    "normal": lambda s: s.normal("data", (5, 7)),
    "integers": lambda s: s.integers("data", 10**6 + 3, (5, 7)),
    "bernoulli": lambda s: s.bernoulli("data", 0.3, (5, 7)),
    "coins": lambda s: s.coins("data", (5, 70)),
    "choice": lambda s: s.choice("data", 40, 33, (5,)),
    "permutation": lambda s: s.permutation("data", 9, (5,)),
    "keyed normal": lambda s: s.keyed("data").normal(torch.arange(66, device=s.device).view(1, 33, 2)),
}


def row(*cells: object) -> None:
    """A line of a table."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def header(*cells: str) -> None:
    """The head of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


# the same numbers -------------------------------------------------------------------------------------------


def draws(device: str) -> None:
    """Whether every law has the bits that it has on a CPU."""
    header("draws", "float64", "float32")
    for law, draw in LAWS.items():
        same = []
        for dtype in (torch.float64, torch.float32):
            here, there = (
                draw(Streams(seed=7, worlds=torch.arange(1000), dtype=dtype, device=place).at(3))
                for place in ("cpu", device)
            )
            same.append("bit for bit" if torch.equal(here, there.cpu()) else "DIFFERENT")
        row(law, *same)


def steps(device: str) -> None:
    """How far 50 steps of every optimizer, in double precision, are from those on a CPU."""
    header("optimizer", "largest relative difference of a world's loss after 50 steps")
    for kind, method in OPTIMIZERS.items():
        if method.libraries:
            continue
        landscape, spec = small(kind)
        told = task(landscape, spec, budget=50.0, clock="steps", checkpoints=[50.0])
        row(kind, attempt(lambda told=told: _apart(told, device)))


def _apart(told, device):
    here, there = (
        run_worlds(dataclasses.replace(told, device=place), torch.arange(8))["population_loss"].values
        for place in ("cpu", device)
    )
    return f"{(abs(here - there) / (abs(here) + 1e-300)).max():.1g}"


def answers(device: str) -> None:
    """How far values and gradients of every landscape are from those on a CPU."""
    header("landscape", "largest relative difference of values", "of gradients")
    for kind in LANDSCAPES:
        row(kind, attempt(lambda kind=kind: " | ".join(_answers(kind, device))))


def _answers(kind, device):
    [example] = named(EXAMPLES.get(kind, (kind,))[:1])
    told = []
    for place in ("cpu", device):
        streams = Streams(seed=3, worlds=torch.arange(8), device=place)
        landscape = example.landscape.bind(streams)
        oracle = Oracle(landscape, Noise(), Bill(8, terms=landscape.terms, budget=9.0))
        query = Query(landscape.start(streams.at(0), 5), gradient=isinstance(landscape.domain, Reals))
        told.append(oracle(query, streams.at(1)))
    for here, there in zip(told[0][:2], told[1][:2], strict=True):
        if here is not None:
            yield f"{((here - there.cpu()).abs().max() / here.abs().max().clamp_min(1e-300)).item():.1g}"


def attempt(make) -> str:
    """What it makes, or the first line of what went wrong."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:90]}"


# how fast ---------------------------------------------------------------------------------------------------


def speed(device: str, seconds: float) -> None:
    """Worlds x generations a second, in single precision, on a bowl of 20 coordinates."""
    header(
        "optimizer",
        "R",
        f"{device}, plain steps",
        f"{device}, compiled",
        "one core of the CPU",
        "GiB held",
    )
    torch.set_num_threads(1)
    for (kind, options), worlds in itertools.product(METHODS.items(), WORLDS):
        core = _pace(kind, options, worlds, "cpu", seconds) if worlds == WORLDS[0] else ""
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        plain = attempt(lambda: _pace(kind, options, worlds, device, seconds))  # noqa: B023
        held = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else float("nan")
        compiled = attempt(lambda: _pace(kind, options, worlds, device, seconds, compiled=True))  # noqa: B023
        row(kind, worlds, plain, compiled, core, f"{held:.2f}")


def _pace(kind, options, worlds, device, seconds, *, compiled=False):
    optimizer = OPTIMIZERS[kind](**options)
    streams = Streams(seed=1, worlds=torch.arange(worlds), dtype=torch.float32, device=device)
    landscape = LANDSCAPES["quadratic"](dim=20).bind(streams)
    oracle = Oracle(landscape, Noise(), Bill(worlds, terms=1, budget=1e12, clock="steps"))
    first = streams.at(0)
    problem = Problem(20, landscape.domain, True, lambda n: starts(landscape, None, first, n))
    state = optimizer.init(problem, first)
    graph = graphs.Graph(optimizer, oracle, streams, state) if compiled else None
    done, began = 0, 0.0
    while not began or time.perf_counter() - began < seconds:
        done += 1
        if graph:
            state = graph(state, done).state
        else:
            state = graphs.taken(optimizer, oracle, state, streams.at(done)).state
        if done % 8 == 0 or not began:
            finish(device)
        if done == 8 and not began:  # what comes before is loaded and compiled
            began, done = time.perf_counter(), 0
    return f"{worlds * done / (time.perf_counter() - began):.3g}"


def sweep(device: str) -> None:
    """16 learning rates x 32 worlds, as rows of one batch and cell by cell."""
    header("sweep of 16 rates x 32 worlds", "seconds")
    tasks = descents(
        *(0.01 * k for k in range(1, 17)),
        budget=200.0,
        clock="steps",
        checkpoints=[200.0],
        device=device,
    )
    cells = [Cell(each, 0, 32) for each in tasks]
    run_together(cells)
    for name, run in (
        ("together", run_together),
        ("alone", lambda cells: [run_cell(cell) for cell in cells]),
    ):
        began = time.perf_counter()
        run(cells)
        row(name, f"{time.perf_counter() - began:.2f}")


def main() -> None:
    """Print the tables."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--device", default="cuda")
    words.add_argument("--seconds", type=float, default=2.0, help="of each measurement of speed")
    args = words.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.exit("gpu: no CUDA device is here; --device cpu tries the script")
    print(f"{time.strftime('%Y-%m-%d')}, {name_of(args.device)}, torch {torch.__version__}")
    draws(args.device)
    steps(args.device)
    answers(args.device)
    speed(args.device, args.seconds)
    sweep(args.device)


if __name__ == "__main__":
    main()
