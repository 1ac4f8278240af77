"""Distance to the hull: expected values by hand, phase diagrams of pymatgen, and the committed references."""

import itertools

import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from core.chemistry import elements
from core.chemistry.composition import composition_vector, compositions, formula_of
from core.chemistry.formula_reader import parse_formula
from core.predictors.checkpoint import CheckpointError, read_card
from core.predictors.registry import BEST, PUBLISHED
from core.reference_data.references import load_references
from core.screening.convex_hull import Hull


def hull_of(**energies: float) -> Hull:
    """References by formula, with their formation energies in eV/atom."""
    return Hull(compositions(energies), np.array(list(energies.values())), list(energies))


def distance(hull: Hull, formula: str, energy: float) -> tuple[float, dict[str, float]]:
    found = hull.distance(composition_vector(parse_formula(formula)), energy)
    return found.energy_above_hull_eV_per_atom, dict(found.decomposition)


# Lithium and oxygen by hand. The vertices of the hull are Li (0), Li2O (-2), LiO (-1.6) and O (0): between Li2O and O
# the straight line passes LiO at -2 * (1/2) / (2/3) = -1.5, above -1.6. LiO3 at -0.5 is above the line to O.
LITHIUM_OXIDES = {"Li2O": -2.0, "LiO": -1.6, "LiO3": -0.5}


@pytest.mark.parametrize(
    ("formula", "energy", "above", "decomposition"),
    [
        # x(O) = 0.4, 40% of the way from Li2O (1/3) to LiO (1/2): 0.6 * -2.0 + 0.4 * -1.6 = -1.84
        ("Li3O2", -1.80, 0.04, {"Li2O": 0.6, "LiO": 0.4}),
        # below the hull of the references: negative, with the competing phases
        ("Li3O2", -2.00, -0.16, {"Li2O": 0.6, "LiO": 0.4}),
        # halfway between LiO and oxygen; LiO3 itself is a reference, but above that mixture
        ("LiO3", -0.5, 0.3, {"LiO": 0.5, "O": 0.5}),
        # the candidate's own composition competes with it
        ("Li2O", -1.9, 0.1, {"Li2O": 1.0}),
        ("Li2O", -2.0, 0.0, {"Li2O": 1.0}),
        # halfway from lithium to Li2O
        ("Li5O", -0.5, 0.5, {"Li2O": 0.5, "Li": 0.5}),
        # an element without a reference phase
        ("Li2OFe", 0.25, 1.75, {"Li2O": 0.75, "Fe": 0.25}),
    ],
)
def test_lithium_oxides_by_hand(formula, energy, above, decomposition):
    found, phases = distance(hull_of(**LITHIUM_OXIDES), formula, energy)
    assert found == pytest.approx(above, abs=1e-9)
    assert phases == pytest.approx(decomposition, abs=1e-9)


def test_a_phase_with_a_calculated_energy_is_placed_with_it():
    """LiO3 lies 0.3 eV/atom above the hull by calculation; Li2O below LiO and Li, with 2/3 of LiO's -1.6."""
    energies = np.array([*LITHIUM_OXIDES.values()])
    hull = Hull(compositions(LITHIUM_OXIDES), energies, list(LITHIUM_OXIDES), np.array([True, False, True]))
    assert hull.calculated_energies == {"Li2O": -2.0, "LiO3": -0.5}
    x = compositions(["Li2O", "LiO", "LiO3"])
    found = hull.distances(x, np.array([-9.0, -9.0, -9.0]))
    assert [each.energy_above_hull_eV_per_atom for each in found] == pytest.approx([0.0, -9 + 1.6, 0.3])
    assert [each.calculated for each in found] == [True, False, True]
    (alone,) = hull.distances(x[:1], np.array([-9.0]), to_others=True)
    assert alone.energy_above_hull_eV_per_atom == pytest.approx(-2 + 2 / 3 * 1.6) and alone.calculated


def test_the_largest_phase_comes_first():
    found = hull_of(**LITHIUM_OXIDES).distance(composition_vector({"Li": 3, "O": 2}), -1.8)
    assert [formula for formula, _ in found.decomposition] == ["Li2O", "LiO"]


def test_an_element_alone_is_on_the_hull():
    for symbol in ("Fe", "O", "H", "Og"):
        assert distance(hull_of(**LITHIUM_OXIDES), symbol, 0.0) == (0.0, {symbol: 1.0})
    assert distance(hull_of(**LITHIUM_OXIDES), "Fe", 0.3) == (0.3, {"Fe": 1.0})


def test_without_references_the_elements_remain():
    empty = Hull(np.zeros((0, elements.N_ELEMENTS)), np.zeros(0), [])
    assert len(empty) == 0
    assert distance(empty, "LiO3", -0.5) == (-0.5, {"O": 0.75, "Li": 0.25})


def test_redundant_references_are_omitted():
    hull = hull_of(Li2O=-2.0, Li4O2=-1.0, LiO=0.4, O2=-3.0)  # a duplicate, one above the elements, an element
    assert len(hull) == 1
    assert distance(hull, "LiO", 0.0) == (pytest.approx(1.5), {"Li2O": pytest.approx(0.75), "O": pytest.approx(0.25)})


def test_references_with_other_elements_do_not_take_part():
    alone = distance(hull_of(**LITHIUM_OXIDES), "Li3O2", -1.8)
    assert distance(hull_of(**LITHIUM_OXIDES, Li3FeO4=-9.0, FeO=-9.0, Og2Li=-9.0), "Li3O2", -1.8) == alone


def test_the_phases_of_a_system_have_their_fractions_in_the_given_order():
    hull = hull_of(**LITHIUM_OXIDES, FeO=-1.0, LiFe=-0.1)
    found = hull.phases_of([elements.element(symbol).index for symbol in ("O", "Li")])
    rows = dict(zip(found.formulas, np.column_stack([found.fractions, found.energies]).tolist(), strict=True))
    assert rows == {"Li2O": pytest.approx([1 / 3, 2 / 3, -2.0]), "LiO": [0.5, 0.5, -1.6], "LiO3": [0.75, 0.25, -0.5]}


# Against pymatgen.


def random_system(seed: int, n_elements: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Random references of one chemical system: compositions, energies (some above zero), formulas."""
    random = np.random.default_rng(seed)
    chosen = random.choice(elements.N_ELEMENTS, n_elements, replace=False)
    counts = np.zeros((40, elements.N_ELEMENTS), dtype=np.int64)
    counts[:, chosen] = random.integers(0, 6, (40, n_elements))
    counts = counts[counts.sum(1) > 0]
    energies = random.normal(-0.5, 0.6, len(counts))
    energies[(counts > 0).sum(1) == 1] = 0.0
    names = elements.symbols()
    formulas = [formula_of({names[i]: int(row[i]) for i in np.flatnonzero(row)}) for row in counts]
    return counts / counts.sum(1, keepdims=True), energies, formulas


def fractions_of(formula: str) -> tuple[float, ...]:
    """Rounded fractions of a phase, which do not depend on how its formula is written."""
    return tuple(np.round(composition_vector(parse_formula(formula)), 6))


def pymatgens(x, energies, formulas, candidate) -> tuple[float, dict[tuple[float, ...], float]]:
    """Energy of the hull (eV/atom) and the decomposition, from the complete hull of the system."""
    present = [elements.symbols()[i] for i in np.flatnonzero(x.any(0) | (candidate > 0))]
    entries = [PDEntry(Composition(symbol), 0.0) for symbol in present]
    for formula, energy in zip(formulas, energies, strict=True):
        composition = Composition(formula)
        entries.append(PDEntry(composition, energy * composition.num_atoms))
    diagram = PhaseDiagram(entries)
    target = Composition({elements.symbols()[i]: candidate[i] for i in np.flatnonzero(candidate)})
    phases = {fractions_of(entry.composition.formula): f for entry, f in diagram.get_decomposition(target).items()}
    return diagram.get_hull_energy_per_atom(target), phases


@pytest.mark.filterwarnings("ignore:No Pauling electronegativity")
@pytest.mark.parametrize("n_elements", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_pymatgen(seed, n_elements):
    x, energies, formulas = random_system(seed, n_elements)
    hull, random = Hull(x, energies, formulas), np.random.default_rng(seed + 100)
    # Candidates inside the system, on its borders, and with the composition of a reference.
    inside = random.random((6, elements.N_ELEMENTS)) * x.any(0)
    border = inside[:3] * (random.random((3, elements.N_ELEMENTS)) < 0.6) + 1e-3 * x[:3]
    candidates = np.concatenate([inside / inside.sum(1, keepdims=True), border / border.sum(1, keepdims=True), x[:3]])
    for candidate in candidates:
        energy = float(random.normal())
        found = hull.distance(candidate, energy)
        expected_energy, expected_phases = pymatgens(x, energies, formulas, candidate)
        assert energy - found.energy_above_hull_eV_per_atom == pytest.approx(expected_energy, abs=1e-6)
        phases = {fractions_of(formula): f for formula, f in found.decomposition}
        assert len(phases) == len(found.decomposition)
        for phase in phases.keys() | expected_phases.keys():
            assert phases.get(phase, 0.0) == pytest.approx(expected_phases.get(phase, 0.0), abs=1e-6)


def test_phases_sum_to_the_composition_and_to_the_energy_of_the_hull():
    """Weighted by their fractions, the phases sum to the candidate's composition and to the energy of the hull."""
    x, energies, formulas = random_system(5, 7)
    lowest = {fractions_of(f): e for e, f in sorted(zip(energies, formulas, strict=True), reverse=True)}
    random = np.random.default_rng(0)
    for _ in range(30):
        candidate = random.random(elements.N_ELEMENTS) * x.any(0)
        candidate /= candidate.sum()
        found = Hull(x, energies, formulas).distance(candidate, 0.2)
        shares = np.array([f for _, f in found.decomposition])
        assert shares.sum() == pytest.approx(1, abs=1e-12) and (shares > 0).all() and (np.diff(shares) <= 0).all()
        phases = compositions([formula for formula, _ in found.decomposition])
        assert np.allclose(shares @ phases, candidate, atol=1e-7)
        of_phases = [lowest.get(fractions_of(formula), 0.0) for formula, _ in found.decomposition]
        assert 0.2 - shares @ of_phases == pytest.approx(found.energy_above_hull_eV_per_atom, abs=1e-7)


def test_more_references_never_raise_the_hull():
    x, energies, formulas = random_system(2, 5)
    candidate = np.where(x.any(0), 0.2, 0.0)
    above = [Hull(x[:n], energies[:n], formulas[:n]).distance(candidate, 0.0) for n in (0, 5, 10, 20, len(x))]
    heights = [found.energy_above_hull_eV_per_atom for found in above]
    assert heights[0] == 0.0 and heights[-1] > 0.1
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(heights))


def test_the_order_of_the_references_does_not_matter():
    x, energies, formulas = random_system(4, 4)
    order = np.random.default_rng(1).permutation(len(x))
    shuffled = Hull(x[order], energies[order], [formulas[i] for i in order])
    candidates = compositions([formulas[3], formulas[8]])
    assert shuffled.distances(candidates, np.zeros(2)) == Hull(x, energies, formulas).distances(candidates, np.zeros(2))


# Invalid input.

TWO = compositions(["Li2O", "LiO"])


@pytest.mark.parametrize(
    ("x", "energies", "formulas", "words"),
    [
        (TWO[:, :100], [-1.0, -1.0], ["Li2O", "LiO"], "must have shape"),
        (TWO[0], [-1.0], ["Li2O"], "must have shape"),
        (TWO, [-1.0], ["Li2O", "LiO"], "energies of shape"),
        (TWO, [-1.0, -1.0], ["Li2O"], "1 formulas for 2 compositions"),
        (TWO, [-1.0, np.nan], ["Li2O", "LiO"], "row 1: the formation energy is nan"),
        (TWO, [np.inf, -1.0], ["Li2O", "LiO"], "row 0: the formation energy is inf"),
        (TWO * [[1], [0.5]], [-1.0, -1.0], ["Li2O", "LiO"], "row 1 is not a composition"),
        (TWO * 0, [-1.0, -1.0], ["Li2O", "LiO"], "row 0 is not a composition"),
        (TWO * np.nan, [-1.0, -1.0], ["Li2O", "LiO"], "row 0 is not a composition"),
    ],
)
def test_invalid_references_are_rejected(x, energies, formulas, words):
    with pytest.raises(ValueError, match=words):
        Hull(x, np.array(energies), formulas)


def negative() -> np.ndarray:
    """A vector that sums to 1 with a negative fraction."""
    row = np.zeros(elements.N_ELEMENTS)
    row[[2, 7]] = [-0.5, 1.5]
    return row


@pytest.mark.parametrize(
    ("candidate", "energy", "words"),
    [
        (TWO[0], np.nan, "formation energy is nan"),
        (TWO[0], -np.inf, "formation energy is -inf"),
        (TWO[0] * 2, 0.0, "not a composition"),
        (negative(), 0.0, "not a composition"),
        (TWO[0][:50], 0.0, "must have shape"),
    ],
)
def test_invalid_candidates_are_rejected(candidate, energy, words):
    with pytest.raises(ValueError, match=words):
        hull_of(**LITHIUM_OXIDES).distance(candidate, energy)


# The committed references.


def test_nine_elements_against_the_committed_references():
    references = load_references()
    predicted, calculated = references.phase_energies[BEST.formation_energy], references.calculated_energies
    energies = np.where(np.isnan(calculated), predicted, calculated)
    energy_of = {
        formula: float(energy)
        for energy, formula in sorted(zip(energies, references.phase_formulas, strict=True), reverse=True)
    }
    candidate = composition_vector(parse_formula("BiPbTlSr2BaCa2YCu3O12"))
    assert np.count_nonzero(candidate) == 9
    found = references.hull(BEST.formation_energy).distance(candidate, 0.0)
    shares = np.array([f for _, f in found.decomposition])
    phases = compositions([formula for formula, _ in found.decomposition])
    assert len(shares) >= 2 and shares.sum() == pytest.approx(1, abs=1e-12)
    assert np.allclose(shares @ phases, candidate, atol=1e-6)
    # An oxide of mostly alkaline earths: far below the elements, and the energy is that of the phases named.
    assert found.energy_above_hull_eV_per_atom > 1.0
    of_phases = [energy_of.get(formula, 0.0) for formula, _ in found.decomposition]
    assert -(shares @ of_phases) == pytest.approx(found.energy_above_hull_eV_per_atom, abs=1e-6)


def test_no_traces_among_the_committed_references():
    """La2CoO3 decomposes into 5/6 La2O3 and 1/6 Co and no further phase."""
    found = load_references().hull(BEST.formation_energy).distance(composition_vector(parse_formula("La2CoO3")), 0.0)
    assert dict(found.decomposition) == pytest.approx({"La2O3": 5 / 6, "Co": 1 / 6}, abs=1e-6)


def test_only_formation_energy_predictors_have_a_hull():
    references = load_references()
    ours, published = (references.hull(models.formation_energy) for models in (BEST, PUBLISHED))
    assert ours is references.hull(BEST.formation_energy) is not published
    candidate = composition_vector(parse_formula("LaFeAsO"))
    assert ours.distance(candidate, -1.0) != published.distance(candidate, -1.0)
    with pytest.raises(CheckpointError, match="no energies of nonesuch"):
        references.hull("nonesuch")


def test_the_energies_are_those_of_the_committed_predictors():
    stated = read_card("references")["hull_predictors_sha256"]
    assert stated == {
        models.formation_energy: read_card(models.formation_energy)["sha256"] for models in (BEST, PUBLISHED)
    }


def random_hull(seed: int, phases: int = 60) -> Hull:
    """Phases of two or three of five elements, with random energies."""
    random = np.random.default_rng(seed)
    x = np.zeros((phases, elements.N_ELEMENTS))
    for row in x:
        count = random.integers(2, 4)
        row[random.choice(5, size=count, replace=False) + 10] = random.integers(1, 5, size=count)
    x /= x.sum(1, keepdims=True)
    return Hull(x, -random.uniform(0.1, 2.0, phases), [f"P{i}" for i in range(phases)])


def mixed(parts) -> np.ndarray:
    x = np.zeros(elements.N_ELEMENTS)
    x[10:15] = parts
    return x / x.sum()


@pytest.mark.parametrize("seed", range(6))
def test_prices_are_the_derivative_of_the_hull_energy(seed):
    """Central differences in exchanges of two present elements, along which the fractions keep their sum."""
    hull, x, step = random_hull(seed), mixed([0.34, 0.21, 0.28, 0.17, 0.0]), 1e-6
    energy, prices = hull.mixture(x)
    assert energy == pytest.approx(float(x @ prices))
    assert energy == pytest.approx(-hull.distance(x, 0.0).energy_above_hull_eV_per_atom)
    for one, other in ((10, 11), (12, 13), (10, 13)):
        move = np.zeros_like(x)
        move[one], move[other] = step, -step
        slope = (hull.mixture(x + move)[0] - hull.mixture(x - move)[0]) / (2 * step)
        assert slope == pytest.approx(prices[one] - prices[other], abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_price_of_an_absent_element_is_that_of_its_first_atoms(seed):
    """A forward difference: the element enters, and all others make room in proportion."""
    hull, x, step = random_hull(seed), mixed([0.34, 0.21, 0.28, 0.17, 0.0]), 1e-7
    energy, prices = hull.mixture(x)
    entered = (1 - step) * x
    entered[14] = step
    slope = (hull.mixture(entered)[0] - energy) / step
    assert slope == pytest.approx(prices[14] - energy, abs=1e-5)
    assert prices[0] == 0.0  # no phase contains hydrogen: it would stay an element


@pytest.mark.parametrize("seed", range(4))
def test_prices_bound_the_hull_energy_from_below(seed):
    """The hull is convex, so prices at one composition never exceed the energy at another."""
    hull, random = random_hull(seed), np.random.default_rng(seed)
    _, prices = hull.mixture(mixed(random.uniform(0, 1, 5)))
    for _ in range(20):
        x = mixed(random.uniform(0, 1, 5))
        assert float(x @ prices) <= hull.mixture(x)[0] + 1e-9
