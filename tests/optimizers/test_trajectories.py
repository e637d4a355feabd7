"""Trajectories beside torch's own optimizers, beside scipy and beside loops, and what each promises beyond the contract."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch

from landscapes.base import Answer, Bits, Reals
from optimizers import operators
from optimizers.schedules import Schedule
from optimizers.walks.moves import metropolis
from tests.references import trajectories as naive
from tests.support.each import each
from tests.support.play import bowl, build, make, play, problem, same

REALS = Reals()
CURVATURE = 2 * (1 + torch.arange(7, dtype=torch.float64) / 4)


def slope_of_bowl(x):
    return CURVATURE * (x - 0.3)


def loss_of_bowl(x):
    """The bowl of the contract for a list of reals."""
    return sum((1 + d / 4) * (a - 0.3) ** 2 for d, a in enumerate(x))


def lucky(first):
    """Noise that makes the given point of every query better by 100, once."""
    luck = iter([(first, -100.0)])

    def answer(query, dtype):
        value = bowl(query, dtype).value.clone()
        place, bonus = next(luck, (0, 0.0))
        value[:, place] += bonus
        return Answer(value)

    return answer


# sgd: iterate averaging -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "first"),
    [({"average": "polyak"}, 1), ({"average": "tail", "burn_in": 6}, 7)],
    ids=["polyak", "tail"],
)
def test_an_average_is_the_mean_of_the_points(options, first):
    optimizer = build("sgd", {"momentum": 0.5, "learning_rate": 0.05, **options})
    states = play(optimizer, REALS, make(), steps=20)[0]
    points = torch.stack([state.points[:, 0] for state in states])  # x_0 .. x_20
    assert torch.allclose(optimizer.recommend(states[-1]), points[first:].mean(0), atol=1e-14)
    assert not torch.allclose(optimizer.recommend(states[-1]), points[first - 1 :].mean(0), atol=1e-6)
    assert torch.equal(
        optimizer.recommend(states[first]), points[first]
    )  # before, and with one point, the trajectory's own
    assert torch.equal(optimizer.center(states[-1]), points[-1])


def test_averaging_does_not_change_the_trajectory():
    plain, averaged = (
        play(build("sgd", {"average": a, "starts": 3}), REALS, make())[0][-1]
        for a in ("none", "polyak")
    )
    assert torch.equal(plain.points, averaged.points)
    assert torch.equal(plain.mean, plain.points)


# adam -------------------------------------------------------------------------------------------------------

ADAM = [
    ("Adam", {}),
    ("Adam", {"beta1": 0.5, "beta2": 0.9, "epsilon": 0.01}),
    ("Adam", {"weight_decay": 0.3, "decay": "coupled"}),
    ("AdamW", {"weight_decay": 0.3, "decay": "decoupled"}),
    ("AdamW", {"weight_decay": 0.3, "schedule": Schedule(kind="step", steps=5)}),
]


def torch_adam(kind, options, start, steps):
    """Torch's own, on the bowl of the contract."""
    x = start.clone().requires_grad_()
    betas = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    peer = getattr(torch.optim, kind)(
        [x],
        lr=0.05,
        betas=betas,
        eps=options.get("epsilon", 1e-8),
        weight_decay=options.get("weight_decay", 0.0),
    )
    visited = []
    for step in range(steps):
        peer.param_groups[0]["lr"] = 0.05 * 0.1 ** (step // 5) if "schedule" in options else 0.05
        x.grad = slope_of_bowl(x.detach())
        peer.step()
        visited.append(x.detach().clone())
    return torch.stack(visited)


@each(("kind", "options"), ADAM, ids=str)
def test_adam_is_torch_adam(kind, options):
    """Step for step."""
    states = play(build("adam", {"learning_rate": 0.05} | options), REALS, make([1]), steps=40)[0]
    ours = torch.stack([state.points[0, 0] for state in states[1:]])
    assert torch.allclose(
        ours, torch_adam(kind, options, states[0].points[0, 0], 40), rtol=0, atol=1e-12
    )
    if options.get("weight_decay"):
        other = "Adam" if kind == "AdamW" else "AdamW"
        assert not torch.allclose(
            ours, torch_adam(other, options, states[0].points[0, 0], 40), rtol=0, atol=1e-3
        )


def test_adam_ignores_the_scale_of_the_loss():
    optimizer = build("adam", {"epsilon": 1e-300})
    plain, scaled = (
        play(optimizer, REALS, make(), answer=lambda q, t, k=k: bowl(q, t, scale=k))[0][-1].points
        for k in (1.0, 2.0**40)
    )
    assert torch.equal(plain, scaled)


def test_adam_clips_first():
    options = {"learning_rate": 0.05, "beta1": 0.0, "beta2": 0.9, "epsilon": 1.0, "clip": 0.5}
    state, new = play(build("adam", options), REALS, make([1]), steps=1)[0]
    g = slope_of_bowl(state.points[0, 0])
    g = g * min(1.0, 0.5 / g.norm().item())
    assert torch.allclose(new.points[0, 0], state.points[0, 0] - 0.05 * g / (g.abs() + 1), atol=1e-12)


@each("kind", ["adam", "langevin", "signed_sgd", "natural_sgd"])
def test_answers_without_gradients_are_refused(kind):
    optimizer, s = build(kind, {}), make()
    state = optimizer.init(problem(s, REALS, 2), s)
    with pytest.raises(ValueError, match=rf"{kind}.tell: expected an answer with gradients"):
        optimizer.tell(state, optimizer.ask(state, s), Answer(torch.zeros(8, 1)), s)


# langevin ---------------------------------------------------------------------------------------------------


def test_langevin_at_zero_temperature_is_sgd():
    cold, sgd = (
        build("langevin", {"temperature": 0.0, "learning_rate": 0.05}),
        build("sgd", {"learning_rate": 0.05}),
    )
    assert torch.equal(play(cold, REALS, make())[0][-1].points, play(sgd, REALS, make())[0][-1].points)


def test_langevin_beside_a_loop():
    optimizer = build(
        "langevin",
        {"temperature": 0.2, "learning_rate": 0.05, "schedule": Schedule(kind="inverse_time", steps=2)},
    )
    states = play(optimizer, REALS, make([1]), steps=6)[0]
    x = states[0].points[0, 0]
    for step in range(6):
        eta, z = 0.05 / (1 + step / 2), make([1]).at(step + 1).normal("mutation", (1, 7))[0, 0]
        x = x - eta * slope_of_bowl(x) + (2 * eta * 0.2) ** 0.5 * z
    assert torch.allclose(states[-1].points[0, 0], x, atol=1e-13)


# metropolis and simulated annealing -------------------------------------------------------------------------

WALKS = [
    ("metropolis", {"temperature": 0.3, "sigma": 0.4}, REALS),
    ("metropolis", {"temperature": 0.0, "sigma": 0.4}, REALS),
    ("metropolis", {"temperature": 1.0}, Bits()),
    ("metropolis", {"temperature": 1.0, "mutation_rate": 0.3}, Bits()),
    (
        "simulated_annealing",
        {"temperature": 3.0, "sigma": 0.4, "schedule": Schedule(kind="exponential", steps=4)},
        REALS,
    ),
    (
        "simulated_annealing",
        {"temperature": 3.0, "schedule": Schedule(kind="inverse_time", steps=4)},
        Bits(),
    ),
]


def moves(options, domain, steps, world):
    """Of each walker step after the start: what is proposed, and the uniform that decides."""
    for step in range(2, steps + 1):
        s = make([world]).at(step)
        if isinstance(domain, Reals):
            z = s.normal("mutation", (1, 7))[0, 0].tolist()
            move = lambda x, z=z: [a + options["sigma"] * e for a, e in zip(x, z, strict=True)]  # noqa: E731
        elif "mutation_rate" in options:
            flips = s.bernoulli("mutation", options["mutation_rate"], (1, 7))[0, 0].tolist()
            move = lambda x, flips=flips: [a ^ int(f) for a, f in zip(x, flips, strict=True)]  # noqa: E731
        else:
            locus = int(s.integers("mutation", 7, (1, 1)))
            move = lambda x, locus=locus: [a ^ (i == locus) for i, a in enumerate(x)]  # noqa: E731
        yield move, float(s.uniform("acceptance", (1,)))


@each(("kind", "options", "domain"), WALKS, ids=str)
def test_a_walk_beside_a_loop(kind, options, domain):
    """Exact values: the start, then one proposal per step."""
    states, queries, infos = play(build(kind, options), domain, make([4]), steps=25)
    assert queries[0].points.tolist() == states[0].points.tolist()
    proposals, uniforms = zip(*moves(options, domain, 25, 4), strict=True)
    ramp = (
        options["schedule"].multiplier(torch.arange(1, 25)).tolist()
        if "schedule" in options
        else [1.0] * 24
    )
    loss = (
        loss_of_bowl
        if isinstance(domain, Reals)
        else lambda x: sum((1 + d / 4) * b for d, b in enumerate(x))
    )
    heat = [options["temperature"] * r for r in ramp]
    visited, accepted = naive.metropolis(
        states[0].points[0, 0].tolist(), proposals, uniforms, heat, loss
    )
    assert [info["accepted"].item() for info in infos[1:]] == accepted
    assert 0 < sum(accepted) < 24
    ours = torch.stack([state.points[0, 0] for state in states[2:]]).double()
    assert torch.allclose(ours, torch.tensor(visited, dtype=torch.float64), atol=1e-12)


@each("kind", ["metropolis", "simulated_annealing"])
@each("domain", [REALS, Bits()], ids=["reals", "bits"])
def test_a_noisy_walk_asks_the_current_point_again(kind, domain):
    """A value that was lucky once does not stay, and decides nothing later."""
    optimizer = build(kind, {"starts": 2, "temperature": 0.0})
    states, queries, infos = play(optimizer, domain, make(), steps=30, answer=lucky(1), exact=False)
    for state, query, new, info in zip(states[:-1], queries, states[1:], infos, strict=True):
        assert query.points.shape == (8, 4, 7)
        assert torch.equal(query.points[:, :2], state.points)
        assert torch.equal(
            new.points, torch.where(info["accepted"][..., None], query.points[:, 2:], state.points)
        )
    assert (states[1].value[:, 1] < -50).all()
    assert not infos[0]["accepted"][:, 1].any()
    assert (states[2].value > -1).all()
    assert (torch.stack([info["accepted"][:, 1] for info in infos[1:]]).any(0)).all()


def test_one_bit_flips_at_every_locus_alike():
    points = torch.zeros((100, 90, 9), dtype=torch.uint8)
    flipped = operators.one_bit_flip(points, make(range(100)))
    assert (flipped.sum(-1) == 1).all()
    count = flipped.sum((0, 1)).double()
    assert ((count - 1000).abs() < 4.5 * (9000 / 9 * 8 / 9) ** 0.5).all()


def test_acceptance_of_what_is_no_number():
    """NaN and inf are never accepted over a number, always left for one, and equal to each other.

    Nothing depends on the temperature 0.
    """
    old = torch.tensor([[1.0, 1.0, math.nan, math.inf, -math.inf, 1.0]], dtype=torch.float64)
    new = torch.tensor([[math.nan, math.inf, 1.0, math.nan, 1.0, 1.0]], dtype=torch.float64)
    for temperature in (0.0, 1.0, math.inf):
        accepted = metropolis(old, new, temperature, make([0]))
        assert accepted.tolist() == [[False, False, True, True, False, True]]


def test_annealing_recommends_the_best_point_visited():
    optimizer = build("simulated_annealing", {"temperature": 100.0, "sigma": 0.3, "starts": 2})
    states, queries, _ = play(optimizer, REALS, make(), steps=30)
    visited = torch.cat([state.points for state in states[1:]], 1)
    value = bowl(queries[0]._replace(points=visited), torch.float64).value
    assert torch.equal(optimizer.recommend(states[-1]), visited[range(8), value.argmin(1)])
    assert (
        value.amin(1) < bowl(queries[0]._replace(points=states[-1].points), torch.float64).value.amin(1)
    ).any()
    noisy = play(optimizer, REALS, make(), steps=30, exact=False)[0][-1]
    assert torch.equal(optimizer.recommend(noisy), noisy.points[range(8), noisy.value.argmin(1)])


# signed sgd -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_signed_sgd_beside_a_loop(momentum):
    states = play(
        build("signed_sgd", {"learning_rate": 0.05, "momentum": momentum}), REALS, make([1]), steps=12
    )[0]
    x, v = states[0].points[0, 0], torch.zeros(7, dtype=torch.float64)
    for _ in range(12):
        v = momentum * v + (1 - momentum) * slope_of_bowl(x)
        x = x - 0.05 * v.sign()
    assert torch.allclose(states[-1].points[0, 0], x, atol=1e-14)


def test_law_40_signed_sgd_ignores_the_scale_of_the_loss():
    """F -> 2^k f leaves the trajectory, bit for bit; that of SGD it does not."""
    for kind, equal in (("signed_sgd", True), ("sgd", False)):
        plain, scaled = (
            play(build(kind, {}), REALS, make(), answer=lambda q, t, k=k: bowl(q, t, scale=k))[0][
                -1
            ].points
            for k in (1.0, 0.25)
        )
        assert torch.equal(plain, scaled) is equal


# natural sgd ------------------------------------------------------------------------------------------------

FULL = torch.diag(torch.arange(1.0, 8, dtype=torch.float64)) + 0.3
DIAGONAL = torch.arange(1.0, 8, dtype=torch.float64)


@each("dtype", [torch.float64, torch.float32])
@each("matrix", [DIAGONAL, FULL], ids=["diagonal", "full"])
@each("damping", [0.0, 0.5])
def test_a_given_metric(matrix, damping, dtype):
    """One step solves (G + d I) step = g.

    Worlds are what they are alone, with one damping for all or one for each.
    """
    options = {
        "metric": "given",
        "matrix": tuple(map(tuple, matrix.tolist())) if matrix.ndim == 2 else tuple(matrix.tolist()),
        "starts": 3,
    }
    one = build("natural_sgd", options | {"damping": damping})
    states = play(one, REALS, make(dtype=dtype))[0]
    g = (matrix.diag() if matrix.ndim == 1 else matrix) + damping * torch.eye(7, dtype=torch.float64)
    x = states[0].points.double()
    step = torch.linalg.solve(g, slope_of_bowl(x).mT).mT
    assert torch.allclose(
        states[1].points.double(), x - 0.1 * step, atol=1e-13 if dtype == torch.float64 else 1e-5
    )
    assert all(
        same(a, b, [5, 2])
        for a, b in zip(states, play(one, REALS, make([5, 2], dtype))[0], strict=True)
    )
    each = build("natural_sgd", options | {"damping": torch.full((8,), damping)})
    assert torch.equal(play(each, REALS, make(dtype=dtype))[0][-1].points, states[-1].points)


def test_newton_reaches_the_minimum_in_one_step():
    optimizer = build(
        "natural_sgd", {"metric": "given", "matrix": tuple(CURVATURE.tolist()), "learning_rate": 1.0}
    )
    states = play(optimizer, REALS, make(), steps=1)[0]
    assert torch.allclose(
        optimizer.recommend(states[-1]), torch.full((8, 7), 0.3, dtype=torch.float64), atol=1e-14
    )


def test_a_metric_of_another_size_is_refused():
    with pytest.raises(
        ValueError, match=r"natural_sgd.matrix: expected a metric of 7 dimensions, got 2"
    ):
        play(build("natural_sgd", {"metric": "given", "matrix": (1.0, 2.0)}), REALS, make())


def test_natural_sgd_far_out():
    """Where p (1 - p) underflows nothing moves, and the others move as ever."""
    optimizer, s = build("natural_sgd", {"learning_rate": 1.0}), make()
    state = optimizer.init(problem(s, REALS, 3), s)
    state = state._replace(
        points=torch.tensor([[[800.0, -800.0, 0.0]]], dtype=torch.float64).expand(8, 1, 3)
    )
    slope = torch.tensor([0.0, 0.0, 0.25], dtype=torch.float64).expand(8, 1, 3)
    new, _ = optimizer.tell(state, optimizer.ask(state, s), Answer(slope[..., 0], slope), s)
    assert torch.allclose(new.points[0, 0], torch.tensor([800.0, -800.0, -1.0], dtype=torch.float64))


# spsa -------------------------------------------------------------------------------------------------------


def test_spsa_beside_a_loop():
    options = {
        "learning_rate": 0.03,
        "perturbation": 0.2,
        "stability": 2.0,
        "alpha": 0.7,
        "gamma": 0.2,
        "pairs": 2,
    }
    states, queries, _ = play(build("spsa", options), REALS, make([1]), steps=6)
    x = states[0].center[0, 0].tolist()
    for k in range(6):
        signs = (2 * make([1]).at(k + 1).coins("mutation", (2, 7))[0].long() - 1).tolist()
        each = [naive.spsa_gradient(loss_of_bowl, x, s, 0.2 / (k + 1) ** 0.2) for s in signs]
        assert queries[k].points[0].mean(0).tolist() == pytest.approx(x, abs=1e-12)
        x = [a - 0.03 / (2 + k + 1) ** 0.7 * (g + h) / 2 for a, g, h in zip(x, *each, strict=True)]
    assert states[-1].center[0, 0].tolist() == pytest.approx(x, abs=1e-12)


# games ------------------------------------------------------------------------------------------------------


def three_players(query, dtype):
    """A quadratic game of three players with two coordinates each: gradient A x with no symmetry."""
    a = torch.sin(torch.arange(36, dtype=dtype).view(6, 6)) + 2 * torch.eye(6, dtype=dtype)
    gradient = (query.points[..., None, :] * a).sum(-1)
    return Answer(gradient[..., ::2], gradient)


def play_game(kind, options, steps):
    s, optimizer = make(), build(kind, options)
    states = [optimizer.init(problem(s, REALS, 6)._replace(players=3), s)]
    for step in range(1, steps + 1):
        query = optimizer.ask(states[-1], s.at(step))
        states.append(optimizer.tell(states[-1], query, three_players(query, s.dtype), s.at(step))[0])
    return optimizer, states


def field_of_three(x):
    return three_players(problem_query(x), x.dtype).gradient


def problem_query(x):
    return type("Q", (), {"points": x})


def test_extragradient_beside_a_loop():
    optimizer, states = play_game(
        "extragradient",
        {"learning_rate": 0.1, "starts": 2, "schedule": Schedule(kind="inverse_time", steps=1)},
        8,
    )
    x = states[0].points
    for k in range(4):
        eta = 0.1 / (1 + k)
        x = x - eta * field_of_three(x - eta * field_of_three(x))
        assert torch.allclose(states[2 * k + 2].points, x, atol=1e-13)
        assert torch.equal(
            states[2 * k + 1].points, states[2 * k].points
        )  # looking ahead moves nothing
    assert torch.equal(optimizer.recommend(states[-1]), states[-1].points[:, 0])


@pytest.mark.parametrize("momentum", [0.0, -0.4])
def test_alternating_play_beside_a_loop(momentum):
    options = {
        "learning_rate": 0.1,
        "starts": 2,
        "momentum": momentum,
        "schedule": Schedule(kind="inverse_time", steps=1),
    }
    optimizer, states = play_game("alternating", options, 9)
    x, v = states[0].points.clone(), torch.zeros(8, 2, 6, dtype=torch.float64)
    for turn in range(9):
        block = slice(2 * (turn % 3), 2 * (turn % 3) + 2)
        v[..., block] = momentum * v[..., block] + field_of_three(x)[..., block]
        x[..., block] -= 0.1 / (1 + turn // 3) * v[..., block]
        assert torch.allclose(states[turn + 1].points, x, atol=1e-13)
    assert torch.equal(optimizer.recommend(states[-1]), states[-1].points[:, 0])


def test_alternating_play_on_a_loss_is_sgd():
    options = {"momentum": 0.5, "starts": 3}
    ours, sgd = (
        play(build(kind, options), REALS, make())[0][-1].points for kind in ("alternating", "sgd")
    )
    assert torch.equal(ours, sgd)


def test_players_of_different_sizes_are_refused():
    s = make()
    with pytest.raises(
        ValueError,
        match="alternating: expected players with as many coordinates each, got 2 players of 7 together",
    ):
        build("alternating", {}).init(problem(s, REALS, 7)._replace(players=2), s)


# nelder and mead --------------------------------------------------------------------------------------------


def rosenbrock(x):
    return (100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2 + (1 - x[..., :-1]) ** 2).sum(-1)


def asked_by_scipy(start, adaptive, step, count):
    """The points that scipy's own asks, in order."""
    asked = []

    def loss(x):
        asked.append(x.copy())
        return float(rosenbrock(torch.from_numpy(x)))

    simplex = np.vstack([start, start + step * np.eye(len(start))])
    options = {
        "initial_simplex": simplex,
        "adaptive": adaptive,
        "maxfev": count,
        "xatol": 0,
        "fatol": 0,
    }
    scipy.optimize.minimize(loss, start, method="Nelder-Mead", options=options)
    return torch.from_numpy(np.array(asked))


def play_rosenbrock(optimizer, s, dim, steps, *, noise=0.0, exact=True):
    state = optimizer.init(problem(s, Reals(-2.0, 2.0), dim, exact), s)
    queries, phases = [], []
    for step in range(1, steps + 1):
        query = optimizer.ask(state, s.at(step))
        value = rosenbrock(query.points)
        state, info = optimizer.tell(
            state,
            query,
            Answer(value + noise * s.at(step).normal("evaluation", value.shape[1:])),
            s.at(step),
        )
        queries.append(query)
        phases.append(info["phase"])
    return state, queries, torch.stack(phases)


@each("coefficients", ["standard", "adaptive"])
@each("dim", [2, 5])
def test_nelder_mead_asks_what_scipys_asks(coefficients, dim):
    """Every world in its own phase; the paths part where rounding decides, late."""
    s = make(range(6))
    optimizer = build("nelder_mead", {"coefficients": coefficients, "step": 0.7})
    _, queries, phases = play_rosenbrock(optimizer, s, dim, 120)
    ours = torch.cat([query.points for query in queries], 1)
    assert set(phases.flatten().tolist()) == {0, 1, 2, 3, 4}
    assert (phases[10:] != phases[10:, :1]).any()
    for r in range(6):
        theirs = asked_by_scipy(ours[r, 0].numpy(), coefficients == "adaptive", 0.7, 120)
        assert torch.allclose(ours[r], theirs, atol=1e-9)


def test_nelder_mead_shrinks_as_scipys_does():
    """On a function without order a shrink comes often."""
    s, optimizer = make(range(20)), build("nelder_mead", {"coefficients": "standard", "step": 0.7})
    state = optimizer.init(problem(s, REALS, 2), s)
    wild = lambda x: torch.sin(37 * x[..., 0]) * torch.cos(91 * x[..., 1])  # noqa: E731
    points, fills = [], 0
    for step in range(1, 121):
        query = optimizer.ask(state, s.at(step))
        state, info = optimizer.tell(state, query, Answer(wild(query.points)), s.at(step))
        points.append(query.points)
        fills += (info["phase"] == 0) & (step > 3)
    assert (fills > 0).all()
    ours = torch.cat(points, 1)
    for r in range(20):
        start, asked = ours[r, 0].numpy(), []
        options = {
            "initial_simplex": np.vstack([start, start + 0.7 * np.eye(2)]),
            "maxfev": 120,
            "xatol": 0,
            "fatol": 0,
        }
        loss = lambda x, asked=asked: asked.append(x.copy()) or float(wild(torch.from_numpy(x)))  # noqa: E731
        scipy.optimize.minimize(loss, start, method="Nelder-Mead", options=options)
        assert torch.allclose(ours[r, : len(asked)], torch.from_numpy(np.array(asked)), atol=1e-9)


def test_nelder_mead_behind_noise_asks_again_what_it_compares():
    """With noise of size 0 the same simplices as with exact values; only what is compared is alive."""
    optimizer, dim = build("nelder_mead", {}), 4
    exact, asked, phases = play_rosenbrock(optimizer, make(), dim, 90)
    noisy, queries, again = play_rosenbrock(optimizer, make(), dim, 90, exact=False)
    assert torch.equal(phases, again)
    assert torch.equal(exact.simplex, noisy.simplex)
    for first, query, phase in zip(asked, queries, phases, strict=True):
        assert query.points.shape == (8, dim + 3, dim)
        assert torch.equal(first.points[:, 0], query.points[:, 0])
        assert query.alive[:, 0].all()
        assert torch.equal(query.alive[:, 1], phase > 1)
        assert query.alive[phase > 0][:, 2:].all()
        assert not query.alive[phase == 0][:, 2:].all(1).any()
    spoilt = play_rosenbrock(optimizer, make(), dim, 90, noise=5.0, exact=False)[0]
    assert not torch.equal(spoilt.simplex, noisy.simplex)


# lbfgs ------------------------------------------------------------------------------------------------------


def rosenbrock_answer(points):
    x = points.detach().requires_grad_()
    value = rosenbrock(x)
    return Answer(value.detach(), torch.autograd.grad(value.sum(), x)[0])


def descend(optimizer, s, dim, steps, *, exact=True):
    state = optimizer.init(problem(s, Reals(-2.0, 2.0), dim, exact), s)
    states, queries, infos = [state], [], []
    for step in range(1, steps + 1):
        query = optimizer.ask(state, s.at(step))
        state, info = optimizer.tell(state, query, rosenbrock_answer(query.points), s.at(step))
        states, queries, infos = [*states, state], [*queries, query], [*infos, info["accepted"]]
    return states, queries, torch.stack(infos)


def accepted_points(states, infos, world):
    """The points visited (k, D)."""
    return torch.stack([
        state.point[world] for state, took in zip(states[1:], infos[:, world], strict=True) if took
    ])


@pytest.mark.parametrize("memory", [1, 3])
def test_lbfgs_direction_beside_dense_matrices(memory):
    """At every new point the direction is that of the last pairs, and the step meets the weak Wolfe conditions."""
    optimizer = build("lbfgs", {"memory": memory})
    states, _, infos = descend(optimizer, make(range(4)), 5, 40)
    for r in range(4):
        x = accepted_points(states, infos, r)
        value, slope = rosenbrock(x), rosenbrock_answer(x).gradient
        after = [state for state, took in zip(states[1:], infos[:, r], strict=True) if took]
        assert len(x) > 15
        for k in range(1, len(x)):
            pairs = [
                ((x[i + 1] - x[i]).tolist(), (slope[i + 1] - slope[i]).tolist())
                for i in range(max(0, k - memory), k)
            ]
            law = naive.bfgs_direction(slope[k].tolist(), pairs)
            assert after[k].direction[r].tolist() == pytest.approx(law, rel=1e-6, abs=1e-9)
            move = x[k] - x[k - 1]  # t d
            assert value[k] <= value[k - 1] + 1e-4 * (slope[k - 1] @ move)
            assert slope[k] @ move >= 0.9 * (slope[k - 1] @ move)


@pytest.mark.verify  # daily: each step, held to the conditions of Wolfe
def test_lbfgs_needs_about_as_many_gradients_as_scipys():
    """Gradients until the loss of Rosenbrock's function in 3-D is below 1e-10, median of 30 worlds.

    Within a half of scipy's.
    """
    s = make(range(30))
    states, queries, _ = descend(build("lbfgs", {}), s, 3, 250)
    value = torch.stack([rosenbrock(query.points[:, 0]) for query in queries])
    ours = (value < 1e-10).double().argmax(0)
    assert ((value < 1e-10).any(0)).all()
    theirs = []
    for start in states[0].point:
        seen = []

        def loss(x, seen=seen):
            answer = rosenbrock_answer(torch.from_numpy(x))
            seen.append(float(answer.value))
            return seen[-1], answer.gradient.numpy()

        options = {"maxcor": 10, "ftol": 0, "gtol": 1e-9}
        scipy.optimize.minimize(loss, start.numpy(), jac=True, method="L-BFGS-B", options=options)
        theirs.append(next((i for i, v in enumerate(seen) if v < 1e-10), 250))
    assert 2 / 3 < ours.median() / np.median(theirs) < 1.5


def test_lbfgs_search_that_does_not_end_forgets():
    """Where no trial is low enough the point stays, the pairs go, and the next search goes down the gradient."""
    s, optimizer = make(), build("lbfgs", {"trials": 3})
    states, _, _ = descend(optimizer, s, 5, 12)
    state = states[-1]._replace(
        trials=torch.ones_like(states[-1].trials)
    )  # a search begins in every world
    assert state.steps.any()
    for step in range(13, 16):
        query = optimizer.ask(state, s.at(step))
        bad = Answer(
            torch.full((8, 1), 1e9, dtype=torch.float64), torch.ones(8, 1, 5, dtype=torch.float64)
        )
        state, info = optimizer.tell(state, query, bad, s.at(step))
        assert not info["accepted"].any()
    assert torch.equal(state.point, states[-1].point)
    assert torch.equal(state.direction, -state.slope)
    assert not state.steps.any()
    assert (state.length * state.direction.norm(dim=1) <= 1 + 1e-12).all()


def test_lbfgs_behind_noise_asks_the_point_again():
    optimizer = build("lbfgs", {})
    exact, asked, _ = descend(optimizer, make(), 5, 30)
    noisy, queries, _ = descend(optimizer, make(), 5, 30, exact=False)
    for state, query, first in zip(noisy, queries, asked, strict=False):
        assert query.points.shape == (8, 2, 5)
        assert torch.equal(query.points[:, 0], state.point)
        assert torch.allclose(query.points[:, 1], first.points[:, 0], atol=1e-6)
    assert torch.allclose(exact[-1].point, noisy[-1].point, atol=1e-6)


@pytest.mark.parametrize("kind", ["nelder_mead", "lbfgs"])
def test_a_value_that_was_lucky_once_does_not_stay(kind):
    """The start seems better by 100 in the first query.

    Behind noise that is forgotten with the second, and the search goes on.
    """
    optimizer, s = build(kind, {}), make()
    state = optimizer.init(problem(s, REALS, 5, exact=False), s)
    first = optimizer.recommend(state)
    for step in range(1, 21):
        query = optimizer.ask(state, s.at(step))
        answer = rosenbrock_answer(query.points)
        answer = answer._replace(value=answer.value - 100 * (step == 1))
        state, _ = optimizer.tell(state, query, answer, s.at(step))
        assert bool((state.value < -50).any()) is (step == 1)
    assert (rosenbrock(optimizer.recommend(state)) < rosenbrock(first)).all()


@each(("outside", "shrinks"), [(1.5, False), (2.0, False), (2.5, True), (math.nan, True)])
def test_an_outside_contraction_must_be_as_good_as_the_reflection(outside, shrinks):
    """Vertices of values 0, 1, 3.

    A reflection of 2 lies between the last two, so the next point is the contraction on its side.
    """
    optimizer, s = build("nelder_mead", {}), make(range(1))
    state = optimizer.init(problem(s, REALS, 2), s)
    phases = []
    for step, value in enumerate((0.0, 1.0, 3.0, 2.0, outside), start=1):
        query = optimizer.ask(state, s.at(step))
        state, info = optimizer.tell(
            state, query, Answer(torch.tensor([[value]], dtype=torch.float64)), s.at(step)
        )
        phases.append(info["phase"].item())
    assert phases == [0, 0, 0, 1, 3]
    assert state.phase.item() == (0 if shrinks else 1)
