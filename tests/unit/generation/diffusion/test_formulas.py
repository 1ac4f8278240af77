"""The rules from samples to formulas."""

import numpy as np
import pytest

from core.chemistry import elements
from core.generation.diffusion.formulas import THRESHOLDS, at_any_step, chosen_threshold, survives, whole_cells, written
from core.generation.diffusion.settings import KIAGO, NEUTRAL, SUPERDIFF, WHOLE
from tests.unit.generation.diffusion.toys import amounts_of

LA, SR, CU, OXYGEN = (elements.element(symbol).index for symbol in ("La", "Sr", "Cu", "O"))


def cold(fractions):
    return np.zeros(len(fractions))


def sample(**amounts: float) -> np.ndarray:
    return amounts_of(**amounts).numpy()[None]


def test_superdiff_rounds_to_two_decimals_and_drops_small_amounts():
    result = written(sample(La=1.8549, Sr=0.29, Cu=1.0, O=3.996, H=0.074, Li=-0.07), SUPERDIFF, cold)
    assert result.lost[0] == "" and np.count_nonzero(result.amounts) == 4
    np.testing.assert_allclose(result.amounts[0, [LA, SR, CU, OXYGEN]], [1.85, 0.29, 1, 4])


def test_samples_survive_the_filter_with_two_to_most_elements():
    samples = np.concatenate([
        sample(La=1.85, Sr=0.15, Cu=1.0, O=4.0), sample(La=1.85, Cu=1.0, Sr=-0.09), sample(La=1.85, Sr=-0.07, Cu=0.5),
        sample(La=1.0), sample(La=1.0, Sr=0.05), np.zeros((1, 96)), np.full((1, 96), np.nan),
    ])  # fmt: skip
    assert survives(samples, 7).tolist() == [True, False, True, False, False, False, False]
    assert survives(samples, 3).tolist() == [False, False, True, False, False, False, False]


def test_a_sample_is_a_formula_at_every_step():
    noisy = sample(La=1.8549, Cu=-1.0, O=3.996, H=0.074)
    samples = np.concatenate([noisy, np.zeros((1, 96)), np.full((1, 96), np.nan)])
    assert at_any_step(samples) == ["La1.85O4", "", ""]


def test_superdiff_rejects_negative_amounts():
    result = written(sample(La=1.85, Cu=1.0, Sr=-0.09), SUPERDIFF, cold)
    assert result.lost[0] == "an amount is negative" and not result.amounts.any()


def test_two_decimals_are_rounded_to_whole_atoms_not_truncated():
    """0.29 * 100 is 28.999…, which truncation makes 28."""
    rounded, small = whole_cells(written(sample(La=1.71, Sr=0.29, Cu=1, O=4), SUPERDIFF, cold).amounts, SUPERDIFF)
    assert rounded.counts[0, SR] == 29 and small.all()
    np.testing.assert_allclose(rounded.amounts[0, [LA, SR]], [1.71, 0.29])
    rounded, _ = whole_cells(written(sample(La=0.5, Sr=1.5), SUPERDIFF, cold).amounts, SUPERDIFF)
    assert rounded.counts[0, [LA, SR]].tolist() == [1, 3]


def test_kiago_drops_negative_amounts_and_keeps_four_decimals():
    result = written(sample(La=1.85437, Cu=1.0, Sr=-0.5, Li=0.005), KIAGO, cold)
    assert result.lost[0] == "" and result.amounts[0, LA] == pytest.approx(1.8544)
    assert np.count_nonzero(result.amounts) == 2


def test_kiago_takes_the_threshold_with_the_highest_tc():
    """Tc is the share of La, so that dropping 0.045 Sr raises it; all thresholds above 0.045 are equal."""
    samples = np.repeat(sample(La=1.0, Sr=0.045), 40, axis=0)
    x = np.pad(samples, ((0, 0), (0, 22)))
    assert chosen_threshold(x, lambda fractions: fractions[:, LA]) == 0.05
    assert chosen_threshold(x, lambda fractions: -fractions[:, LA]) == THRESHOLDS[0]
    assert written(samples, KIAGO, lambda fractions: fractions[:, LA]).amounts[0, SR] == 0


def test_hydrides_are_rounded_to_whole_atoms():
    result = written(sample(La=1.4, H=9.6, O=-0.7, Sr=0.4), WHOLE, cold)
    assert result.amounts[0, LA] == 1 and result.amounts[0, 0] == 10 and np.count_nonzero(result.amounts) == 2


def test_the_neutral_rule_keeps_amounts_of_at_least_the_threshold():
    result = written(sample(La=1.8512, Sr=0.079, O=-3.0), NEUTRAL, cold)
    assert np.count_nonzero(result.amounts) == 1 and result.amounts[0, LA] == pytest.approx(1.8512)


@pytest.mark.parametrize("rule", [SUPERDIFF, KIAGO, WHOLE, NEUTRAL])
def test_samples_that_are_not_finite_or_empty_have_no_formula(rule):
    samples = np.concatenate([np.full((1, 96), np.nan), np.zeros((1, 96)), sample(La=2.0, O=3.0)])
    result = written(samples, rule, cold)
    assert result.lost.tolist() == ["a value is not finite", "no amount is left", ""]
    assert not result.amounts[:2].any() and result.amounts[2].any()


def test_cells_that_the_charge_screens_cannot_treat_are_named():
    _, small = whole_cells(np.pad(sample(La=100.0001, O=3.0), ((0, 0), (0, 22))), KIAGO)
    assert not small.any()
