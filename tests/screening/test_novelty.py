"""Nearest known superconductor: the distance against scipy's, and the rules for what counts as known."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from core import elements
from core.composition import composition_vector, compositions, parse_formula
from core.screening import novelty
from core.screening.novelty import KnownSuperconductors, mendeleev_scale

KNOWN = {"MgB2": 39.0, "La1.85Sr0.15CuO4": 38.0, "YBa2Cu3O7": 92.0, "Nb3Sn": 18.0, "LaFeAsO0.9F0.1": 26.0}


def vector(formula):
    return composition_vector(parse_formula(formula))


def known_set(tc_K=KNOWN, reports=None):
    formulas = list(tc_K)
    reports = [1] * len(formulas) if reports is None else reports
    return KnownSuperconductors(compositions(formulas), list(tc_K.values()), reports, formulas)


def random_compositions(rng, n):
    rows = np.zeros((n, elements.N_ELEMENTS))
    for row in rows:
        chosen = rng.choice(elements.N_ELEMENTS, rng.integers(1, 10), replace=False)
        row[chosen] = rng.dirichlet(np.ones(len(chosen)))
    return rows / rows.sum(axis=1, keepdims=True)


def test_scale_gives_every_element_its_own_place():
    scale = mendeleev_scale()
    assert len(set(scale)) == elements.N_ELEMENTS
    assert (np.diff(scale[103:]) == 1).all()  # Rf to Og, which have no number, in order after the last one
    assert scale[103] == max(scale[:103]) + 1
    assert scale[elements.element("La").index] == elements.element("La").mendeleev_number


def test_distance_is_scipys():
    rng = np.random.default_rng(0)
    references, candidates = random_compositions(rng, 40), random_compositions(rng, 20)
    known = KnownSuperconductors(references, np.ones(40), np.ones(40), [str(i) for i in range(40)])
    scale = mendeleev_scale()
    for candidate, result in zip(candidates, known.nearest_many(candidates), strict=True):
        expected = [wasserstein_distance(scale, scale, candidate, reference) for reference in references]
        assert result.distance == pytest.approx(min(expected), rel=1e-9)
        assert result.formula == str(np.argmin(expected))


def test_closed_form():
    neighbour = {e.mendeleev_number: e.symbol for e in elements.all_elements()}
    place = elements.element("Nb").mendeleev_number
    result = known_set({"Nb": 9.2}).nearest(
        vector(f"Nb0.7{neighbour[place + 1]}0.2{neighbour[place - 2]}0.1")
    )
    assert result.distance == pytest.approx(0.2 * 1 + 0.1 * 2)


@pytest.mark.parametrize("formula", KNOWN)
def test_the_same_composition_is_at_exactly_zero(formula):
    doubled = {symbol: 2.7 * amount for symbol, amount in parse_formula(formula).items()}
    for composition in (vector(formula), composition_vector(doubled)):
        result = known_set().nearest(composition)
        assert result == novelty.NearestKnown(True, formula, KNOWN[formula], 0.0)


def test_known_means_every_fraction_within_the_tolerance():
    known = known_set({"MgB2": 39.0})

    def shifted(by):
        composition = vector("MgB2")
        composition[[elements.element("Mg").index, elements.element("B").index]] += [by, -by]
        return known.nearest(composition).known

    assert shifted(0.0) and shifted(0.005) and shifted(-0.0049)
    assert not shifted(0.0051) and not shifted(-0.02)
    assert known.nearest(vector("Mg0.99Ca0.01B2")).known
    assert not known.nearest(vector("CaB2")).known


def test_known_may_be_another_one_than_the_nearest():
    """0.4% of an element from the far end of the scale is known, yet farther than a swap of close
    neighbours."""
    known = known_set({"La0.896Ce0.1H0.004": 5.0, "La0.89Ce0.11": 6.0})
    result = known.nearest(vector("La0.9Ce0.1"))
    assert result.known
    assert result.formula == "La0.89Ce0.11"


def test_ties_go_to_the_best_known_and_tc_zero_is_no_superconductor():
    tc_K = {"NbTi": 9.0, "TiNb": 10.0, "Ti2Nb2": 8.0}
    assert known_set(tc_K, [1, 5, 5]).nearest(vector("NbTi")).formula == "TiNb"
    known = known_set({"NbTi": 0.0, "NbTa": 5.0})
    assert len(known) == 1
    assert known.nearest(vector("NbTi")).formula == "NbTa"


def test_order_and_blocks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    candidates = random_compositions(rng, 7)
    expected = known_set().nearest_many(candidates)
    monkeypatch.setattr(novelty, "BLOCK", 3)
    assert known_set(dict(reversed(KNOWN.items()))).nearest_many(candidates) == expected
    assert [known_set().nearest(candidate) for candidate in candidates] == expected
    assert known_set().nearest_many(candidates[:0]) == []


def test_bad_input_is_refused():
    good = compositions(["Nb"])
    for arguments, message in [
        ((good * 2, [9.0], [1], ["Nb"]), "no composition"),
        ((good[:, :86], [9.0], [1], ["Nb"]), "shape"),
        ((good, [9.0, 1.0], [1], ["Nb"]), "1 compositions, but"),
        ((good, [np.nan], [1], ["Nb"]), "not a finite"),
        ((good, [0.0], [1], ["Nb"]), "no known superconductor"),
    ]:
        with pytest.raises(ValueError, match=message):
            KnownSuperconductors(*arguments)
    with pytest.raises(ValueError, match="no composition"):
        known_set().nearest(good[0] * np.nan)
