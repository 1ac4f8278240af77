"""Projection onto bounds, groups and ratios: exact at every step, with the correct gradient."""

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.generation.gradient import optimiser
from core.generation.gradient.constraint_projection import constraint_projection
from core.generation.gradient.optimiser import Task
from core.generation.gradient.simplex_map import SimplexMap
from core.predictors.interface import Predictor
from core.problem.composition_constraints import ConstraintRequest, Group, nested_constraints
from core.problem.constraint_sets import CompositionConstraints
from core.problem.settings import OptimiserSettings

DOUBLE = torch.float64
ALLOWED = elements.symbols()[:86]
EXACT = 1e-7


def columns(*symbols: str) -> list[int]:
    return [elements.element(symbol).index for symbol in symbols]


def projected_map(
    bounds=None, groups=(), ratios=(), fixed=None, floors=None, allowed=ALLOWED, dtype=DOUBLE
) -> tuple[SimplexMap, CompositionConstraints]:
    bounds, fixed, floors = bounds or {}, fixed or {}, floors or {}
    free = tuple(s for s in allowed if s not in fixed)
    constraints = nested_constraints(ConstraintRequest(bounds, groups, ratios, free, fixed, floors))
    x_const, mask = torch.zeros(118, dtype=dtype), torch.zeros(118, dtype=torch.bool)
    for symbol, value in {**fixed, **floors}.items():
        x_const[columns(symbol)] = value
    mask[columns(*free)] = True
    return SimplexMap(x_const, mask, projection=constraint_projection(constraints)), constraints


def base(*rows: dict[str, float]) -> torch.Tensor:
    x = torch.zeros(len(rows), 118, dtype=DOUBLE)
    for row, amounts in zip(x, rows, strict=True):
        for symbol, amount in amounts.items():
            row[columns(symbol)] = amount
    return x


def named(x: torch.Tensor) -> dict[str, float]:
    return {elements.symbols()[i]: float(x[i]) for i in x.nonzero().flatten()}


# Expected values by hand.


def test_ratios_within_all_bounds_are_only_normalised():
    c, _ = projected_map({"O": (0.2, 0.6)}, [Group(("O", "F"), 0.3, 0.9)])
    x = c.compose(base({"La": 1, "Cu": 1, "O": 2}))
    assert named(x[0]) == pytest.approx({"La": 0.25, "Cu": 0.25, "O": 0.5})


def test_at_a_bound_the_other_elements_keep_their_ratios():
    c, _ = projected_map({"O": (0.0, 0.4)})
    assert named(c.compose(base({"La": 1, "Cu": 2, "O": 7}))[0]) == pytest.approx({"La": 0.2, "Cu": 0.4, "O": 0.4})
    c, _ = projected_map({"O": (0.4, 1.0)})
    assert named(c.compose(base({"La": 1, "Cu": 2}))[0]) == pytest.approx({"La": 0.2, "Cu": 0.4, "O": 0.4})


def test_a_group_at_its_lower_bound_keeps_its_ratios():
    # O + F is 2/10 and must be 1/2: O and F are scaled by one factor, La and Cu by another.
    c, _ = projected_map(groups=[Group(("O", "F", "S"), 0.5, 1.0)])
    x = c.compose(base({"La": 6, "Cu": 2, "O": 1.5, "F": 0.5}))
    assert named(x[0]) == pytest.approx({"La": 0.375, "Cu": 0.125, "O": 0.375, "F": 0.125})


def test_a_bound_within_a_group():
    # The group is at its lower bound 0.6 and O at its upper bound 0.2; F has the rest.
    c, _ = projected_map({"O": (0.0, 0.2)}, [Group(("O", "F"), 0.6, 1.0)])
    x = c.compose(base({"La": 8, "O": 1, "F": 1}))
    assert named(x[0]) == pytest.approx({"La": 0.4, "O": 0.2, "F": 0.4})


def test_elements_in_a_ratio_form_one_unit():
    # Ba + Y is 6/10, divided 2:1.
    c, _ = projected_map(ratios=[{"Ba": 2, "Y": 1}])
    assert named(c.compose(base({"Ba": 1, "Y": 5, "O": 4}))[0]) == pytest.approx({"Ba": 0.4, "Y": 0.2, "O": 0.4})
    c, _ = projected_map({"Y": (0.0, 0.1)}, ratios=[{"Ba": 2, "Y": 1}])
    assert named(c.compose(base({"Ba": 1, "Y": 5, "O": 4}))[0]) == pytest.approx({"Ba": 0.2, "Y": 0.1, "O": 0.7})


def test_fixed_elements_count_in_their_group():
    c, _ = projected_map(groups=[Group(("O", "F"), 0.5, 1.0)], fixed={"O": 0.4})
    assert named(c.compose(base({"La": 5, "F": 1}))[0]) == pytest.approx({"La": 0.5, "O": 0.4, "F": 0.1})


def test_constraints_that_do_not_bind_change_nothing():
    """Up to the last bit of single precision."""
    free = SimplexMap(torch.zeros(118), torch.ones(118, dtype=torch.bool))
    c, _ = projected_map({"O": (0.0, 1.0)}, allowed=elements.symbols(), dtype=torch.float32)
    x = torch.rand(50, 118) - 0.7
    assert torch.allclose(c.compose(x), free.compose(x), atol=3e-8)


def test_candidates_with_too_few_elements_are_dead():
    c, _ = projected_map({"O": (0.0, 0.4), "Cu": (0.0, 0.4)}, [Group(("N", "F"), 0.0, 0.1)])
    alive = c.alive(base({"O": 1, "Cu": 1}, {"O": 1, "Cu": 1, "F": 1}, {"O": 1, "Cu": 1, "La": 0.1}))
    assert alive.tolist() == [False, False, True]
    c, _ = projected_map(groups=[Group(("N", "F"), 0.1, 1.0)])
    assert c.alive(base({"O": 1}, {"O": 1, "F": 0.01})).tolist() == [False, True]


def test_max_mask_selects_the_largest_elements_that_satisfy_the_constraints():
    c, _ = projected_map({"O": (0.3, 0.6)}, [Group(("F", "Cl"), 0.1, 1.0)], [{"Ba": 2, "Y": 1}])
    x = base({"La": 9, "Cu": 8, "Ba": 7, "Y": 1, "F": 0.1, "Cl": 0.2, "O": 5, "Sr": 6})
    kept = {n: set(named(c.compose(x, c.max_mask(x, n))[0])) for n in (3, 4, 5, 6)}
    assert kept[3] == {"O", "Cl", "La"} and kept[4] == {"O", "Cl", "La", "Cu"}
    assert kept[5] == {"O", "Cl", "La", "Cu", "Sr"}  # Ba and Y would be two elements
    x = base({"La": 9, "Ba": 8, "Y": 8, "F": 0.1, "O": 5})
    assert set(named(c.compose(x, c.max_mask(x, 4))[0])) == {"O", "F", "Ba", "Y"}


# Random problems.


def random_constraints(random: np.random.Generator) -> dict:
    """Nested groups, bounds inside and outside of them, and a ratio; not always feasible."""
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


def feasible(seed: int) -> tuple[dict, SimplexMap, CompositionConstraints, np.random.Generator]:
    """A random problem with feasible constraints."""
    random = np.random.default_rng(seed)
    while True:
        given = random_constraints(random)
        try:
            return given, *projected_map(**given), random
        except ValueError:  # InputError: infeasible
            continue


def max_violation(given: dict, x: torch.Tensor) -> float:
    """Largest violation of the constraints by compositions (batch, 118)."""
    x = x.double()
    violations = [(x.sum(1) - 1).abs(), -x.min(1).values]
    bounds = [((s,), *pair) for s, pair in given["bounds"].items()]
    for members, low, high in bounds + [(g.elements, g.low, g.high) for g in given["groups"]]:
        inside = x[:, columns(*members)].sum(1)
        violations += [low - inside, inside - high]
    for ratio in given["ratios"]:
        parts = x[:, columns(*ratio)] / torch.tensor(list(ratio.values()), dtype=DOUBLE)
        violations.append(parts.max(1).values - parts.min(1).values)
    violations += [(x[:, columns(s)[0]] - value).abs() for s, value in given["fixed"].items()]
    return float(torch.stack(violations).max())


class Bowl(Predictor):
    """Squared distance to a point, with a sign."""

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
def test_every_step_of_a_random_run_satisfies_the_constraints_exactly(seed):
    given, c, *_ = feasible(seed)
    single = SimplexMap(c.fixed.float(), c.allowed, projection=c.projection)

    def guess(candidate: int, restart: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1000 * candidate + restart)
        return torch.rand(118, generator=generator) * single.allowed

    settings = OptimiserSettings(candidates=12, steps=(8, 8), max_elements=12, integer_weight=100.0)
    task = Task(Bowl(seed, -100.0), Zero(), single, settings, torch.arange(4.0, 26.0), guess)
    state = optimiser.init(task)
    while int(state.step) < 16:
        state, report = optimiser.step(task, state)
        assert max_violation(given, report.composition) <= EXACT
        if report.stage == 2:
            assert int((report.composition > 0).sum(1).max()) <= 12


@pytest.mark.parametrize("seed", range(8))
def test_gradient_of_the_whole_map_against_finite_differences(seed):
    given, c, _, random = feasible(seed)
    x = torch.tensor(random.uniform(0.01, 1.0, (3, 118)) * (random.random((3, 118)) < 0.4), dtype=DOUBLE)
    x[:, columns(*(s for g in given["groups"] for s in g.elements))] += 0.1
    mask = c.max_mask(x, 20)
    assert c.alive(x, mask).all()
    x.requires_grad_()
    weights = torch.tensor(random.normal(size=(3, 118)), dtype=DOUBLE)
    (gradient,) = torch.autograd.grad((c.compose(x, mask) * weights).sum(), x)
    small = 1e-7
    for _ in range(20):
        direction = torch.tensor(random.normal(size=(3, 118)), dtype=DOUBLE) * (x > 0)
        up, down = ((c.compose(x.detach() + sign * small * direction, mask) * weights).sum(1) for sign in (1, -1))
        expected = (up - down) / (2 * small)
        assert torch.allclose((gradient * direction).sum(1), expected, rtol=1e-5, atol=1e-6)


def test_the_same_optimum_from_two_starts():
    """Objective and feasible set are convex: there is a single optimum."""
    names = ("La", "Ba", "Y", "Cu", "O", "F")
    c, _ = projected_map({"O": (0.1, 0.35)}, [Group(("O", "F"), 0.4, 0.7)], [{"Ba": 2, "Y": 1}], allowed=names)
    goal = base({"La": 0.3, "Ba": 0.05, "Y": 0.1, "Cu": 0.05, "O": 0.5, "F": 0.0})[0]
    starts = (
        {"La": 5, "Ba": 1, "Y": 1, "Cu": 1, "O": 1, "F": 1},
        {"La": 1, "Ba": 1, "Y": 6, "Cu": 5, "O": 1, "F": 9},
    )
    x = base(*starts).requires_grad_()
    adam = torch.optim.Adam([x], lr=0.02)
    for step in range(600):
        adam.param_groups[0]["lr"] = 0.05 * (1 - step / 600)
        with torch.no_grad():
            x.copy_(c.project_ratios(x))
        adam.zero_grad()
        ((c.compose(x) - goal) ** 2).sum().backward()
        adam.step()
    ends = c.compose(x.detach())
    assert torch.allclose(ends[0], ends[1], atol=1e-4)
    # By hand: O is at its upper bound 0.35, O + F at its lower bound, F = 0.05. The other 0.6 is La, Cu and the pair,
    # with goals 0.3, 0.05 and (0.05, 0.1): with the pair (2t, t) and one multiplier m, La = 0.3 + m, Cu = 0.05 + m, and
    # 5 t = 2 * 0.05 + 0.1 + 3 m; so 0.35 + 2 m + 3 (0.2 + 3 m) / 5 = 0.6, m = 0.13 / 3.8.
    m = 0.13 / 3.8
    t = (0.2 + 3 * m) / 5
    best = {"La": 0.3 + m, "Cu": 0.05 + m, "Ba": 2 * t, "Y": t, "O": 0.35, "F": 0.05}
    for end in ends:
        assert named(end) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_projecting_ratios_keeps_the_composition_and_is_idempotent(seed):
    _, c, _, random = feasible(seed)
    x = torch.tensor(random.normal(size=(20, 118)), dtype=DOUBLE)
    x = x[c.alive(x)]
    projected = c.project_ratios(x)
    assert len(x) > 5 and torch.allclose(c.compose(projected), c.compose(x), atol=1e-7)
    assert torch.allclose(c.project_ratios(projected), projected, rtol=1e-5)


def test_at_a_bound_only_an_inward_gradient_passes():
    c, _ = projected_map({"O": (0.3, 1.0)})
    x = base({"La": 1, "Cu": 1, "O": 0.1})
    oxygen = columns("O")
    for push, moves in ((1.0, False), (-1.0, True)):  # a loss that increases or decreases with oxygen
        at_bound = c.project_ratios(x).requires_grad_()
        (gradient,) = torch.autograd.grad(push * c.compose(at_bound)[:, oxygen].sum(), at_bound)
        assert bool(gradient[0, oxygen] < -1e-3) == moves
        assert moves or gradient.abs().max() < 1e-9
        beyond = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(push * c.compose(beyond)[:, oxygen].sum(), beyond)
        assert not gradient.any()
