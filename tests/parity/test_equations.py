"""The equations of the two papers, verified on cases with a solution by hand.

KIAGO: Fujii et al., Digital Discovery 2025, 4, 3662, eq. 3-17. GDMCD: Fujii et al., its predecessor, eq. 3-10 and the
starts of its section S5. The docstring of each test states the equation and the expected values.

Most cases have four elements, A, B, C and D, because the method does not depend on the number of elements.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, formula_of_counts
from core.generation.gradient import losses, optimiser
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Task
from core.generation.gradient.simplex_map import SimplexMap
from core.generation.initialization import enumerated
from core.generation.rounding import round_compositions
from core.predictors.interface import Predictor
from core.problem.presets import GDMCD, PAPER
from core.problem.settings import OptimiserSettings

pytestmark = pytest.mark.usefixtures("one_thread")

DOUBLE = torch.float64


def vector(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=DOUBLE)


def simplex_map(x_const: torch.Tensor, m_elem: list[int]) -> SimplexMap:
    return SimplexMap(x_const, torch.tensor(m_elem, dtype=torch.bool))


FREE = simplex_map(vector(0, 0, 0, 0), [1, 1, 1, 1])


@dataclass
class Linear(Predictor):
    """f(x) = values . x: the mean of the values of the elements."""

    values: torch.Tensor
    name: str = "linear"

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.values


@dataclass
class Peak(Predictor):
    """Tc(x) = 100 - 400 |x - top|^2 in K, with a single maximum of 100 K at `top`."""

    top: torch.Tensor
    name: str = "peak"

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return 100 - 400 * (x - self.top).square().sum(1)


NO_ENERGY = Linear(vector(0, 0, 0, 0))


def task(tc, energy=NO_ENERGY, constraints: SimplexMap = FREE, start=(0.25, 0.25, 0.25, 0.25), **settings) -> Task:
    """One candidate from `start`, without risk aversion as in the papers."""
    defaults = {"candidates": 1, "steps": (1000, 0), "learning_rate": 0.003, "risk_aversion": 0.0, "max_elements": 4}
    chosen = OptimiserSettings(**{**defaults, **settings})
    sizes = torch.arange(chosen.n_unit[0], chosen.n_unit[1] + 1, dtype=DOUBLE)
    return Task(tc, energy, constraints, chosen, sizes, lambda candidate, restart: vector(*start))


def solution(of: Task) -> torch.Tensor:
    """Composition (4,) of the single candidate after all steps."""
    state, _ = optimise(of)
    return optimiser.evaluate(of, state).composition[0]


# ---- KIAGO 2.4: which elements ------------------------------------------------------------------------------------


def test_kiago_eq_3_x_const_leaves_room():
    """x_const in [0, 1]^N and sum_i x_const_i < 1."""
    simplex_map(vector(0.5, 0.49, 0, 0), [0, 0, 1, 1])
    for sums_to_one_or_more in (vector(0.5, 0.5, 0, 0), vector(0.9, 0.2, 0, 0)):
        with pytest.raises(ValueError, match="less than 1"):
            simplex_map(sums_to_one_or_more, [0, 0, 1, 1])


def test_kiago_eq_4_the_free_part_fills_the_rest():
    """x = x_const + sigma(x_opt) (1 - sum x_const).

    x_const = (0.4, 0, 0, 0), x_opt = (0, 1, 3, 0): sigma = (0, 1/4, 3/4, 0), x = (0.4, 0.15, 0.45, 0).
    """
    x = simplex_map(vector(0.4, 0, 0, 0), [0, 1, 1, 1]).compose(vector(0, 1, 3, 0)[None])
    assert x[0].tolist() == pytest.approx([0.4, 0.15, 0.45, 0.0], abs=1e-12)


def test_kiago_eq_5_sigma_is_relu_over_its_sum():
    """sigma(v) = ReLU(v) / sum ReLU(v).  v = (2, -7, 6, 0): ReLU = (2, 0, 6, 0), sum 8."""
    assert FREE.compose(vector(2, -7, 6, 0)[None])[0].tolist() == [0.25, 0.0, 0.75, 0.0]


def test_kiago_eq_6_m_elem_excludes_elements():
    """x_opt = x_base * M_elem.  (1, 5, 3, 9) * (1, 0, 1, 0) = (1, 0, 3, 0)."""
    masked = simplex_map(vector(0, 0, 0, 0), [1, 0, 1, 0])
    assert masked.weights(vector(1, 5, 3, 9)[None])[0].tolist() == [1, 0, 3, 0]


def test_kiago_eq_7_and_8_m_max_selects_the_largest():
    """sum M_max = n_max, x_opt' = x_opt * M_max.

    (0.1, 0.4, 0.2, 0.3) with n_max = 2: the largest are B and D, M_max = (0, 1, 0, 1), x' = (0, 4/7, 0, 3/7).
    With A fixed at 0.3, A counts as one of the two, and B is the other: x' = (0.3, 0.7, 0, 0).
    """
    x_base = vector(0.1, 0.4, 0.2, 0.3)[None]
    mask = FREE.max_mask(x_base, 2)
    assert mask[0].tolist() == [False, True, False, True]
    assert FREE.compose(x_base, mask)[0].tolist() == pytest.approx([0, 4 / 7, 0, 3 / 7], abs=1e-12)
    fixed = simplex_map(vector(0.3, 0, 0, 0), [0, 1, 1, 1])
    x = fixed.compose(x_base, fixed.max_mask(x_base, 2))
    assert x[0].tolist() == pytest.approx([0.3, 0.7, 0, 0], abs=1e-12)


# ---- KIAGO 2.6: whole atoms ----------------------------------------------------------------------------------------

CA_SR_O = vector(0.23, 0.27, 0.50)[None]


def test_kiago_eq_9_and_10_the_integer_loss_of_figure_2():
    """c^4 = {0, 1/4, 1/2, 3/4, 1}, L_int^4 = sum_i min_n |x_i - c_n|.

    |0.23 - 0.25| + |0.27 - 0.25| + |0.50 - 0.50| = 0.02 + 0.02 + 0.00 = 0.04.
    """
    table = (CA_SR_O[0][:, None] - torch.arange(5, dtype=DOUBLE) / 4).abs()
    assert table[0].tolist() == pytest.approx([0.23, 0.02, 0.27, 0.52, 0.77], abs=1e-12)  # a column of the figure
    assert table.amin(1).sum().item() == pytest.approx(0.04, abs=1e-12)
    assert losses.grid_distance(CA_SR_O, vector(4)).item() == pytest.approx(0.04, abs=1e-12)


def test_kiago_eq_11_the_minimum_over_the_number_of_atoms():
    """L_integer = min over N of L_int^N.

    N = 2: 0.23 + 0.23 + 0 = 0.46; N = 3: 0.10 + 0.06 + 0.17 = 0.33 (nearest 1/3, 1/3, 2/3 or 1/3); N = 4: 0.04.
    """
    by_size = losses.grid_distance(CA_SR_O, vector(2, 3, 4))[0].tolist()
    third = abs(0.23 - 1 / 3) + abs(0.27 - 1 / 3) + abs(0.5 - 1 / 3)
    assert by_size == pytest.approx([0.46, third, 0.04], abs=1e-12)
    assert losses.integer_loss(CA_SR_O, vector(2, 3, 4)).item() == pytest.approx(0.04, abs=1e-12)


# ---- KIAGO 2.7: two stages -----------------------------------------------------------------------------------------


def test_kiago_eq_12_gradient_of_the_map():
    """x_i = c_i + r v_i / s with s = sum v, r = 1 - sum c, all v > 0, so dx_i/dv_j = r (delta_ij - v_i / s) / s.

    c = (0.4, 0, 0, 0), v = (-, 1, 3, -) for B and C: s = 4, r = 0.6; dx_B/dv_B = 0.6 * (1 - 1/4) / 4 = 0.1125,
    dx_B/dv_C = 0.6 * (-1/4) / 4 = -0.0375, dx_C/dv_B = 0.6 * (-3/4) / 4 = -0.1125, dx_C/dv_C = 0.0375.
    """
    mapping = simplex_map(vector(0.4, 0, 0, 0), [0, 1, 1, 0])
    jacobian = torch.autograd.functional.jacobian(lambda v: mapping.compose(v[None])[0], vector(9, 1, 3, 9))
    expected = [[0, 0, 0, 0], [0, 0.1125, -0.0375, 0], [0, -0.1125, 0.0375, 0], [0, 0, 0, 0]]
    assert torch.allclose(jacobian, torch.tensor(expected, dtype=DOUBLE), atol=1e-12)


def test_kiago_eq_13_the_first_loss():
    """L_1st = -Tc + alpha Ef.  Tc = 50 K, Ef = -1.5 eV/atom, alpha = 4 K per eV/atom: -50 - 6 = -56 K."""
    assert losses.objective(vector(50), vector(-1.5), 4.0).item() == -56.0
    assert PAPER.formation_energy_weight == 4.0  # "alpha = 4 (selected based on tuning)"


@pytest.mark.parametrize(("alpha", "wins"), [(0.0, 2), (4.0, 1), (60.0, 3)])
def test_kiago_eq_14_stage_1_minimises_the_loss(alpha, wins):
    """x* = argmin L_1st.

    Tc = (0, 80, 90, 20) K and Ef = (0, -3, 0, -5) eV/atom for the pure elements, linear in between. L of the elements:
    alpha = 0: 0, -80, -90, -20: all C. alpha = 4: 0, -92, -90, -40: all B. alpha = 60: 0, -260, -90, -320: all D.
    A linear loss has its minimum at a vertex of the simplex; with A fixed at 0.4 one element has the other 0.6.
    """
    tc, energy = Linear(vector(0, 80, 90, 20)), Linear(vector(0, -3, 0, -5))
    fixed = simplex_map(vector(0.4, 0, 0, 0), [0, 1, 1, 1])
    x = solution(task(tc, energy, fixed, formation_energy_weight=alpha))
    expected = [0.4, 0.0, 0.0, 0.0]
    expected[wins] = 0.6
    assert x.tolist() == pytest.approx(expected, abs=1e-9)


def test_kiago_eq_14_from_two_starts_to_the_same_optimum():
    """The single maximum of Tc is at (0.1, 0.2, 0.3, 0.4), where the gradient of the map vanishes."""
    top = vector(0.1, 0.2, 0.3, 0.4)
    for start in ((0.7, 0.1, 0.1, 0.1), (0.1, 0.1, 0.1, 0.7)):
        assert solution(task(Peak(top), start=start)).tolist() == pytest.approx(top.tolist(), abs=2e-3)


def test_kiago_eq_15_m_max_is_built_after_stage_1_and_constant():
    """x' = x_const + sigma(x_base * M_max * M_elem) (1 - sum x_const), M_max built from x*_1st.

    Tc has its maximum at (0.1, 0.2, 0.3, 0.4). A and B are the largest at the start, C and D after stage 1, and with
    n_max = 2 stage 2 has only C and D. With A = B = 0 the maximum has C - D = 0.3 - 0.4, at (0.45, 0.55).
    """
    posed = task(Peak(vector(0.1, 0.2, 0.3, 0.4)), start=(0.4, 0.4, 0.1, 0.1), steps=(1000, 1000), max_elements=2,
                 integer_weight=0.0)  # fmt: skip
    assert solution(posed).tolist() == pytest.approx([0, 0, 0.45, 0.55], abs=2e-3)


def test_kiago_eq_16_the_second_loss():
    """L_2nd = -Tc + alpha Ef + beta L_integer, with its gradient.

    x_base = (0.23, 0.27, 0.50, 0), N = 4, Tc = 10 x_A + 20 x_B, Ef = -x_C, alpha = 4, beta = 300 K (constant):
    L = -(2.3 + 5.4) + 4 (-0.5) + 300 * 0.04 = -7.7 - 2 + 12 = 2.3 K. As s = 1, dL/dv_j = g_j - sum_i g_i x_i with
    g = dL/dx = (-10 - 300, -20 + 300, -4 + 0, -300): A lies below its grid point, B above, C on it.
    """
    tc, energy = Linear(vector(10, 20, 0, 0)), Linear(vector(0, 0, -1, 0))
    posed = task(tc, energy, start=(0.23, 0.27, 0.5, 0), steps=(0, 1), formation_energy_weight=4.0,
                 integer_weight=300.0, integer_schedule="constant", n_unit=(4, 4))  # fmt: skip
    state = optimiser.init(posed)
    x_base = state.x_base.clone().requires_grad_()
    x = posed.constraints.compose(x_base)
    loss = losses.objective(tc(x), energy(x), 4.0)
    loss = loss + optimiser.integer_weight(posed.settings, 0) * losses.integer_loss(x[:, :3], posed.atom_counts)
    assert loss.item() == pytest.approx(2.3, abs=1e-9)
    g = np.array([-310.0, 280.0, -4.0])
    expected = g - g @ [0.23, 0.27, 0.5]
    assert torch.autograd.grad(loss.sum(), x_base)[0][0, :3].tolist() == pytest.approx(expected.tolist(), abs=1e-9)
    # The first step of Adam is the learning rate times the negative sign of the gradient.
    moved, report = optimiser.step(posed, state)
    step = (moved.x_base - state.x_base)[0, :3] / posed.settings.learning_rate
    assert step.tolist() == pytest.approx((-np.sign(expected)).tolist(), abs=1e-6)
    assert report.integer_loss.item() == pytest.approx(0.04, abs=1e-9)


def test_kiago_eq_17_stage_2_ends_on_the_grid_where_beta_is_large():
    """x*_2nd = argmin L_2nd.

    Tc has its maximum at Ca0.23 Sr0.27 O0.50, which is the optimum without the integer loss. With N = 4 the slope of
    the integer loss, beta = 300 K, exceeds that of Tc, 2 * 400 * 0.02 = 16 K: the optimum is Ca0.25 Sr0.25 O0.50.
    """
    top = vector(0.23, 0.27, 0.5, 0)
    posed = task(Peak(top), start=(0.4, 0.3, 0.3, 0), steps=(1000, 1000), n_unit=(4, 4), learning_rate=0.001)
    free = solution(replace(posed, settings=replace(posed.settings, integer_weight=0.0)))
    assert free.tolist() == pytest.approx(top.tolist(), abs=2e-3)
    whole = solution(replace(posed, settings=replace(posed.settings, integer_weight=300.0)))
    assert whole.tolist() == pytest.approx([0.25, 0.25, 0.5, 0], abs=2e-3)


# ---- GDMCD ---------------------------------------------------------------------------------------------------------


def test_gdmcd_eq_3_the_hinge():
    """L_2nd = max(0, y_t - y), y_t = 300 K.  y = 85.1 K: 214.9 K; y >= 300 K: 0, with gradient 0."""
    y = vector(85.1, 300.0, 310.0).requires_grad_()
    loss = losses.objective(y, torch.zeros(3, dtype=DOUBLE), 0.0, target=GDMCD.target_tc_K)
    assert loss.tolist() == pytest.approx([214.9, 0.0, 0.0], abs=1e-9)
    assert torch.autograd.grad(loss.sum(), y)[0].tolist() == [-1.0, 0.0, 0.0]
    assert GDMCD.objective == "target" and GDMCD.target_tc_K == 300.0 and GDMCD.formation_energy_weight == 0.0


def test_gdmcd_eq_4_the_optimiser_stops_at_the_target():
    """x_t2 = argmin max(0, y_t - f(x)).

    Tc = 100 x_A, from x = (1/4, 1/4, 1/4, 1/4): with y_t = 60 K the result has x_A = 0.6 (or slightly more, because of
    Adam's momentum), and not pure A, which has the highest Tc.
    """
    tc = Linear(vector(100, 0, 0, 0))
    targeted = solution(task(tc, objective="target", target_tc_K=60.0, learning_rate=0.001))
    assert 0.6 <= targeted[0].item() < 0.7
    assert solution(task(tc, learning_rate=0.001))[0].item() == pytest.approx(1.0, abs=1e-9)


def test_gdmcd_eq_5_and_6_are_those_of_kiago():
    """L_int^4 of Ca0.23 Sr0.27 O0.50 is 0.04, and N = 4 gives CaSrO2 (its figure 3)."""
    assert losses.grid_distance(CA_SR_O, vector(4), "absolute").item() == pytest.approx(0.04, abs=1e-12)
    x = composition_vector({"Ca": 0.23, "Sr": 0.27, "O": 0.50})[None]
    assert formula_of_counts(round_compositions(x, np.zeros(elements.N_ELEMENTS), [4]).counts[0]) == "SrCaO2"


def test_gdmcd_eq_7_two_elements_are_exempt():
    """L_int,ES^N = min over a, b of sum over i not in {a, b} of min_n |x_i - c_n|.

    Figure 3: with a, b = Ca, Sr the loss is 0.00, and N = 4 gives Ca0.92 Sr1.08 O2 (two formula units). For five
    elements the exempt pair, of all ten pairs, gives the lowest loss.
    """
    assert losses.grid_distance(CA_SR_O, vector(4), exempt=2).item() == pytest.approx(0.0, abs=1e-12)
    five = vector(0.07, 0.11, 0.21, 0.24, 0.37)[None]
    for n in (4, 7, 8):
        cost = losses.grid_distance(five.T[:, :, None].reshape(5, 1), vector(n))[:, 0]
        by_hand = min(sum(cost[i].item() for i in range(5) if i not in pair) for pair in combinations(range(5), 2))
        assert losses.grid_distance(five, vector(n), exempt=2).item() == pytest.approx(by_hand, abs=1e-12)
    x = composition_vector({"Ca": 0.23, "Sr": 0.27, "O": 0.50})[None]
    rounded = round_compositions(x, np.zeros(elements.N_ELEMENTS), [4], exempt=2)
    assert formula_of_counts(2 * rounded.amounts[0]) == "Sr1.08Ca0.92O2"


def test_gdmcd_eq_8_the_minimum_over_the_number_of_atoms_with_exempt_elements():
    """L_integer = min over N of L_int,ES^N.  (0.07, 0.11, 0.21, 0.24, 0.37) at N = 4, 7, 8: see eq. 7."""
    five = vector(0.07, 0.11, 0.21, 0.24, 0.37)[None]
    by_size = losses.grid_distance(five, vector(4, 7, 8), exempt=2)[0]
    assert losses.integer_loss(five, vector(4, 7, 8), exempt=2).item() == min(by_size.tolist())
    # N = 8: distances 0.055, 0.015, 0.04, 0.01, 0.005; without 0.055 and 0.04 the sum is 0.03.
    assert by_size[2].item() == pytest.approx(0.03, abs=1e-12)


def test_gdmcd_eq_9_the_weight_increases_to_its_full_value():
    """L_3rd = L_2nd + alpha L_integer, alpha "increased linearly to 100,000 at step 1000", {N} = 4..24."""
    assert (GDMCD.integer_weight, GDMCD.steps, GDMCD.n_unit) == (100_000.0, (1000, 1000), (4, 24))
    weights = [optimiser.integer_weight(GDMCD, step) for step in (999, 1000, 1499, 1999)]
    assert weights == pytest.approx([0.0, 100.0, 50_000.0, 100_000.0], abs=1e-9)


def test_gdmcd_eq_10_exempt_elements_keep_their_fractions():
    """x_t3 = argmin L_3rd with L_int,ES.

    Tc has its maximum, 100 K, at (0.22, 0.29, 0.49, 0), and the target is out of reach. With two exempt elements only
    the nearest one, C, moves to the grid of N = 4, to 0.5. The others keep their difference 0.07 and lose 0.005 each:
    (0.215, 0.285, 0.5). Without exempt elements the result is (0.25, 0.25, 0.5).
    """
    posed = task(
        Peak(vector(0.22, 0.29, 0.49, 0)), start=(0.3, 0.3, 0.4, 0), steps=(1000, 1000), n_unit=(4, 4),
        learning_rate=0.001, objective="target", integer_weight=300.0, formation_energy_weight=0.0,
    )  # fmt: skip
    doped = replace(posed, settings=replace(posed.settings, fractional_elements=2))
    assert solution(doped).tolist() == pytest.approx([0.215, 0.285, 0.5, 0], abs=2e-3)
    assert solution(posed).tolist() == pytest.approx([0.25, 0.25, 0.5, 0], abs=3e-3)


def test_gdmcd_eq_16_to_18_binary_and_ternary_starts():
    """x_c = (0.5, 0, ...) for H. Binary: x_opt = (n-1)/n - 0.5 for H and 1 - (n-1)/n for a, n = 2..10. Ternary: 0.25
    for a and b. x = x_opt + x_c, sum x_opt = 0.5.

    With a, b of Y and Pd: H_(n-1) Y and H_(n-1) Pd, nine each, and H2 Y Pd.
    """
    allowed, floors = np.zeros(elements.N_ELEMENTS, dtype=bool), np.zeros(elements.N_ELEMENTS)
    allowed[[elements.element(s).index for s in ("H", "Y", "Pd")]], floors[0] = True, 0.5
    x_opt = 0.5 * enumerated(allowed, floors, 0.5)
    assert np.allclose(x_opt.sum(1), 0.5) and (x_opt >= 0).all()
    fifth = [row for row in x_opt if np.isclose(row[38], 1 / 5)]  # a is Y, n = 5
    assert len(fifth) == 1 and fifth[0][0] == pytest.approx(4 / 5 - 0.5)
    found = {formula_of_counts(row) for row in round_compositions(floors + x_opt, 0 * floors, range(2, 11)).counts}
    hydrogen = ["H", *(f"H{n}" for n in range(2, 10))]
    assert found == {f"Y{h}" for h in hydrogen} | {f"Pd{h}" for h in hydrogen} | {"YPdH2"}
