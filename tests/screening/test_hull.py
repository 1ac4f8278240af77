"""Hull distances: closed forms, pymatgen where it can build the hull, and properties beyond that."""

import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from core import elements
from core.composition import composition_vector, compositions, parse_formula
from core.screening.hull import Hull


def vector(formula):
    return composition_vector(parse_formula(formula))


def hull_of(energies):
    formulas = list(energies)
    return Hull(compositions(formulas), np.array([energies[f] for f in formulas]), formulas)


def random_system(rng, symbols, n):
    """n random phases of these elements: formula -> formation energy (eV/atom), lower towards the middle."""
    energies = {}
    while len(energies) < n:
        counts = {s: int(c) for s, c in zip(symbols, rng.integers(0, 5, len(symbols)), strict=True) if c}
        if len(counts) > 1:
            fractions = np.array(list(counts.values())) / sum(counts.values())
            formula = "".join(f"{s}{c}" for s, c in counts.items())
            energies[formula] = float(rng.normal(-0.8, 0.4) * (1 - (fractions**2).sum()))
    return energies


def rebuilt(result):
    """The composition (118,) that a decomposition adds up to."""
    return sum(fraction * vector(formula) for formula, fraction in result.decomposition)


def test_binary_closed_form():
    hull = hull_of({"NaCl": -2.0})
    between = hull.distance(vector("Na3Cl"), -0.7)  # half of the atoms are NaCl
    assert between.energy_above_hull_eV_per_atom == pytest.approx(0.3)
    assert dict(between.decomposition) == pytest.approx({"NaCl": 0.5, "Na": 0.5})
    below = hull.distance(vector("NaCl3"), -1.5)
    assert below.energy_above_hull_eV_per_atom == pytest.approx(-0.5)


def test_the_same_composition_competes():
    result = hull_of({"NaCl": -2.0, "Na2Cl2": -2.1, "KCl": -2.2}).distance(vector("Na3Cl3"), -2.0)
    assert result.energy_above_hull_eV_per_atom == pytest.approx(0.1)
    assert result.decomposition == (("Na2Cl2", 1.0),)


def test_elements_are_at_zero_whatever_the_references_say():
    hull = hull_of({"Fe": -0.3, "O": 0.2, "FeO": 0.1})
    assert len(hull) == 0
    assert hull.distance(vector("Fe"), 0.05).energy_above_hull_eV_per_atom == pytest.approx(0.05)
    result = hull.distance(vector("FeO3"), -0.2)
    assert result.energy_above_hull_eV_per_atom == pytest.approx(-0.2)
    assert result.decomposition == (("O", pytest.approx(0.75)), ("Fe", pytest.approx(0.25)))


def test_no_references_at_all():
    hull = Hull(np.zeros((0, elements.N_ELEMENTS)), np.zeros(0), [])
    assert hull.distance(vector("LaH10"), -0.1).energy_above_hull_eV_per_atom == pytest.approx(-0.1)
    assert hull.distances(np.zeros((0, elements.N_ELEMENTS)), np.zeros(0)) == []


@pytest.mark.parametrize(
    "symbols", [("La", "O"), ("Mg", "B", "H"), ("La", "Fe", "As", "O"), ("Og", "Ba", "Cu", "O")]
)
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_pymatgen(symbols, seed):
    rng = np.random.default_rng(seed)
    energies = random_system(rng, symbols, 6 * len(symbols) - 6)
    hull = hull_of(energies)
    terminal = dict.fromkeys(symbols, 0.0)
    phases = {**energies, **terminal}
    diagram = PhaseDiagram(
        [PDEntry(Composition(f), energy * Composition(f).num_atoms) for f, energy in phases.items()]
    )
    for formula in random_system(rng, symbols, 4):
        result = hull.distance(vector(formula), -0.5)
        expected = diagram.get_hull_energy_per_atom(Composition(formula))
        assert -0.5 - result.energy_above_hull_eV_per_atom == pytest.approx(expected, abs=1e-6)
        energy = sum(fraction * phases[phase] for phase, fraction in result.decomposition)
        assert energy == pytest.approx(expected, abs=1e-6)
        np.testing.assert_allclose(rebuilt(result), vector(formula), atol=1e-6)


NINE = ("La", "Ba", "Sr", "Ca", "Cu", "Fe", "As", "O", "F")


def nine_element_case():
    rng = np.random.default_rng(1)
    energies = {}
    for _ in range(60):
        energies |= random_system(rng, tuple(rng.choice(NINE, rng.integers(2, 5), replace=False)), 2)
    candidate = composition_vector({symbol: int(n) for symbol, n in zip(NINE, range(3, 12), strict=True)})
    return energies, candidate


def test_nine_elements():
    energies, candidate = nine_element_case()
    result = hull_of(energies).distance(candidate, 0.0)
    fractions = [fraction for _, fraction in result.decomposition]
    assert sum(fractions) == pytest.approx(1, abs=1e-12)
    assert fractions == sorted(fractions, reverse=True)
    assert len(fractions) <= 9
    np.testing.assert_allclose(rebuilt(result), candidate, atol=1e-9)
    energy = sum(fraction * energies.get(formula, 0.0) for formula, fraction in result.decomposition)
    assert result.energy_above_hull_eV_per_atom == pytest.approx(-energy, abs=1e-9)
    assert result.energy_above_hull_eV_per_atom > 0


def test_order_of_references_has_no_influence():
    energies, candidate = nine_element_case()
    items = list(energies.items())
    np.random.default_rng(2).shuffle(items)
    shuffled = {str(formula): float(energy) for formula, energy in items}
    assert list(shuffled) != list(energies)
    assert hull_of(shuffled).distance(candidate, -1.0) == hull_of(energies).distance(candidate, -1.0)


def test_a_new_stable_reference_lowers_the_hull_to_itself():
    energies, candidate = nine_element_case()
    before = hull_of(energies).distance(candidate, -5.0)
    assert before.energy_above_hull_eV_per_atom < 0
    formulas = [*energies, "candidate"]
    after = Hull(
        np.vstack([compositions(energies), candidate]), np.array([*energies.values(), -5.0]), formulas
    ).distance(candidate, -5.0)
    assert after.energy_above_hull_eV_per_atom == pytest.approx(0, abs=1e-9)
    assert after.decomposition[0] == ("candidate", pytest.approx(1))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_energies_must_be_finite(wrong):
    with pytest.raises(ValueError, match="row 1: the formation energy"):
        hull_of({"NaCl": -2.0, "KCl": wrong})
    with pytest.raises(ValueError, match="formation energy is"):
        hull_of({"NaCl": -2.0}).distance(vector("NaCl"), wrong)


def test_bad_shapes_and_fractions_are_refused():
    hull = hull_of({"NaCl": -2.0})
    good = vector("NaCl")
    for bad in (good * 2, -good, good * np.nan, good * 0):
        with pytest.raises(ValueError, match="no composition"):
            hull.distance(bad, -1.0)
    with pytest.raises(ValueError, match="shape"):
        hull.distance(good[:86], -1.0)
    with pytest.raises(ValueError, match="shape"):
        hull.distances(good[None], np.zeros(2))
    with pytest.raises(ValueError, match="formulas"):
        Hull(good[None], np.zeros(1), [])
