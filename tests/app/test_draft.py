"""Drafts and the changes that the design page makes to them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.components.periodic_table.table_state import TableState
from app.forms.proposals import with_proposals
from app.state.draft import Draft, draft_of, first_draft, initially_forbidden
from app.state.draft_changes import (
    possible_states,
    with_base,
    with_elements,
    with_floors,
    with_initial_table,
    with_method,
    with_preset,
    with_site,
    with_table,
    with_task,
)
from app.text.problem_text import problem_rows
from core.benchmarks import default_search
from core.chemistry.formula_reader import parse_formula
from core.generation.registry import GENETIC, GRADIENT, MEMETIC
from core.generation.validation import check
from core.problem.origin import Origin
from core.problem.presets import PRESETS, preset_of
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, NEW, ONE_STATE, RAISE_TC, SUBSTITUTE
from core.problem.substitution_sites import Site
from tests.app.problems import PROBLEMS, is_close

LA = Site("La", 3, among="metals", may_return=False)
FE = Site("Fe", 2, among="metals", may_return=False)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_draft_gives_back_the_problem_that_it_shows(problem):
    assert is_close(draft_of(problem).problem(), problem)


def test_amounts_are_per_formula_unit_and_fractions_of_all_atoms():
    draft = draft_of(DesignProblem("YBa2Cu3O7", fixed={"Cu": 3 / 13}))
    assert draft.table.fixed == {"Cu": 3.0}
    assert draft.problem().fixed == pytest.approx({"Cu": 3 / 13})


def test_an_element_of_the_base_is_fixed_at_its_amount_in_the_base():
    draft = draft_of(DesignProblem("YBa2Cu3O7"))
    clicked = replace(draft.table, fixed={"Cu": 1.0, "F": 1.0})
    assert with_table(draft, clicked).table.fixed == {"Cu": 3.0, "F": 1.0}
    corrected = replace(draft, table=replace(draft.table, fixed={"Cu": 3.0}))
    assert with_table(corrected, replace(draft.table, fixed={"Cu": 1.0})).table.fixed == {"Cu": 1.0}


def test_the_origin_of_a_base_is_kept_until_the_base_changes():
    origin = Origin("some-run", 7, 41)
    draft = draft_of(DesignProblem("LaFeAsO", origin=origin))
    assert draft.problem().origin == origin and with_base(draft, "LaFeAsO").origin == origin
    assert with_base(draft, "MgB2").origin is None and with_base(draft, "Qq").origin is None


def test_fixed_amounts_follow_a_new_base():
    draft = draft_of(DesignProblem("LaFeAsO", fixed={"As": 0.25, "La": 0.25, "H": 0.40}))
    moved = with_base(draft, "BaFe2As2")
    assert moved.table.fixed == {"As": 2.0, "H": pytest.approx(2.0)}  # La is gone, H keeps its fraction
    assert moved.problem().fixed["H"] == pytest.approx(0.40)


def test_a_base_that_cannot_be_read_keeps_the_table():
    draft = draft_of(DesignProblem("LaFeAsO", fixed={"As": 0.25}))
    typed = with_base(draft, "LaFeQsO")
    assert (typed.base, typed.table) == ("LaFeQsO", draft.table)
    assert with_base(typed, "LaFeAsO") == draft


def test_a_substitution_keeps_the_rest_and_proposes_the_balanced_state():
    draft = with_task(draft_of(DesignProblem("LaFeAsO", fixed={"As": 0.125})), SUBSTITUTE)
    assert draft.sites == (LA,)
    assert draft.table.fixed == {"Fe": 1.0, "As": 1.0, "O": 1.0}
    assert draft.problem().fixed is None  # the default of the task
    other = with_elements(draft, ["Fe"])
    assert (other.sites, set(other.table.fixed)) == ((FE,), {"La", "As", "O"})
    assert with_task(other, RAISE_TC).table.fixed == {"As": 0.5}


def test_a_new_site_leaves_its_element_out_and_takes_metals_for_a_metal_cation():
    draft = with_elements(with_task(draft_of(DesignProblem("LaFeAsO")), SUBSTITUTE), ["La", "As"])
    assert draft.sites == (LA, Site("As", -3, may_return=False))  # Sb and Bi, metals, can be -3 like As
    asked = with_site(with_site(draft, "La", "may_return", True), "La", "among", "any")
    assert asked.sites[0] == Site("La", 3)
    assert with_elements(asked, ["La", "O"]).sites[0] == Site("La", 3)  # a choice is kept
    assert with_base(asked, "LaNiAsO").sites[0] == Site("La", 3)


def test_a_problem_of_an_earlier_version_is_not_changed_by_the_page():
    earlier = DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3),))
    assert draft_of(earlier).problem() == earlier


def test_elements_clicked_one_after_the_other_are_replaced_together():
    draft = with_task(draft_of(DesignProblem("LaFeAsO")), SUBSTITUTE)
    clicked = TableState(draft.table.forbidden, {"As": 1.0, "O": 1.0}, frozenset({"La", "Fe"}))
    after = with_table(draft, clicked)
    assert (after.sites, after.table.fixed) == ((LA, FE), {"As": 1.0, "O": 1.0})
    again = with_table(after, TableState(draft.table.forbidden, {"As": 1.0, "O": 1.0, "La": 1.0}, frozenset({"Fe"})))
    assert again.sites == (FE,) and again.problem().fixed is None


def test_the_rest_of_a_partly_replaced_site_is_fixed():
    """Ti2O4 to X2O3: five atoms are left, three of them oxygen; the same if another amount is fixed."""
    draft = with_elements(with_task(draft_of(DesignProblem("Ti2O4")), SUBSTITUTE), ["Ti", "O"])
    for change in (("Ti", "by", 3), ("O", "by", 0), ("O", "atoms", 1.0)):
        draft = with_site(draft, *change)
    titanium = Site("Ti", 4, by=3, among="metals", may_return=False)
    assert draft.sites == (titanium, Site("O", -2, by=0, atoms=1.0, may_return=False))
    problem = draft.problem()
    assert problem.fixed is None and problem.fixed_fractions() == {"O": 0.6}
    own = with_table(draft, replace(draft.table, fixed={"F": 0.5})).problem()
    assert own.fixed == pytest.approx({"O": 0.6, "F": 0.1})
    assert draft_of(own).table.fixed == {"F": 0.5}
    assert with_site(draft, "O", "atoms", 4.0).sites[1].atoms is None  # all of them is the default
    assert with_site(draft, "Ti", "by", 4).sites[0].by is None


def test_a_draft_without_replacing_elements_is_shown_with_its_errors():
    """La and O of LaO removed: first with no atoms of La to replace, then with nothing in place of either."""
    draft = with_elements(with_task(draft_of(DesignProblem("LaO")), SUBSTITUTE), ["La", "O"])
    emptied = with_site(draft, "O", "by", 0)
    for site in (("La", "atoms", 0.0), ("La", "by", 0)):
        problem = with_table(with_site(emptied, *site), replace(draft.table, fixed={"F": 1.0})).problem()
        assert dict(problem_rows(problem, {"F"}))["Free"] == "nothing"
        assert [error.field for error in check(problem)] != []


def test_states_that_balance_the_base_are_offered():
    """LaFeAsO: As and O at −3 and −2 leave La +2 or +3 beside Fe +3 or +2."""
    amounts = parse_formula("LaFeAsO")
    assert set(possible_states(amounts, "La")) == {2, 3}
    assert {2, 3} <= set(possible_states(amounts, "Fe"))
    assert set(possible_states(parse_formula("NaCl"), "Na")) == {-1, 1}
    lsco = parse_formula("La1.85Sr0.15CuO4")  # counted in La37Sr3Cu20O80: 37 x 2 + 3 x 2 + 20 x 4 = 80 x 2
    assert possible_states(lsco, "La") == (2,) and possible_states(lsco, "Sr") == (2,)


def test_the_table_is_reset_with_what_the_task_fixes():
    draft = with_task(draft_of(DesignProblem("LaFeAsO", forbidden=("Hg",))), SUBSTITUTE)
    reset = with_initial_table(replace(draft, table=TableState(frozenset({"Hg"}), {}, draft.table.substituted)))
    assert reset.table == TableState(initially_forbidden(), {"Fe": 1.0, "As": 1.0, "O": 1.0}, frozenset({"La"}))
    assert with_initial_table(first_draft()) == first_draft()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_leaves_no_trace_of_the_preset_before(name):
    draft = with_floors(draft_of(DesignProblem("LaH10", fixed={"La": 1 / 11}, forbidden=("H",))), ["Y"])
    chosen = with_preset(draft, name)
    assert preset_of(chosen.settings, chosen.floors, chosen.charge_rule) == name
    again = with_preset(chosen, "Quick")
    assert (again.settings, again.floors, again.charge_rule) == (draft.settings, {"Y": 0.1}, ONE_STATE)


def test_the_presets_of_the_papers_bring_their_method_and_take_it_away():
    first = with_proposals_of(first_draft())
    paper = with_preset(first, "As in the paper")
    assert (first.method, paper.method) == (MEMETIC, GRADIENT) and paper.settings.novelty == NEW
    assert with_preset(paper, "GDMCD").method == GRADIENT
    assert with_preset(paper, "Quick") == first
    genetic = with_method(first, GENETIC)
    assert with_preset(genetic, "Small cells").method == GENETIC
    assert preset_of(PRESETS["As in the paper"].settings, method=MEMETIC) is None


def with_proposals_of(draft: Draft) -> Draft:
    return replace(draft, settings=with_proposals(draft.settings, "near"))


def test_the_preset_for_hydrides_allows_hydrogen_with_a_minimum():
    draft = with_preset(draft_of(DesignProblem("LaH10", forbidden=("H", "He"))), "Hydrides")
    assert draft.floors == {"H": 0.4} and draft.table.forbidden == {"He"}
    problem = draft.problem()
    assert problem.charge_rule == EVERY_ATOM and problem.settings.n_unit == (1, 15)
    assert with_task(draft, SUBSTITUTE).problem().floors == {}


def test_the_benchmark_of_the_default_design_has_the_settings_of_a_first_visit():
    assert first_draft().settings == default_search.SETTINGS
