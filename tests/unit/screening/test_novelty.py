"""Nearest known superconductor: distance, known compositions, ties, and invalid input."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from core.chemistry import elements
from core.chemistry.composition import composition_vector, compositions
from core.chemistry.formula_reader import parse_formula
from core.reference_data.references import load_references
from core.screening.novelty import (
    BLOCK,
    KnownSuperconductors,
    NearestKnown,
    mendeleev_distances,
    mendeleev_scale,
)


def known(**tc_K: float) -> KnownSuperconductors:
    """Known superconductors by formula, with their Tc in K, each reported once."""
    return KnownSuperconductors(compositions(tc_K), np.array(list(tc_K.values())), np.ones(len(tc_K)), list(tc_K))


def nearest(others: KnownSuperconductors, formula: str) -> NearestKnown:
    return others.nearest(composition_vector(parse_formula(formula)))


def distance(x: np.ndarray, y: np.ndarray) -> float:
    """Earth mover's distance of two compositions (118,)."""
    return KnownSuperconductors(y[None], np.ones(1), np.ones(1), ["y"]).nearest(x).distance


def random_compositions(n: int, seed: int = 0) -> np.ndarray:
    """Compositions (n, 118) of two to seven elements."""
    random = np.random.default_rng(seed)
    x = np.zeros((n, elements.N_ELEMENTS))
    for row in x:
        row[random.choice(elements.N_ELEMENTS, random.integers(2, 8), replace=False)] = 1.0
        row *= random.integers(1, 20, elements.N_ELEMENTS)
    return x / x.sum(1, keepdims=True)


# The scale and the distance.


def test_every_element_has_a_distinct_position_on_the_scale():
    scale = mendeleev_scale()
    assert sorted(scale) == list(range(1, 119))
    at = {symbol: scale[elements.element(symbol).index] for symbol in ("Li", "Na", "K", "Br", "Cl", "La", "Rf", "Og")}
    assert at == {"Li": 12, "Na": 11, "K": 10, "Br": 98, "Cl": 99, "La": 33, "Rf": 104, "Og": 118}


@pytest.mark.parametrize(
    ("formula", "other", "expected"),
    [
        ("NaCl", "NaCl", 0.0),
        ("Na2Cl2", "NaCl", 0.0),
        ("NaCl", "KCl", 0.5),  # half of the atoms go from Na (11) to K (10), one step
        ("Na3Cl", "Na3Br", 0.25),  # a quarter goes from Cl (99) to Br (98)
        ("NaCl", "LiBr", 1.0),  # half a step for Na -> Li (11 -> 12), half for Cl -> Br
        ("Na", "Cl", 88.0),  # everything goes from 11 to 99
        ("NaCl", "Na3Cl", 22.0),  # a quarter goes from Cl (99) to Na (11)
        ("LiK", "Na", 1.0),  # half a step from each side
    ],
)
def test_distance_by_hand(formula, other, expected):
    assert nearest(known(**{other: 1.0}), formula).distance == pytest.approx(expected, abs=1e-9)


def test_distance_is_a_metric():
    x = random_compositions(12)
    d = np.array([[distance(a, b) for b in x] for a in x])
    assert (np.diag(d) == 0).all()
    assert (d[~np.eye(12, dtype=bool)] > 0.1).all()
    assert np.allclose(d, d.T, atol=1e-12)
    assert (d[:, None, :] <= d[:, :, None] + d[None, :, :] + 1e-9).all()  # d(a, c) <= d(a, b) + d(b, c)


def test_distance_agrees_with_scipy():
    x, scale = random_compositions(20, seed=1), mendeleev_scale()
    for a, b in zip(x[:10], x[10:], strict=True):
        assert distance(a, b) == pytest.approx(wasserstein_distance(scale, scale, a, b), abs=1e-9)


# Known compositions.


@pytest.mark.parametrize(
    ("formula", "is_known"),
    [
        ("La1.85Sr0.15CuO4", True),
        ("La37Sr3Cu20O80", True),  # the same, times 20
        ("La1.82Sr0.18CuO4", True),  # 0.03 of 7 atoms: 0.0043
        ("La1.81Sr0.19CuO4", False),  # 0.04 of 7 atoms: 0.0057
        ("La1.85Sr0.15CuO3.95", True),  # 3.95/6.95 - 4/7 = -0.0031
        ("La1.85Sr0.15CuO3.9", False),  # 3.9/6.9 - 4/7 = -0.0062
        ("La1.85Ba0.15CuO4", False),
    ],
)
def test_known_is_within_half_a_percent_in_every_fraction(formula, is_known):
    assert nearest(known(**{"La1.85Sr0.15CuO4": 37.0}), formula).known == is_known


def test_the_known_composition_may_differ_from_the_nearest_one():
    # 0.004 of the atoms go from Na to Cl, 88 steps away, which is known; a tenth goes from Na to K, which is nearer.
    candidate = composition_vector({"Na": 0.5, "Cl": 0.5})
    far, near = {"Na": 0.496, "Cl": 0.504}, {"Na": 0.4, "K": 0.1, "Cl": 0.5}
    pair = np.stack([composition_vector(far), composition_vector(near)])
    found = KnownSuperconductors(pair, np.array([1.0, 2.0]), np.ones(2), ["far", "near"]).nearest(candidate)
    assert found == NearestKnown(True, "near", 2.0, pytest.approx(0.1))
    assert KnownSuperconductors(pair[1:], np.ones(1), np.ones(1), ["near"]).nearest(candidate).known is False


def test_tc_is_that_of_the_nearest():
    others = known(MgB2=39.0, Nb3Sn=18.0, NbTi=9.5)
    assert nearest(others, "Nb3Sn") == NearestKnown(True, "Nb3Sn", 18.0, 0.0)
    assert nearest(others, "Nb3Al").formula == "Nb3Sn" and nearest(others, "Nb3Al").tc_K == 18.0
    assert nearest(others, "BeB2").tc_K == 39.0 and not nearest(others, "BeB2").known


def test_materials_with_zero_tc_are_omitted():
    others = known(NaCl=0.0, KCl=1.5)
    assert len(others) == 1
    assert nearest(others, "NaCl") == NearestKnown(False, "KCl", 1.5, pytest.approx(0.5))


def test_ties_go_to_the_most_reports_and_then_to_the_first():
    x = compositions(["LiCl", "KCl", "K2Cl2"])  # each half a step from NaCl
    formulas, candidate = ["LiCl", "KCl", "K2Cl2"], composition_vector({"Na": 1, "Cl": 1})
    for reports, expected in (([1, 1, 1], "LiCl"), ([1, 5, 5], "KCl"), ([1, 2, 5], "K2Cl2")):
        assert KnownSuperconductors(x, np.ones(3), np.array(reports), formulas).nearest(candidate).formula == expected


# Many compositions at once, and the committed references.


def test_a_batch_gives_the_results_of_single_compositions():
    x, others = random_compositions(BLOCK + 3, seed=2), known(MgB2=39.0, Nb3Sn=18.0, YBa2Cu3O7=91.0)
    together = others.nearest_many(x)
    assert len(together) == BLOCK + 3
    for i in (0, 1, BLOCK - 1, BLOCK, BLOCK + 2):
        assert together[i].formula == others.nearest(x[i]).formula
        assert together[i].distance == pytest.approx(others.nearest(x[i]).distance, abs=1e-9)
    assert others.nearest_many(x[:0]) == []


def test_nearest_of_all_known_superconductors_by_brute_force():
    references, scale = load_references(), mendeleev_scale()
    candidates = compositions(["LaFeAsO0.7F0.3"])
    found = references.known_superconductors.nearest_many(candidates)
    places = [np.flatnonzero(x) for x in references.known_compositions]
    for x, answer in zip(candidates, found, strict=True):
        own = np.flatnonzero(x)
        brute = np.array(
            [
                wasserstein_distance(scale[own], scale[place], x[own], y[place]) if tc > 0 else np.inf
                for place, y, tc in zip(places, references.known_compositions, references.known_tc_K, strict=True)
            ]
        )
        assert answer.distance == pytest.approx(brute.min(), abs=1e-6)
        as_near = np.flatnonzero(brute <= brute.min() + 1e-6)
        named = [(references.known_formulas[i], references.known_tc_K[i]) for i in as_near]
        assert (answer.formula, answer.tc_K) in named


def test_a_known_superconductor_is_its_own_nearest():
    found = load_references().known_superconductors.nearest_many(compositions(["YBa2Cu3O7", "MgB2", "Nb3Sn"]))
    assert all(n.known and n.distance == pytest.approx(0, abs=1e-5) for n in found)
    tc = [n.tc_K for n in found]  # as measured; the references hold medians over many reports
    assert tc == [pytest.approx(91, abs=3), pytest.approx(39, abs=2), pytest.approx(18, abs=1)]


def test_the_distance_of_a_known_superconductor_is_exactly_zero():
    found = load_references().known_superconductors.nearest_many(compositions(["YBa2Cu3O7", "La1.85Sr0.15CuO4"]))
    assert [n.distance for n in found] == [0.0, 0.0]


# Invalid input.

TWO = compositions(["MgB2", "Nb3Sn"])


@pytest.mark.parametrize(
    ("x", "tc_K", "reports", "formulas", "words"),
    [
        (TWO[:, 1:], [39, 18], [1, 1], ["MgB2", "Nb3Sn"], "must have shape"),
        (TWO * 2, [39, 18], [1, 1], ["MgB2", "Nb3Sn"], "row 0 is not a composition"),
        (TWO * np.nan, [39, 18], [1, 1], ["MgB2", "Nb3Sn"], "row 0 is not a composition"),
        (TWO, [39], [1, 1], ["MgB2", "Nb3Sn"], "2 compositions, but"),
        (TWO, [39, 18], [1], ["MgB2", "Nb3Sn"], "2 compositions, but"),
        (TWO, [39, 18], [1, 1], ["MgB2"], "2 compositions, but"),
        (TWO, [39, np.nan], [1, 1], ["MgB2", "Nb3Sn"], "row 1: Tc is not a finite"),
        (TWO, [0, 0], [1, 1], ["MgB2", "Nb3Sn"], "no row has Tc > 0"),
        (TWO[:0], [], [], [], "no row has Tc > 0"),
    ],
)
def test_invalid_references_are_rejected(x, tc_K, reports, formulas, words):
    with pytest.raises(ValueError, match=words):
        KnownSuperconductors(x, np.array(tc_K, dtype=float), np.array(reports), formulas)


@pytest.mark.parametrize("candidate", [TWO[0] * 1.1, TWO[0] - TWO[1], TWO[0] * np.nan, TWO[0][:90]])
def test_invalid_candidates_are_rejected(candidate):
    with pytest.raises(ValueError, match=r"not a composition|must have shape"):
        known(MgB2=39.0).nearest(candidate)


def test_the_nearest_of_all_known_superconductors_is_found():
    """The lower bounds that spare most distances never hide the nearest one."""
    references = load_references()
    everything = references.known_superconductors
    x = np.vstack([random_compositions(40, 5), references.known_compositions[::600]])
    scale = mendeleev_scale()
    order = np.argsort(scale)
    areas = [np.cumsum(c[:, order], 1)[:, :-1] * np.diff(scale[order]) for c in (x, references.known_compositions)]
    expected = [np.abs(areas[1] - row).sum(1)[references.known_tc_K > 0].min() for row in areas[0]]
    assert [found.distance for found in everything.nearest_many(x)] == pytest.approx(expected, abs=1e-9)


def test_distances_to_many_are_those_of_single_ones():
    x = random_compositions(20, seed=3)
    assert mendeleev_distances(x[0], x[1:]) == pytest.approx([distance(x[0], other) for other in x[1:]], abs=1e-9)
