"""Random element substitution (C-ES): replaced elements, replacements, kept amounts, and error messages."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.evaluation.csv_export import to_csv
from core.evaluation.design import design
from core.generation.registry import SUBSTITUTION
from core.generation.substitution.generator import GENERATOR
from core.generation.substitution.substituter import (
    REPLACE_PROBABILITY,
    Substituter,
    make_substituter,
    site_replacements,
)
from core.generation.validation import check
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import Site
from core.screening.charge_neutrality import charge_balance

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = OptimiserSettings(candidates=24)
SMALL = DesignProblem(base="LaFeAsO", settings=SETTINGS, seed=3, device="cpu", method=SUBSTITUTION)
BALANCED = ("LaFeAsO", "HgBa2Ca2Cu3O8", "Bi2Sr2CuO6", "CeBiOS2", "SrFe1.88Ni0.12As2")


def mask(*symbols: str) -> np.ndarray:
    row = np.zeros(118, dtype=bool)
    row[[elements.element(s).index for s in symbols]] = True
    return row


def with_oxidation_state() -> np.ndarray:
    """All elements that have an oxidation state, (118,) bool."""
    return np.array([bool(e.oxidation_states) for e in elements.all_elements()])


def substituter(problem: DesignProblem, *allowed: str) -> Substituter:
    return make_substituter(
        problem, mask(*allowed) if allowed else with_oxidation_state(), GENERATOR.atom_counts(problem)
    )


def free_part(problem: DesignProblem, drawn: Substituter, candidate: int) -> np.ndarray:
    """Fractions (118,) of a candidate without the fixed elements, with sum 1; zeros without a formula."""
    counts = drawn.draw(candidate)
    free = np.zeros(118) if counts is None else np.where(mask(*problem.fixed_fractions()), 0, counts)
    return free / max(free.sum(), 1)


def formulas(problem: DesignProblem, drawn: Substituter, n: int) -> Counter:
    """Free parts as text, sorted by symbol: "Ba 0.50 Ca 0.50"."""
    names = elements.symbols()
    rows = (free_part(problem, drawn, i) for i in range(n))
    return Counter(" ".join(f"{names[i]} {x[i]:.2f}" for i in np.flatnonzero(x)) for x in rows)


def test_one_replaceable_element_with_one_possible_replacement():
    """Sr 2+ in SrO, with Ba as the only alternative: always BaO."""
    problem = replace(SMALL, base="SrO", fixed={"O": 0.5}, settings=replace(SETTINGS, n_unit=(1, 3)))
    assert set(formulas(problem, substituter(problem, "Sr", "Ba"), 50)) == {"Ba 1.00"}


def test_the_atoms_of_an_element_are_distributed_in_whole_numbers():
    """Sr2O2: two Ba, or one Ba and one Sr; the base itself is never drawn."""
    settings = replace(SETTINGS, n_unit=(4, 4), added_elements=(1, 2))
    problem = replace(SMALL, base="SrO", fixed={"O": 0.5}, settings=settings)
    found = formulas(problem, substituter(problem, "Sr", "Ba"), 200)
    assert set(found) == {"Ba 1.00", "Sr 0.50 Ba 0.50"}
    assert min(found.values()) > 60  # one or two elements with equal probability


def test_forbidden_elements_are_always_replaced_and_fixed_ones_never():
    problem = replace(SMALL, base="SrO", forbidden=("Sr",))
    drawn = substituter(problem, *(s for s in elements.symbols() if s not in ("Sr", "He")))
    rows = np.stack([free_part(problem, drawn, i) for i in range(100)])
    assert not rows[:, elements.element("Sr").index].any()
    kept = replace(SMALL, fixed={"As": 0.25})
    assert not np.stack([free_part(kept, substituter(kept), i) for i in range(100)])[
        :, elements.element("As").index
    ].any()


def test_all_subsets_are_equally_likely():
    """Two elements: either one or both, 1/4 each; for the empty subset (1/4) a random one of the two is replaced."""
    problem = replace(SMALL, base="BaLu", settings=replace(SETTINGS, n_unit=(2, 2), added_elements=(1, 1)))
    found = formulas(problem, substituter(problem, "Ba", "Lu", "Ra", "Lr"), 2000)
    assert REPLACE_PROBABILITY == 0.5
    assert set(found) == {"Lu 0.50 Ra 0.50", "Ba 0.50 Lr 0.50", "Ra 0.50 Lr 0.50"}
    assert found["Ra 0.50 Lr 0.50"] / 2000 == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("base", BALANCED)
def test_a_balanced_base_gives_neutral_candidates_of_the_same_proportions(base):
    problem = replace(SMALL, base=base, settings=replace(SETTINGS, max_elements=9))
    drawn = substituter(problem)
    sites = site_replacements(problem)
    assert set(sites) == set(parse_formula(base))
    rows = np.stack([free_part(problem, drawn, i) for i in range(100)])
    atoms = np.lcm.reduce(GENERATOR.atom_counts(problem))
    counts = rows * atoms
    assert np.allclose(counts, np.round(counts), atol=1e-6)
    assert ((rows > 0).sum(1) <= 9).all()
    assert all(b.charge_neutral for b in charge_balance(np.round(counts)))
    assert (np.abs(rows - composition_vector(problem.base_fractions())).max(1) > 1e-9).all()  # never the base itself


@given(seed=st.integers(0, 2**32 - 1), candidate=st.integers(0, 5000), high=st.integers(1, 5))
def test_every_draw_keeps_the_oxidation_states_of_the_sites(seed, candidate, high):
    """LaFeAsO has La 3+, Fe 2+, As 3-, O 2-: for each state the candidate has an element with this state."""
    settings = replace(SETTINGS, n_unit=(4, 4), added_elements=(1, high))
    problem = replace(SMALL, seed=seed, settings=settings)
    x = free_part(problem, substituter(problem), candidate)
    assert x.sum() == pytest.approx(1) and ((x == 0) | np.isclose(x, 0.25)).all()
    placed = [set(elements.all_elements()[i].oxidation_states) for i in np.flatnonzero(x)]
    assert all(any(q in states for states in placed) for q in (3, 2, -3, -2))


def test_site_states_are_the_proposed_oxidation_states():
    def states(problem: DesignProblem) -> dict[str, int]:
        return {symbol: after.state for symbol, after in site_replacements(problem).items()}

    assert states(replace(SMALL, base="LaFeAsO")) == {"La": 3, "Fe": 2, "As": -3, "O": -2}
    assert states(replace(SMALL, base="LaFeAsO", fixed={"O": 0.25})) == {"La": 3, "Fe": 2, "As": -3}
    assert states(replace(SMALL, base="LaH10")) == {"La": 3, "H": -1}  # does not balance
    assert states(replace(SMALL, base="MgCu2"))["Mg"] == 2  # an alloy: nothing to balance
    assert states(replace(SMALL, base="YBa2Cu3O7")) == {"Y": 3, "Ba": 2, "Cu": 2, "O": -2}
    replaced = replace(SMALL, task="substitute", sites=(Site("Fe", 3),))
    assert states(replaced) == {"Fe": 3}


def test_an_element_that_must_not_return_is_replaced_completely_and_by_its_group_only():
    """Two formula units of LaFeAsO, one or two elements in place of two La: with La allowed again, LaM may be drawn."""
    settings = replace(SETTINGS, n_unit=(8, 8), added_elements=(1, 2))
    problem = replace(SMALL, task="substitute", settings=settings, sites=(Site("La", 3),))
    only_metals = replace(problem, sites=(Site("La", 3, among="metals", may_return=False),))
    found = {}
    for name, posed in (("may return", problem), ("new metals", only_metals)):
        allowed = posed.allowed_symbols(elements.symbols())
        rows = [free_part(posed, substituter(posed, *allowed), i) for i in range(200)]
        found[name] = {elements.symbols()[i] for i in np.flatnonzero(np.sum(rows, axis=0))}
    assert "La" in found["may return"] and "N" in found["may return"]
    assert "La" not in found["new metals"] and len(found["new metals"]) > 10
    assert all(elements.element(s).metal for s in found["new metals"])
    assert check(only_metals) == []


def test_anions_are_replaced_by_p_block_elements_only():
    """Not Fe 2- or Os 2- for O 2-: these are states in carbonyls."""
    settings = replace(SETTINGS, n_unit=(4, 4))
    arsenide = replace(SMALL, fixed={"La": 0.25, "Fe": 0.25, "O": 0.25}, settings=settings)
    assert -2 in elements.element("Fe").oxidation_states
    oxide = replace(arsenide, fixed={"La": 0.25, "Fe": 0.25, "As": 0.25})
    for problem in (arsenide, oxide):
        rows = np.stack([free_part(problem, substituter(problem), i) for i in range(100)])
        present = [elements.all_elements()[i] for i in np.flatnonzero(rows.any(0))]
        assert len(present) > 2 and all(e.block == "p" for e in present)


# Complete designs.


def test_a_design_by_substitution_is_reproducible():
    first, second = design(SMALL), design(SMALL)
    assert to_csv(first.candidates) == to_csv(second.candidates)
    assert first.status == "finished" and first.restarts == 0 and first.problem == SMALL
    table = first.candidates
    assert table["times_found"].sum() == SETTINGS.candidates
    assert (table["integer_loss"] < 1e-6).all() and (table["n_atoms"] % 4 == 0).any()
    assert table["charge_neutral"].all()


def test_a_substitution_of_one_element_keeps_the_others_exactly():
    problem = replace(SMALL, base="CeFeAsF0.2O0.8", task="substitute", sites=(Site("Ce", 3),))
    kept = problem.fixed_fractions()
    for formula in design(replace(problem, settings=replace(SETTINGS, max_elements=8))).candidates["formula"]:
        amounts = parse_formula(formula)
        total = sum(amounts.values())
        assert {s: amounts[s] / total for s in kept} == pytest.approx(kept)
        assert all(3 in elements.element(s).oxidation_states for s in amounts if s not in kept)


def test_atom_counts_are_multiples_of_the_atoms_of_the_base():
    problem = replace(SMALL, base="SrFe1.88Ni0.12As2")
    assert GENERATOR.atom_counts(problem) == (125,)
    assert GENERATOR.atom_counts(replace(SMALL, base="LaFeAsO")) == (4, 8, 12, 16, 20, 24)
    assert GENERATOR.atom_counts(replace(SMALL, settings=replace(SETTINGS, n_unit=(25, 26)))) == (28,)


def test_settings_of_the_gradient_method_have_no_effect():
    """Start from known superconductors, fractional elements, target and steps."""
    other = replace(
        SETTINGS, start="known", start_above_K=299.0, fractional_elements=2, objective="target", steps=(9, 9)
    )
    changed = design(replace(SMALL, settings=other))
    assert to_csv(changed.candidates) == to_csv(design(SMALL).candidates)


# Error messages.


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"fixed": {"La": 0.3}}, "fixed", "keeps the amounts of the base"),
        ({"bounds": {"O": (0.1, 1)}}, "bounds", "keeps the amounts of the base"),
        ({"floors": {"O": 0.3}}, "floors", "keeps the rest of the base"),
        ({"fixed": {"Ba": 0.25}}, "fixed", "keeps the amounts of the base"),
        ({"settings": replace(SETTINGS, max_elements=3)}, "max_elements", "the base has 4 elements"),
        ({"base": "LaFe0.123457AsO"}, "base", "whole atoms"),
        (
            {"base": "SrO", "forbidden": elements.with_oxidation_state(2)},
            "forbidden",
            "no allowed element has its oxidation state",
        ),
        (
            {"task": "substitute", "sites": (Site("La", 3),), "fixed": {"Fe": 0.25}},
            "fixed",
            "replaces only La",
        ),
        ({"method": "diffusion"}, "method", "unknown method"),
    ],
)  # fmt: skip
def test_messages(changes, field, rule):
    errors = check(replace(SMALL, **changes))
    assert errors and errors[0].field == field and rule in errors[0].message


def test_the_default_method_of_a_problem_file_is_gradient():
    assert DesignProblem.from_json('{"base": "LaFeAsO"}').method == "gradient"
    assert DesignProblem.from_json(SMALL.to_json()) == SMALL
