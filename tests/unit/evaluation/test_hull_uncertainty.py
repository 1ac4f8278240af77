"""Expected error of an energy above hull: cases with expected values by hand, and the committed tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.evaluation.hull_uncertainty import distances_by_member, distances_with_std
from core.predictors.checkpoint import read_card
from core.predictors.ensemble import Ensemble, SpreadScale
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor
from core.predictors.registry import BEST
from core.reference_data.references import NAME, load_references
from core.screening.convex_hull import Hull, HullDistance

SCALE = SpreadScale(floor=0.01, slope=2.0)
OXYGEN = elements.element("O").index


class Tabulated(NetworkPredictor):
    """Predicts the given `energies` of a few formulas, and 0.5 eV/atom for other compositions."""

    role = Role.FORMATION_ENERGY

    def __init__(self, **energies: float):
        super().__init__()
        self.of = compositions(energies)
        self.register_buffer("energies", torch.tensor([*energies.values(), 0.5], dtype=torch.float64))
        self.register_buffer("known_elements", torch.ones(elements.N_ELEMENTS, dtype=torch.bool), persistent=False)

    def forward(self, composition):
        same = (composition[:, None] - torch.from_numpy(self.of).float()).abs().amax(2) < 1e-6
        return self.energies[torch.where(same.any(1), same.int().argmax(1), len(self.of))]


def ensemble(*members: NetworkPredictor) -> Ensemble:
    return Ensemble("by-hand", members)


def hull_of(predictor: NetworkPredictor, *formulas: str) -> Hull:
    return Hull(compositions(formulas), predictor(torch.from_numpy(compositions(formulas)).float()).numpy(), formulas)


def placed(predictor: NetworkPredictor, hull: Hull, *formulas: str, scale: SpreadScale | None = SCALE):
    x = compositions(formulas)
    return distances_with_std(hull, predictor, scale, x, predictor(torch.from_numpy(x).float()).numpy())


FIRST = {"Li2O": -2.0, "LiO": -1.6, "Li3O2": -1.9}  # Li3O2 is 3/5 Li2O and 2/5 LiO, which have -1.84 eV/atom


def shifted(by: float) -> Tabulated:
    return Tabulated(**{formula: energy + by for formula, energy in FIRST.items()})


def test_an_error_common_to_all_compounds_cancels():
    both = ensemble(shifted(-0.1), shifted(0.1))
    x = torch.from_numpy(compositions(["Li3O2"])).float()
    assert both.spread(x).item() == pytest.approx(0.1 * 2**0.5)
    (found,), std = placed(both, hull_of(both, "Li2O", "LiO"), "Li3O2")
    assert found.energy_above_hull_eV_per_atom == pytest.approx(-0.06)
    assert dict(found.decomposition) == pytest.approx({"Li2O": 0.6, "LiO": 0.4})
    assert std == pytest.approx([2**0.5 * SCALE.floor])


def test_different_errors_of_the_members_do_not_cancel():
    """d_1 = -0.06; member 2 has Li2O 0.1 and Li3O2 0.3 higher, so that d_2 = -0.06 + 0.3 - 0.6 * 0.1 = 0.18."""
    two = ensemble(shifted(0.0), Tabulated(**FIRST | {"Li2O": -1.9, "Li3O2": -1.6}))
    hull = hull_of(two, "Li2O", "LiO")
    (found,), std = placed(two, hull, "Li3O2")
    assert distances_by_member(two, compositions(["Li3O2"]), [found], {})[:, 0] == pytest.approx([-0.06, 0.18])
    assert std == pytest.approx([2**0.5 * (0.01 + 2.0 * 0.24 / 2**0.5)])


def test_elements_have_zero_energy_for_every_prediction():
    one = Tabulated(LiO=-1.0, O=7.0, Li=-7.0)
    mixtures = [HullDistance(0.0, (("O", 0.5), ("LiO", 0.5))), HullDistance(0.0, (("Li", 1.0),))]
    x = compositions(["LiO3", "Fe"])
    assert distances_by_member(ensemble(one), x, mixtures, {}).tolist() == [[pytest.approx(1.0), pytest.approx(0.5)]]


def test_a_calculated_energy_is_the_same_for_all_members():
    """As above, with a calculated energy of Li2O: d_1 = -0.06, d_2 = -0.06 + 0.3; of Li2O itself nothing is left."""
    two = ensemble(shifted(0.0), Tabulated(**FIRST | {"Li2O": -1.9, "Li3O2": -1.6}))
    energies = two(torch.from_numpy(compositions(["Li2O", "LiO"])).float()).numpy()
    energies[0] = -2.0
    hull = Hull(compositions(["Li2O", "LiO"]), energies, ("Li2O", "LiO"), np.array([True, False]))
    (found, itself), std = placed(two, hull, "Li3O2", "Li2O")
    by_member = distances_by_member(two, compositions(["Li3O2"]), [found], hull.calculated_energies)
    assert by_member[:, 0] == pytest.approx([-0.06, 0.24])
    assert itself.calculated and itself.energy_above_hull_eV_per_atom == 0
    assert std == pytest.approx([2**0.5 * (0.01 + 2.0 * 0.3 / 2**0.5), 2**0.5 * SCALE.floor])


def test_a_reference_phase_has_the_error_of_its_distance_to_the_others():
    """Li3O2 is a reference on the hull: its distance is 0, but its stability against the others has an error."""
    two = ensemble(shifted(0.0), Tabulated(**FIRST | {"Li3O2": -1.88}))
    (alone,), of_new = placed(two, hull_of(two, "Li2O", "LiO"), "Li3O2")
    (itself,), of_known = placed(two, hull_of(two, *FIRST), "Li3O2")
    assert alone.energy_above_hull_eV_per_atom == pytest.approx(-0.05)
    assert itself.energy_above_hull_eV_per_atom == 0 and itself.decomposition == (("Li3O2", 1.0),)
    assert of_known == pytest.approx(of_new) and of_new[0] == pytest.approx(2**0.5 * (0.01 + 2 * 0.02 / 2**0.5))


def test_without_a_scale_or_an_ensemble_the_error_is_missing():
    one, two = shifted(0.0), ensemble(shifted(0.0), shifted(0.1))
    for predictor, scale in ((one, SCALE), (two, None)):
        distances, std = placed(predictor, hull_of(predictor, "Li2O", "LiO"), "Li3O2", "LiO", scale=scale)
        assert len(distances) == 2 and np.isnan(std).tolist() == [True, True]


def test_no_compositions_give_no_distances():
    both = ensemble(shifted(0.0), shifted(0.1))
    distances, std = placed(both, hull_of(both, "Li2O", "LiO"))
    assert distances == [] and std.shape == (0,)


def test_a_result_does_not_depend_on_the_other_compositions():
    """Phases are predicted once for all compositions; each composition gets its own."""
    three = ensemble(shifted(0.0), Tabulated(**FIRST | {"LiO": -1.5}), Tabulated(**FIRST | {"Li2O": -1.7}))
    hull, formulas = hull_of(three, "Li2O", "LiO"), ["Li3O2", "LiO", "Li5O", "LiO3", "Li", "Li3O2"]
    _, together = placed(three, hull, *formulas)
    apart = [placed(three, hull, formula)[1][0] for formula in formulas]
    assert together == pytest.approx(apart) and len(set(np.round(apart, 9))) == 5  # one formula occurs twice


# The committed tables.


def test_only_the_ensemble_has_a_scale():
    scales = load_references().hull_error_scales
    assert set(scales) == {BEST.formation_energy}
    assert 0 < scales[BEST.formation_energy].floor < 0.1 and scales[BEST.formation_energy].slope > 0.5


def test_error_intervals_hold_on_held_out_data():
    """The errors follow Laplace's distribution only roughly; a scale wrong by a factor of 1.5 would fail."""
    inside = read_card(NAME)["metrics_held_out"]["by_spread"][f"{BEST.formation_energy}, distances"]["inside_intervals"]
    assert inside["50%"] == pytest.approx(0.5, abs=0.1) and inside["90%"] == pytest.approx(0.9, abs=0.03)
