"""Bounds, groups and ratios in the map x_base -> x: exact at every step, with the right gradient."""

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.generation.gradient import optimiser
from core.generation.gradient.constraint_projection import limits_of
from core.generation.gradient.optimiser import Task
from core.generation.gradient.simplex_map import SimplexMap
from core.predictors.interface import Predictor
from core.problem.composition_constraints import CompositionConstraints, ConstraintRequest, Group, read
from core.problem.settings import OptimiserSettings

DOUBLE = torch.float64
ALLOWED = elements.symbols()[:86]
EXACT = 1e-7


def columns(*symbols: str) -> list[int]:
    return [elements.element(symbol).index for symbol in symbols]


def constraints(
    bounds=None, groups=(), ratios=(), fixed=None, floors=None, allowed=ALLOWED, dtype=DOUBLE
) -> tuple[SimplexMap, CompositionConstraints]:
    bounds, fixed, floors = bounds or {}, fixed or {}, floors or {}
    free = tuple(s for s in allowed if s not in fixed)
    demands = read(ConstraintRequest(bounds, groups, ratios, free, fixed, floors))
    x_const, mask = torch.zeros(118, dtype=dtype), torch.zeros(118, dtype=torch.bool)
    for symbol, value in {**fixed, **floors}.items():
        x_const[columns(symbol)] = value
    mask[columns(*free)] = True
    return SimplexMap(x_const, mask, limits=limits_of(demands)), demands


def base(*rows: dict[str, float]) -> torch.Tensor:
    x = torch.zeros(len(rows), 118, dtype=DOUBLE)
    for row, amounts in zip(x, rows, strict=True):
        for symbol, amount in amounts.items():
            row[columns(symbol)] = amount
    return x


def named(x: torch.Tensor) -> dict[str, float]:
    return {elements.symbols()[i]: float(x[i]) for i in x.nonzero().flatten()}


# By hand.


def test_what_is_within_its_limits_is_only_normalised():
    c, _ = constraints({"O": (0.2, 0.6)}, [Group(("O", "F"), 0.3, 0.9)])
    x = c.compose(base({"La": 1, "Cu": 1, "O": 2}))
    assert named(x[0]) == pytest.approx({"La": 0.25, "Cu": 0.25, "O": 0.5})


def test_a_bound_is_reached_and_the_rest_keeps_its_ratios():
    c, _ = constraints({"O": (0.0, 0.4)})
    assert named(c.compose(base({"La": 1, "Cu": 2, "O": 7}))[0]) == pytest.approx({"La": 0.2, "Cu": 0.4, "O": 0.4})
    c, _ = constraints({"O": (0.4, 1.0)})
    assert named(c.compose(base({"La": 1, "Cu": 2}))[0]) == pytest.approx({"La": 0.2, "Cu": 0.4, "O": 0.4})


def test_a_group_is_raised_as_a_whole():
    # O + F is 2 of 10 and must be 1/2: both grow by the same factor, and La and Cu shrink by the same.
    c, _ = constraints(groups=[Group(("O", "F", "S"), 0.5, 1.0)])
    x = c.compose(base({"La": 6, "Cu": 2, "O": 1.5, "F": 0.5}))
    assert named(x[0]) == pytest.approx({"La": 0.375, "Cu": 0.125, "O": 0.375, "F": 0.125})


def test_a_bound_within_a_group():
    # The group is at 0.6; of that O can have 0.2 only, and F takes the rest.
    c, _ = constraints({"O": (0.0, 0.2)}, [Group(("O", "F"), 0.6, 1.0)])
    x = c.compose(base({"La": 8, "O": 1, "F": 1}))
    assert named(x[0]) == pytest.approx({"La": 0.4, "O": 0.2, "F": 0.4})


def test_a_ratio_moves_as_one():
    # Ba and Y are 6 parts together of 10, shared out 2:1.
    c, _ = constraints(ratios=[{"Ba": 2, "Y": 1}])
    assert named(c.compose(base({"Ba": 1, "Y": 5, "O": 4}))[0]) == pytest.approx({"Ba": 0.4, "Y": 0.2, "O": 0.4})
    c, _ = constraints({"Y": (0.0, 0.1)}, ratios=[{"Ba": 2, "Y": 1}])
    assert named(c.compose(base({"Ba": 1, "Y": 5, "O": 4}))[0]) == pytest.approx({"Ba": 0.2, "Y": 0.1, "O": 0.7})


def test_what_is_fixed_counts_in_its_group():
    c, _ = constraints(groups=[Group(("O", "F"), 0.5, 1.0)], fixed={"O": 0.4})
    assert named(c.compose(base({"La": 5, "F": 1}))[0]) == pytest.approx({"La": 0.5, "O": 0.4, "F": 0.1})


def test_nothing_changes_where_nothing_binds():
    """To the last bit of single precision."""
    free = SimplexMap(torch.zeros(118), torch.ones(118, dtype=torch.bool))
    c, _ = constraints({"O": (0.0, 1.0)}, allowed=elements.symbols(), dtype=torch.float32)
    x = torch.rand(50, 118) - 0.7
    assert torch.allclose(c.compose(x), free.compose(x), atol=3e-8)


def test_too_few_elements_are_dead():
    c, _ = constraints({"O": (0.0, 0.4), "Cu": (0.0, 0.4)}, [Group(("N", "F"), 0.0, 0.1)])
    alive = c.alive(base({"O": 1, "Cu": 1}, {"O": 1, "Cu": 1, "F": 1}, {"O": 1, "Cu": 1, "La": 0.1}))
    assert alive.tolist() == [False, False, True]
    c, _ = constraints(groups=[Group(("N", "F"), 0.1, 1.0)])
    assert c.alive(base({"O": 1}, {"O": 1, "F": 0.01})).tolist() == [False, True]


def test_the_largest_that_keep_the_demands_stay():
    c, _ = constraints({"O": (0.3, 0.6)}, [Group(("F", "Cl"), 0.1, 1.0)], [{"Ba": 2, "Y": 1}])
    x = base({"La": 9, "Cu": 8, "Ba": 7, "Y": 1, "F": 0.1, "Cl": 0.2, "O": 5, "Sr": 6})
    kept = {n: set(named(c.compose(x, c.max_mask(x, n))[0])) for n in (3, 4, 5, 6)}
    assert kept[3] == {"O", "Cl", "La"} and kept[4] == {"O", "Cl", "La", "Cu"}
    assert kept[5] == {"O", "Cl", "La", "Cu", "Sr"}  # Ba and Y together are two
    x = base({"La": 9, "Ba": 8, "Y": 8, "F": 0.1, "O": 5})
    assert set(named(c.compose(x, c.max_mask(x, 4))[0])) == {"O", "F", "Ba", "Y"}


# Random problems.


def random_demands(random: np.random.Generator) -> dict:
    """Nested groups of up to 8 elements, bounds in and outside of them, a ratio; not always possible together."""
    names = [str(s) for s in random.choice(ALLOWED, 14, replace=False)]

    def limits(size: float) -> tuple[float, float]:
        low = random.uniform(0, 0.25) * size * (random.random() < 0.7)
        return float(low), float(min(low + random.uniform(0.05, 0.5), 1.0))

    inner, outer = tuple(names[:3]), tuple(names[:6])
    return {
        "bounds": {s: limits(0.5) for s in (names[0], names[4], names[7], names[12])},
        "groups": [Group(inner, *limits(1)), Group(outer, *limits(2)), Group(tuple(names[7:10]), *limits(1))],
        "ratios": [{names[10]: 2, names[11]: float(random.integers(1, 4)), names[12]: 1}],
        "fixed": {names[13]: 0.1} if random.random() < 0.5 else {},
    }


def possible(seed: int) -> tuple[dict, SimplexMap, CompositionConstraints, np.random.Generator]:
    """A random problem whose demands can be met together."""
    random = np.random.default_rng(seed)
    while True:
        asked = random_demands(random)
        try:
            return asked, *constraints(**asked), random
        except ValueError:  # InputError: these contradict each other
            continue


def worst(asked: dict, x: torch.Tensor) -> float:
    """By how much compositions (batch, 118) miss what was asked, at most."""
    x = x.double()
    misses = [(x.sum(1) - 1).abs(), -x.min(1).values]
    limits = [((s,), *pair) for s, pair in asked["bounds"].items()]
    for members, low, high in limits + [(g.elements, g.low, g.high) for g in asked["groups"]]:
        inside = x[:, columns(*members)].sum(1)
        misses += [low - inside, inside - high]
    for ratio in asked["ratios"]:
        parts = x[:, columns(*ratio)] / torch.tensor(list(ratio.values()), dtype=DOUBLE)
        misses.append(parts.max(1).values - parts.min(1).values)
    misses += [(x[:, columns(s)[0]] - value).abs() for s, value in asked["fixed"].items()]
    return float(torch.stack(misses).max())


class Bowl(Predictor):
    """A convex toy: its value is the squared distance to a point, weighted."""

    name, known_elements = "bowl", torch.ones(118, dtype=torch.bool)

    def __init__(self, seed: int, sign: float):
        generator = torch.Generator().manual_seed(seed)
        self.to_point = torch.rand(118, generator=generator) / 20
        self.sign = sign

    def __call__(self, x):
        return self.sign * (x - self.to_point).square().sum(1)


class Zero(Predictor):
    """0 for every composition."""

    def __call__(self, x):
        return x.sum(1) * 0


@pytest.mark.parametrize("seed", range(8))
def test_every_step_of_a_random_run_keeps_everything_exactly(seed):
    asked, c, *_ = possible(seed)
    single = SimplexMap(c.fixed.float(), c.allowed, limits=c.limits)

    def guess(candidate: int, restart: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1000 * candidate + restart)
        return torch.rand(118, generator=generator) * single.allowed

    settings = OptimiserSettings(candidates=12, steps=(8, 8), max_elements=12, integer_weight=100.0)
    task = Task(Bowl(seed, -100.0), Zero(), single, settings, torch.arange(4.0, 26.0), guess)
    state = optimiser.init(task)
    while int(state.step) < 16:
        state, report = optimiser.step(task, state)
        assert worst(asked, report.composition) <= EXACT
        if report.stage == 2:
            assert int((report.composition > 0).sum(1).max()) <= 12


@pytest.mark.parametrize("seed", range(8))
def test_gradient_of_the_whole_map_against_finite_differences(seed):
    asked, c, _, random = possible(seed)
    x = torch.tensor(random.uniform(0.01, 1.0, (3, 118)) * (random.random((3, 118)) < 0.4), dtype=DOUBLE)
    x[:, columns(*(s for g in asked["groups"] for s in g.elements))] += 0.1
    mask = c.max_mask(x, 20)
    assert c.alive(x, mask).all()
    x.requires_grad_()
    weights = torch.tensor(random.normal(size=(3, 118)), dtype=DOUBLE)
    (gradient,) = torch.autograd.grad((c.compose(x, mask) * weights).sum(), x)
    small = 1e-7
    for _ in range(20):
        way = torch.tensor(random.normal(size=(3, 118)), dtype=DOUBLE) * (x > 0)
        up, down = ((c.compose(x.detach() + sign * small * way, mask) * weights).sum(1) for sign in (1, -1))
        expected = (up - down) / (2 * small)
        assert torch.allclose((gradient * way).sum(1), expected, rtol=1e-5, atol=1e-6)


def test_the_same_optimum_from_two_starts():
    """The toy is convex and so is what is allowed: there is one best composition, and it is reached from both ends."""
    names = ("La", "Ba", "Y", "Cu", "O", "F")
    c, _ = constraints({"O": (0.1, 0.35)}, [Group(("O", "F"), 0.4, 0.7)], [{"Ba": 2, "Y": 1}], allowed=names)
    goal = base({"La": 0.3, "Ba": 0.05, "Y": 0.1, "Cu": 0.05, "O": 0.5, "F": 0.0})[0]
    ends = []
    for start in (
        {"La": 5, "Ba": 1, "Y": 1, "Cu": 1, "O": 1, "F": 1},
        {"La": 1, "Ba": 1, "Y": 6, "Cu": 5, "O": 1, "F": 9},
    ):
        x = base(start).requires_grad_()
        adam = torch.optim.Adam([x], lr=0.02)
        for step in range(600):
            adam.param_groups[0]["lr"] = 0.05 * (1 - step / 600)
            with torch.no_grad():
                x.copy_(c.settled(x))
            adam.zero_grad()
            ((c.compose(x) - goal) ** 2).sum().backward()
            adam.step()
        ends.append(c.compose(x.detach())[0])
    assert torch.allclose(ends[0], ends[1], atol=1e-4)
    # By hand: O at its most, 0.35, and F at the group's least, 0.05. The other 0.6 is La, Cu and the pair, of which the
    # goal has 0.3, 0.05 and (0.05, 0.1): with the pair (2t, t) and one multiplier m, La = 0.3 + m, Cu = 0.05 + m, and
    # 5 t = 2 * 0.05 + 0.1 + 3 m; so 0.35 + 2 m + 3 (0.2 + 3 m) / 5 = 0.6, m = 0.13 / 3.8.
    m = 0.13 / 3.8
    t = (0.2 + 3 * m) / 5
    best = {"La": 0.3 + m, "Cu": 0.05 + m, "Ba": 2 * t, "Y": t, "O": 0.35, "F": 0.05}
    for end in ends:
        assert named(end) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_settling_changes_no_composition_and_brings_all_to_its_limits(seed):
    _, c, _, random = possible(seed)
    x = torch.tensor(random.normal(size=(20, 118)), dtype=DOUBLE)
    x = x[c.alive(x)]
    settled = c.settled(x)
    assert len(x) > 5 and torch.allclose(c.compose(settled), c.compose(x), atol=1e-7)
    assert torch.allclose(c.settled(settled), settled, rtol=1e-5)


def test_at_a_limit_only_what_points_inwards_moves():
    c, _ = constraints({"O": (0.3, 1.0)})
    x = base({"La": 1, "Cu": 1, "O": 0.1})
    oxygen = columns("O")
    for push, moves in ((1.0, False), (-1.0, True)):  # a loss that rises, or falls, with oxygen
        at_limit = c.settled(x).requires_grad_()
        (gradient,) = torch.autograd.grad(push * c.compose(at_limit)[:, oxygen].sum(), at_limit)
        assert bool(gradient[0, oxygen] < -1e-3) == moves
        assert moves or gradient.abs().max() < 1e-9
        beyond = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(push * c.compose(beyond)[:, oxygen].sum(), beyond)
        assert not gradient.any()
