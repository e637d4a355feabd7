"""Workers in virtual time beside a discrete-event loop, and what their methods promise beyond the contract."""

import json
import re

import numpy as np
import pytest
import torch

from landscapes import LANDSCAPES
from landscapes.base import Bits, Reals
from landscapes.oracle.bill import Bill
from landscapes.oracle.noise import Noise
from landscapes.oracle.oracle import Oracle
from optimizers.workers import Service, advanced, everybody, finished
from studies.study_file.loading import load_study
from studies.study_file.study import StudyError
from tests.references import asynchrony as naive
from tests.references import operators as operators_naive
from tests.references import populations as populations_naive
from tests.studies.cells.test_loop import run, task
from tests.support.each import each
from tests.support.play import bowl, build, make, play

REALS = Reals()
LAWS = [
    {"kind": "constant", "scale": 0.3},
    {"kind": "exponential", "scale": 2.0},
    {"kind": "shifted_exponential", "offset": 0.8, "scale": 0.2},
    {"kind": "pareto", "shape": 1.5, "scale": 0.7},
]
SLOW = {"stragglers": 1, "slowdown": 4.3}  # with 4 equal times there are ties, which rounding decides


def law(options):
    return options["kind"]


def drawn(service, streams, workers, evaluations=1):
    """The times (R, n) of so many evaluations in a row, by the naive law.

    The workers' numbers (R, n) say who is slow.
    """
    u = streams.integers("staleness", 2**53, (workers.shape[1], evaluations)).double() / 2**53
    options = {
        key: getattr(service, key)
        for key in ("scale", "offset", "shape")
        if getattr(service, key) is not None
    }
    factor = 1 + (service.slowdown - 1) * (workers < service.stragglers).double()
    times = [
        [sum(naive.service_time(service.kind, x, **options) for x in row) for row in world]
        for world in u.tolist()
    ]
    return (factor * torch.tensor(times, dtype=torch.float64)).tolist()


def schedule(service, workers, steps, rows=8, evaluations=1):
    """Naive events of each world: [(worker, time, staleness), ...].

    A worker delivers after so many evaluations.
    """
    first = drawn(service, make().at(0), everybody(workers, rows, "cpu"), evaluations)
    plain = Service(**{**service.parameters(), "stragglers": 0})
    ordinary = {
        step: drawn(plain, make().at(step), torch.zeros(rows, 1), evaluations)
        for step in range(1, steps + 1)
    }
    found = []
    for r in range(rows):
        told, busy = [], []
        # the time that a worker draws depends on who it is: the queue asks after the worker is known
        source = naive.events(
            first[r],
            lambda step, r=r, busy=busy: (
                ordinary[step][r][0] * (service.slowdown if busy[-1] < service.stragglers else 1.0)
            ),
        )
        for _ in range(steps):
            event = next(source)
            busy.append(event[0])
            told.append(event)
        found.append(told)
    return found


# the law of a service ---------------------------------------------------------------------------------------


@each("options", LAWS, ids=law)
@each("dtype", [torch.float64, torch.float32])
def test_service_times_beside_a_loop(options, dtype):
    service, who = Service(**options, stragglers=2, slowdown=3.0), torch.arange(5).expand(8, 5)
    times = service.draw(make(dtype=dtype).at(4), who)
    assert times.dtype == dtype
    assert torch.allclose(
        times.double(),
        torch.tensor(drawn(service, make().at(4), who), dtype=torch.float64),
        rtol=1e-6 if dtype == torch.float32 else 1e-12,
    )


@each("options", LAWS, ids=law)
def test_a_service_law_takes_one_number_for_each_world(options):
    u, who = (
        torch.rand(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)),
        torch.arange(4).expand(3, 4),
    )
    numbers = {key: value for key, value in options.items() if key != "kind"} | {"slowdown": 2.0}
    wide = {
        key: torch.tensor([value, 1.1 * value, 1.3 * value]).double() for key, value in numbers.items()
    }
    fused = Service(kind=options["kind"], stragglers=1, **wide).times(u, who)
    for r in range(3):
        alone = Service(
            kind=options["kind"], stragglers=1, **{key: value[r].item() for key, value in wide.items()}
        ).times(u[r : r + 1], who[:1])
        assert torch.equal(fused[r : r + 1], alone)


@each(
    ("options", "message"),
    [
        (
            {"kind": "gamma"},
            "service.kind: expected one of constant, exponential, shifted_exponential, pareto, got 'gamma'",
        ),
        ({"scale": 0.0}, "service.scale: expected > 0"),
        (
            {"kind": "shifted_exponential"},
            "service.offset: expected a number for kind 'shifted_exponential', got None",
        ),
        ({"offset": 1.0}, "service.offset: expected none for kind 'exponential', got 1.0"),
        ({"kind": "shifted_exponential", "offset": -1.0}, "service.offset: expected >= 0"),
        ({"kind": "pareto"}, "service.shape: expected a number for kind 'pareto', got None"),
        ({"kind": "pareto", "shape": 1.0}, "service.shape: expected > 1"),
        (
            {"kind": "constant", "shape": 2.0},
            "service.shape: expected none for kind 'constant', got 2.0",
        ),
        ({"stragglers": -1}, "service.stragglers: expected >= 0"),
        ({"slowdown": 0.5}, "service.slowdown: expected >= 1"),
    ],
)
def test_wrong_services(options, message):
    with pytest.raises(ValueError, match=message):
        Service(**options)


@each("count", [1, 2, 4, 5])
def test_who_finishes_first(count):
    left = torch.tensor([
        [3.0, 1.0, 2.0, 1.0, 5.0],
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [0.5, 0.4, 0.3, 0.2, torch.inf],
    ])
    who, elapsed = finished(left, count)
    for r in range(3):
        expected = naive.first_to_finish(left[r].tolist(), count)
        assert who[r].tolist() == expected[0]
        assert elapsed[r].item() == pytest.approx(expected[1])


def test_a_clock_of_two_numbers_does_not_lose_time():
    clock, plain, tenth = torch.zeros(1, 2), torch.zeros(1, 1), torch.full((1, 1), 0.1)
    for _ in range(10_000):
        clock, plain = advanced(clock, tenth), plain + tenth
    truth = 10_000 * tenth.double().item()
    assert clock.double().sum().item() == pytest.approx(truth, rel=1e-9)
    assert plain.item() != pytest.approx(truth, rel=1e-5)


# async_sgd --------------------------------------------------------------------------------------------------


@each("options", LAWS, ids=law)
@each("more", [{}, {"momentum": -0.4}, {"momentum": 0.5, "staleness_aware": True}], ids=str)
def test_events_beside_a_loop(options, more):
    """Who delivers, when, how stale, and the path of every coordinate; one of the workers is slow."""
    service, steps = Service(**options, **SLOW), 40
    optimizer = build("async_sgd", {"workers": 4, "service": service, "learning_rate": 0.03, **more})
    states, queries, infos = play(optimizer, REALS, make(), 3, steps=steps)
    told = schedule(service, 4, steps)
    for r in range(8):
        worker, time, stale = zip(*told[r], strict=True)
        assert [info["worker"][r, 0].item() for info in infos] == list(worker)
        assert [info["staleness"][r, 0].item() for info in infos] == list(stale)
        assert [info["clock"][r].item() for info in infos] == pytest.approx(list(time), rel=1e-12)
        for d in range(3):
            x, order = states[0].points[r, 0, d].item(), zip(worker, stale, strict=True)
            path = naive.stale_descent(
                x,
                lambda y, h=1 + d / 4: 2 * h * (y - 0.3),
                order,
                0.03,
                more.get("momentum", 0.0),
                "staleness_aware" in more,
            )
            assert [state.points[r, 0, d].item() for state in states] == pytest.approx(
                path, rel=1e-11, abs=1e-12
            )
    assert all(query.points.shape == (8, 1, 3) for query in queries)


def test_two_precisions_see_the_same_events():
    runs = [
        play(
            build("async_sgd", {"workers": 5, "service": Service(**LAWS[3])}),
            REALS,
            make(dtype=t),
            steps=200,
        )[2]
        for t in (torch.float64, torch.float32)
    ]
    assert all(torch.equal(a["worker"], b["worker"]) for a, b in zip(*runs, strict=True))
    assert torch.allclose(runs[0][-1]["clock"], runs[1][-1]["clock"], rtol=1e-6)


@each("backups", [0, 1, 3])
@each("clip", [None, 0.4])
def test_a_barrier_beside_a_loop(backups, clip):
    """Every worker's gradient has noise of its own, and only the first W - b count."""
    service, steps, workers = Service(kind="shifted_exponential", offset=0.5, **SLOW), 6, 4
    noise = torch.randn(
        steps, 8, workers, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    at = iter(range(steps))

    def answer(query, dtype):
        return bowl(query, dtype)._replace(gradient=bowl(query, dtype).gradient + noise[next(at)])

    optimizer = build(
        "async_sgd",
        {
            "workers": workers,
            "mode": "sync",
            "backups": backups,
            "service": service,
            "clip": clip,
            "momentum": 0.3,
        },
    )
    states, queries, infos = play(optimizer, REALS, make(), 3, steps=steps, answer=answer)
    now, velocity = torch.zeros(8), torch.zeros(8, 3, dtype=torch.float64)
    for step in range(steps):
        assert torch.equal(queries[step].points, states[step].points.expand(-1, workers, -1))
        assert queries[step].alive is None, "stopped workers are paid for"
        times = drawn(service, make().at(step), everybody(workers, 8, "cpu"))
        slope = bowl(queries[step], torch.float64).gradient + noise[step]
        for r in range(8):
            who, elapsed = naive.first_to_finish(times[r], workers - backups)
            now[r] += elapsed
            kept = [g * min(1.0, clip / g.norm().item()) if clip else g for g in slope[r, who]]
            velocity[r] = 0.3 * velocity[r] + sum(kept) / len(kept)
        assert torch.allclose(
            states[step + 1].points[:, 0], states[step].points[:, 0] - 0.1 * velocity, atol=1e-12
        )
        assert torch.allclose(infos[step]["clock"].float(), now, rtol=1e-5)
        assert (infos[step]["staleness"] == 0).all()


@each("options", LAWS, ids=law)
@each("mode", ["async", "sync"])
def test_one_worker_is_sgd(options, mode):
    more = {"momentum": 0.5, "learning_rate": 0.04, "clip": 0.6}
    one = play(
        build("async_sgd", {"workers": 1, "mode": mode, "service": Service(**options), **more}),
        REALS,
        make(),
    )[0]
    plain = play(build("sgd", more), REALS, make())[0]
    assert all(torch.equal(a.points, b.points) for a, b in zip(one, plain, strict=True))


def test_the_service_law_changes_only_the_clock_of_a_barrier():
    runs = [
        play(build("async_sgd", {"mode": "sync", "service": Service(**options)}), REALS, make())
        for options in LAWS
    ]
    assert all(torch.equal(runs[0][0][-1].points, other[0][-1].points) for other in runs[1:])
    assert not torch.allclose(runs[1][2][-1]["clock"], runs[2][2][-1]["clock"])


@each("workers", [1, 2, 5])
def test_constant_services_are_a_fixed_delay_and_no_faster(workers):
    options = {"workers": workers, "service": Service(kind="constant", scale=0.3)}
    asynchronous, barrier = (
        play(build("async_sgd", {**options, "mode": mode}), REALS, make(), steps=4 * workers)[2]
        for mode in ("async", "sync")
    )
    assert [info["staleness"].unique().tolist() for info in asynchronous] == [
        [min(t, workers - 1)] for t in range(4 * workers)
    ]
    for k in range(4):
        assert torch.equal(asynchronous[workers * (k + 1) - 1]["clock"], barrier[k]["clock"])


def test_a_worker_that_is_stopped_costs_as_much():
    """Backups: the bill counts all W gradients of a barrier, and one of an event."""
    for options, gradients in (({"mode": "sync", "backups": 3, "workers": 4}, 4), ({"workers": 4}, 1)):
        streams = make()
        landscape = LANDSCAPES["quadratic"](dim=7).bind(streams)
        bill = Bill(8, terms=landscape.terms, budget=1e9)
        oracle = Oracle(landscape, Noise(), bill)
        play(
            build("async_sgd", options),
            REALS,
            streams,
            answer=lambda q, t, o=oracle: o(q, make().at(int(o.bill.steps[0]) + 1)),
        )
        assert bill.gradients.tolist() == [5 * gradients * landscape.terms] * 8


# async_steady_state_ga --------------------------------------------------------------------------------------


@each(  # each two settings meet
    ("domain", "exact", "replacement"),
    [
        (REALS, True, "worst"),
        (REALS, False, "random"),
        (Bits(), True, "random"),
        (Bits(), False, "worst"),
    ],
)
@each(("mode", "workers"), [("async", 1), ("sync", 1), ("sync", 3)])
def test_one_worker_or_a_barrier_is_the_steady_state(domain, exact, replacement, mode, workers):
    """Whatever the law: bit for bit the same queries and members."""
    more = {"population": 6, "replacement": replacement, "mutation_rate": 0.4}
    service = Service(**LAWS[0] if workers == 1 else LAWS[3])
    ours = play(
        build("async_steady_state_ga", {"workers": workers, "mode": mode, "service": service, **more}),
        domain,
        make(),
        steps=20,
        exact=exact,
    )
    plain = play(
        build("steady_state_ga", {"children": workers, **more}), domain, make(), steps=20, exact=exact
    )
    assert all(torch.equal(a.points, b.points) for a, b in zip(ours[1], plain[1], strict=True))
    assert all(
        torch.equal(a.points, b.points) and torch.equal(a.value, b.value)
        for a, b in zip(ours[0], plain[0], strict=True)
    )
    assert all(
        torch.equal(a["accepted"], b["accepted"]) for a, b in zip(ours[2], plain[2], strict=True)
    )


@each(  # each two settings meet
    ("replacement", "exact", "w"),
    [("worst", True, 3), ("worst", False, 7), ("random", True, 7), ("random", False, 3)],
)
def test_stale_children_beside_a_loop(replacement, exact, w):
    """Each child is bred of the members as they were when its worker began, and competes with those of now."""
    n, dim, steps, service = 5, 4, 30, Service(**LAWS[1], **SLOW)
    more = {
        "crossover": "one_point",
        "recombination_rate": 0.6,
        "mutation_rate": 0.2,
        "tournament": 3,
        "replacement": replacement,
    }
    optimizer = build(
        "async_steady_state_ga", {"population": n, "workers": w, "service": service, **more}
    )
    states, queries, infos = play(optimizer, Bits(), make(), dim, steps=steps, exact=exact)
    told = schedule(service, w, steps, evaluations=1 if exact else 1 + n)
    for step in range(1, steps + 1):
        dying = make().at(step).choice("drift", n, 1, part=2).tolist()
        born = bowl(queries[step - 1], torch.float64).value[:, -1:]
        for r in range(8):
            worker, time, stale = told[r][step - 1]
            began = step - 1 - stale
            assert (infos[step - 1]["worker"][r].item(), infos[step - 1]["staleness"][r].item()) == (
                worker,
                stale,
            )
            assert infos[step - 1]["clock"][r].item() == pytest.approx(time, rel=1e-12)
            job, rows, row = (worker, w, worker) if began == 0 else (w + began - 1, 1, 0)
            child, members = queries[step - 1].points[r, -1].tolist(), states[began].points[r].tolist()
            value = (
                states[step - 1].value[r].tolist()
                if exact
                else bowl(queries[step - 1], torch.float64).value[r, :-1].tolist()
            )
            if exact and job < n:
                assert child == states[0].points[r, job].tolist()
            else:
                assert child == bred(
                    make().at(began + 1), r, rows, row, members, states[began].value[r].tolist(), n, dim
                )
            after = populations_naive.replaced(
                value, born[r].tolist(), dying[r] if replacement == "random" else None
            )
            if exact and job < n and value[job] == float("inf"):
                after = [born[r].item() if place == job else old for place, old in enumerate(value)]
            assert states[step].value[r].tolist() == after


def bred(s, r, rows, row, members, value, n, dim):
    """The child `row` of `rows` bred together in world r of members of these values, at the streams s."""
    entrants = [s.integers("drift", n, (rows, 3), part)[r].tolist() for part in (0, 1)]
    a, b = (operators_naive.tournament(value, entrants[k])[row] for k in (0, 1))
    who, cut = (
        s.bernoulli("recombination", 0.6, (rows,))[r, row],
        1 + s.integers("recombination", dim - 1, (rows,), part=1)[r, row].item(),
    )
    flips = s.bernoulli("mutation", 0.2, (rows, dim))[r, row].tolist()
    return operators_naive.bit_flip(
        operators_naive.one_point(members[a], members[b if who else a], cut), flips
    )


def test_a_late_start_is_not_lost():
    """A start at a slow worker comes after the first children.

    The members are always the P best delivered so far.
    """
    service = Service(kind="exponential", stragglers=2, slowdown=20.0)
    optimizer = build("async_steady_state_ga", {"population": 4, "workers": 4, "service": service})
    states, queries, infos = play(optimizer, REALS, make(range(40)), steps=30)
    delivered = torch.stack([bowl(query, torch.float64).value[:, 0] for query in queries], 1)
    for step in range(1, 31):
        best = delivered[:, :step].sort(1).values[:, :4]
        assert torch.equal(states[step].value.sort(1).values[:, : best.shape[1]], best)
    late = torch.stack([info["staleness"][:, 0] for info in infos]).amax(0)
    assert (late > 8).any(), "no start was late"


@each(
    ("value", "gradient"),
    [(0.0, 0.0), (0.1, 0.0), (0.0, 0.5)],
    ids=["exact", "noisy values", "noisy gradients"],
)
@each(("mode", "workers"), [("async", 1), ("async", 3), ("sync", 3), ("sync", 1)])
def test_every_evaluation_takes_the_time_of_a_worker(value, gradient, mode, workers):
    """W workers that each need 0.3 for a value are never idle.

    After a time t they have made W t / 0.3 of them, members asked again among them.
    """
    evaluations, rounds = (7 if mode == "async" else 1 + 6 // workers) if value else 1, 4
    noise = {
        "batch": None,
        "sampling": "replacement",
        "shared": True,
        "evaluation": {"value": value, "gradient": gradient},
    }
    spec = {
        "kind": "async_steady_state_ga",
        "population": 6,
        "workers": workers,
        "mode": mode,
        "service": LAWS[0],
    }
    cost = float(rounds * workers * evaluations)
    told = task({"kind": "quadratic", "dim": 3}, spec, budget=cost, checkpoints=[cost], noise=noise)
    np.testing.assert_allclose(
        run(told, range(3))["virtual_time"], [[0.3 * cost / workers]] * 3, rtol=1e-12
    )


# in a study -------------------------------------------------------------------------------------------------


def test_a_study_records_virtual_time_and_staleness():
    kinds = (
        {"kind": "async_sgd", "workers": 4, "service": LAWS[0]},
        {"kind": "async_steady_state_ga", "workers": 4, "population": 8, "service": LAWS[0]},
    )
    for spec, cost in zip(kinds, (3.0, 1.0), strict=True):
        data = run(
            task(
                {"kind": "quadratic", "dim": 3},
                spec,
                budget=12 * cost,
                checkpoints=[cost / 2, cost, 2 * cost, 12 * cost],
            ),
            range(3),
        )
        assert data["virtual_time"].attrs["units"] == "virtual time"
        assert data["staleness"].attrs["units"] == "steps"
        np.testing.assert_allclose(data["virtual_time"], [[np.nan, 0.3, 0.3, 0.9]] * 3)
        np.testing.assert_allclose(data["staleness"], [[np.nan, 0.0, 1.0, 3.0]] * 3)
    assert {"virtual_time", "staleness"}.isdisjoint(
        run(task({"kind": "quadratic", "dim": 3}, {"kind": "sgd"}), range(2))
    )


def test_the_service_is_a_part_of_a_study_file(tmp_path):
    study = {
        "name": "a",
        "budget": 30,
        "landscapes": {"bowl": {"kind": "quadratic"}},
        "optimizers": {"async": {"kind": "async_sgd", "workers": 4}},
    }
    wrong = {
        "gamma": "optimizers.async.service.kind: .*exponential",
        "pareto": "service.shape: expected a number for kind 'pareto', got None",
        "exponential": r"async_sgd.service.stragglers: expected at most workers = 4, got 5",
    }
    path = tmp_path / "study.yaml"
    for kind, message in wrong.items():
        study["optimizers"]["async"]["service"] = {"kind": kind} | (
            {"stragglers": 5} if kind == "exponential" else {}
        )
        path.write_text(json.dumps(study))
        with pytest.raises(StudyError, match=re.compile(message, re.DOTALL)):
            load_study(path)
