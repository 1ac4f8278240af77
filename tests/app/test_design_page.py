"""The design page, without a browser."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app.design.elements import unavailable
from app.forms.constraint_rows import ConstraintRow
from app.state.draft import draft_of
from app.state.draft_changes import with_base
from app.state.problem_file import read_problem
from core.executors.local_process import LocalProcessExecutor
from core.generation.registry import MEMETIC, SUBSTITUTION, SUPERDIFF
from core.predictors.registry import BEST, PUBLISHED, Models
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, NEAR, NEW, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site
from core.runs import store
from tests.app.pages import html_text, open_page, page_text, without_exception
from tests.growing_generator import registered

PUBLISHED_LINK = {
    "base": "LaFeAsO",
    "tc_predictor": PUBLISHED.tc,
    "formation_energy_predictor": PUBLISHED.formation_energy,
}


@pytest.fixture
def page() -> AppTest:
    return open_page()


@pytest.fixture
def gradient_page() -> AppTest:
    """The page with the gradient method, as a link that names no method opens it."""
    return open_page(base="LaFeAsO")


def type_base(test: AppTest, formula: str) -> AppTest:
    """Type a formula: AppTest can only choose from the list, so the draft is changed as the callback would."""
    test.session_state["tc_studio.draft"] = with_base(draft(test), formula)
    return without_exception(test.run())


def widget(kind, name: str):
    """The widget of this name among those of a kind: `widget(page.pills, "design.replaced")`."""
    (found,) = [each for each in kind if (each.key or "").split("#")[0] == name]
    return found


def run_button(test: AppTest):
    return next(button for button in test.button if button.label == "Run")


def click_table(test: AppTest, revision: int = 1, **states) -> AppTest:
    """Send what the browser sends after a click."""
    exchange = test.session_state["design.table.exchange"].exchange
    table = {"forbidden": [], "fixed": {}, "substituted": [], **states}
    test.session_state["design.table"] = {
        "table": table | {"generation": exchange.generation, "revision": exchange.revision + revision}
    }
    return without_exception(test.run())


def draft(test: AppTest):
    return test.session_state["tc_studio.draft"]


def test_a_first_visit_can_be_run_at_once(page):
    assert widget(page.selectbox, "design.base").value == "LaFeAsO"
    assert not run_button(page).disabled
    assert widget(page.pills, "design.groups").value == ["radioactive"]
    assert "15.6 K" in html_text(page) and "predicted" in html_text(page)
    assert "all that the models know except Tc" in html_text(page)
    assert page.query_params["base"] == "LaFeAsO"


@pytest.mark.parametrize(
    ("formula", "rule"),
    [
        ("LaLqAsO", "“Lq” is not an element"),
        ("LaFeAsO-1", "cannot be negative"),
        ("YBa2Cu3O7-x", "undetermined amount"),
        ("La(FeAs", "never closed"),
        ("Po2O", "does not know this element"),
        ("<b>La", "is not an element"),
    ],
)
def test_a_bad_base_is_explained_under_its_field_and_stops_the_run(page, formula, rule):
    type_base(page, formula)
    assert rule in html_text(page)
    assert run_button(page).disabled
    assert "Please correct first: Base material" in html_text(page)
    without_exception(widget(page.selectbox, "design.base").select("MgB2").run())
    assert not run_button(page).disabled
    assert "Please correct" not in html_text(page)


def test_a_base_is_chosen_from_the_list(page):
    without_exception(widget(page.selectbox, "design.base").select("MgB2").run())
    assert draft(page).base == "MgB2"
    assert "MgB<sub>2</sub>" in html_text(page) and "38.6 K" in html_text(page)


@pytest.mark.parametrize(
    ("formula", "reported"), [("B2Mg", "38.6 K"), ("La0.5Y0.5FeAsO", "not in the list of known superconductors")]
)
def test_any_formula_may_be_entered_and_is_looked_up(page, formula, reported):
    assert reported in html_text(type_base(page, formula))


def test_a_substitution_fixes_the_rest_and_requires_an_element_to_replace(page):
    without_exception(widget(page.segmented_control, "design.task").select(SUBSTITUTE).run())
    assert widget(page.pills, "design.replaced").value == ["La"]
    assert widget(page.selectbox, "design.state.La").value == 3
    assert draft(page).table.fixed == {"Fe": 1, "As": 1, "O": 1}
    assert re.search("all metals that can be \\+3 except [^<]*La", html_text(page))
    click_table(page, fixed={"Fe": 1.0, "As": 1.0, "O": 1.0})  # La was clicked on: nothing is replaced now
    assert "no element is chosen for replacement" in html_text(page)
    assert run_button(page).disabled


def test_a_first_visit_searches_formulas_and_offers_new_ones_in_sight(page):
    assert widget(page.segmented_control, "design.method").value == MEMETIC
    choice = widget(page.segmented_control, "design.proposals")
    assert choice.value == "near" and "New, and at most 40% of the atoms of the base are exchanged." in page_text(page)
    assert draft(page).problem().settings == replace(OptimiserSettings(), novelty=NEW, change=NEAR)
    assert widget(page.segmented_control, "design.preset").value == "Quick"  # a demand is no setting of the search
    without_exception(widget(page.checkbox, "design.few_of_elements").check().run())
    assert draft(page).settings.per_element_set == 3 and not run_button(page).disabled
    without_exception(widget(page.segmented_control, "design.proposals").select("any").run())
    assert draft(page).problem().settings == replace(OptimiserSettings(), per_element_set=3)
    assert "Known superconductors too" in page_text(page)


def test_the_table_fixes_and_forbids_and_shows_its_errors(page):
    click_table(page, fixed={"Fe": 1.0}, forbidden=["Kr"])
    assert draft(page).problem().fixed == {"Fe": 0.25}
    assert "Fe 0.25" in html_text(page)
    click_table(page, fixed={"Fe": 3.0, "As": 1.0})
    assert "must leave room for the rest" in html_text(page)
    assert "Please correct first: Periodic table" in html_text(page) and "candidates ×" not in html_text(page)


def test_an_element_of_the_base_is_fixed_with_its_own_amount(page):
    type_base(page, "YBa2Cu3O7")
    click_table(page, fixed={"Cu": 1.0})
    assert draft(page).table.fixed == {"Cu": 3.0}


def test_a_group_without_elements_that_the_models_know_is_not_offered(page):
    assert "noble gases" not in widget(page.pills, "design.groups").options
    assert "noble gases" in widget(open_page(**PUBLISHED_LINK).pills, "design.groups").options


def test_the_precision_of_the_steps_is_part_of_the_problem(page):
    without_exception(widget(page.selectbox, "design.precision").select("float32").run())
    assert draft(page).problem().precision == "float32"
    assert DesignProblem.from_json(draft(page).problem().to_json()).precision == "float32"


def test_models_are_chosen_and_named_in_the_link(page):
    best = html_text(page)
    without_exception(widget(page.selectbox, "design.models").select(PUBLISHED).run())
    assert draft(page).problem().tc_predictor == PUBLISHED.tc
    assert {name: page.query_params[name] for name in PUBLISHED_LINK} == PUBLISHED_LINK
    assert html_text(page) != best  # the base's predictions are those of the other models
    other = DesignProblem("LaFeAsO", tc_predictor=BEST.tc, formation_energy_predictor=PUBLISHED.formation_energy)
    page.session_state["tc_studio.draft"] = draft_of(other)
    without_exception(page.run())
    assert widget(page.selectbox, "design.models").value == Models(BEST.tc, PUBLISHED.formation_energy)


def test_buttons_forbid_and_allow_groups():
    page = open_page(**PUBLISHED_LINK)
    without_exception(widget(page.pills, "design.groups").set_value(["noble gases", "radioactive", "toxic"]).run())
    assert {"As", "Tl", "Kr", "Tc"} <= draft(page).table.forbidden
    without_exception(widget(page.pills, "design.groups").set_value(["toxic"]).run())
    assert "Tl" in draft(page).table.forbidden and not {"Kr", "Tc"} & draft(page).table.forbidden
    without_exception(widget(page.selectbox, "design.only_state").select(3).run())
    assert "Ba" in draft(page).table.forbidden and "La" not in draft(page).table.forbidden
    without_exception(page.button(key="design.reset_now").click().run())
    assert widget(page.pills, "design.groups").value == ["noble gases", "radioactive"]
    assert "Tl" not in draft(page).table.forbidden
    without_exception(page.button(key="design.undo").click().run())  # the whole draft, with what was chosen
    assert widget(page.selectbox, "design.only_state").value == 3
    assert "toxic" in widget(page.pills, "design.groups").value and "Ba" in draft(page).table.forbidden
    without_exception(page.button(key="design.redo").click().run())
    assert "Tl" not in draft(page).table.forbidden and page.button(key="design.redo").disabled


def test_forbidding_an_element_of_the_base_is_remarked_upon_and_can_be_undone_as_a_click(page):
    click_table(page, forbidden=["As"])
    assert "As of" in html_text(page) and "at least 25% of the atoms" in html_text(page)
    without_exception(page.button(key="design.undo").click().run())
    assert "As" not in draft(page).table.forbidden and "25% of the atoms" not in html_text(page)
    assert page.button(key="design.undo").disabled


def test_forbidding_everything_is_an_error(page):
    groups = widget(page.pills, "design.groups").options
    without_exception(widget(page.pills, "design.groups").set_value(list(groups)).run())
    without_exception(widget(page.selectbox, "design.only_state").select(8).run())
    assert "no element is allowed" in html_text(page)
    assert run_button(page).disabled


def test_settings_follow_the_preset_and_show_their_errors(page):
    without_exception(widget(page.segmented_control, "design.preset").select("As in the paper").run())
    assert widget(page.number_input, "design.candidates").value == 4096
    assert "4,096 candidates × 1,000 steps" in html_text(page)
    without_exception(widget(page.number_input, "design.candidates").set_value(20_000).run())
    without_exception(widget(page.number_input, "design.steps.1").set_value(6_000).run())
    assert "from 1 to 16,384" in html_text(page) and "from 0 to 5,000" in html_text(page)
    assert any(expander.label.startswith("Settings · :red[2 to correct") for expander in page.expander)
    assert run_button(page).disabled and "Settings" in html_text(page)


def test_the_baseline_disables_settings_that_it_does_not_use(page):
    without_exception(widget(page.segmented_control, "design.method").select(SUBSTITUTION).run())
    assert page.query_params["method"] == SUBSTITUTION
    assert "replaced by 1 to 4 elements each of the same oxidation state" in html_text(page)
    assert "none optimised" in html_text(page)
    assert widget(page.number_input, "design.learning_rate").disabled
    assert not widget(page.number_input, "design.candidates").disabled
    click_table(page, fixed={"Fe": 2})
    assert "a substitution keeps the amounts of the base" in html_text(page) and run_button(page).disabled


def test_a_further_generator_is_offered_and_described_by_its_registration():
    with registered() as growing:
        page = open_page(base="MgB2")
        methods = widget(page.segmented_control, "design.method")
        assert growing.label in methods.options and growing.summary in methods.help
        without_exception(methods.select(growing.name).run())
        assert page.query_params["method"] == growing.name and growing.summary in html_text(page)
        assert "256 candidates × 3 steps = 768" in html_text(page)
        assert widget(page.number_input, "design.learning_rate").disabled
        assert not widget(page.number_input, "design.n_unit.0").disabled and not run_button(page).disabled
        without_exception(widget(page.number_input, "design.method_settings.growth").set_value(3).run())
        assert draft(page).problem().method_settings == {"growth": 3}
        assert page.query_params["method_settings"] == '{"growth":3}'
        assert widget(page.selectbox, "design.method_settings.order").value == "up"
        without_exception(widget(page.number_input, "design.method_settings.pressure_GPa").set_value(1.5).run())
        assert draft(page).problem().method_settings == {"growth": 3, "pressure_GPa": 1.5}
        without_exception(widget(page.number_input, "design.method_settings.growth").set_value(9).run())
        assert "a whole number from 1 to 5" in html_text(page) and run_button(page).disabled


def test_diffusion_shows_its_settings_and_refuses_what_it_cannot_hold(page):
    without_exception(widget(page.segmented_control, "design.method").select(SUPERDIFF).run())
    assert "256 candidates × 100 steps = 25,600" in html_text(page) and not run_button(page).disabled
    without_exception(widget(page.number_input, "design.method_settings.guidance_weight").set_value(0.001).run())
    without_exception(widget(page.selectbox, "design.method_settings.formulas").select("kiago").run())
    assert draft(page).problem().method_settings == {"guidance_weight": 0.001, "formulas": "kiago"}
    click_table(page, fixed={"Fe": 2})
    assert "a diffusion model holds no amount exactly" in html_text(page) and run_button(page).disabled


def test_a_change_that_the_browser_has_not_received_is_not_reverted(gradient_page):
    page = gradient_page
    slow_browser = page._tree
    without_exception(widget(page.number_input, "design.candidates").set_value(40).run())
    assert widget(page.segmented_control, "design.preset").value is None
    page._tree = slow_browser  # the browser still shows Quick, and sends it again with the next change
    widget(page.segmented_control, "design.preset").set_value("Quick")
    without_exception(widget(page.number_input, "design.steps.0").set_value(25).run())
    settings = draft(page).settings
    assert (settings.candidates, settings.steps[0]) == (40, 25)


def test_a_link_opens_its_problem_and_a_broken_one_is_explained():
    test = open_page(base="LaFeAsO", task="substitute", replace="La", state="3", candidates="64", forbid="none")
    assert widget(test.pills, "design.replaced").value == ["La"]
    assert widget(test.selectbox, "design.state.La").value == 3
    assert widget(test.number_input, "design.candidates").value == 64
    assert draft(test).table.forbidden == frozenset()
    broken = open_page(base="LaFeQsO")
    assert "is not an element" in html_text(broken)
    assert widget(broken.selectbox, "design.base").value == "LaFeAsO"
    assert not run_button(broken).disabled


def test_examples_fill_the_page(page):
    text = DesignProblem("FeSe", fixed={"Se": 0.5}, seed=5).to_json()
    page.session_state["tc_studio.draft"] = draft_of(read_problem(text))
    without_exception(page.run())
    assert widget(page.selectbox, "design.base").value == "FeSe"
    assert widget(page.number_input, "design.seed").value == 5


def test_run_creates_a_folder_and_opens_its_page(page, monkeypatch, tmp_path):
    started = []
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path))
    monkeypatch.setattr(LocalProcessExecutor, "submit", lambda self, run: started.append(run))
    run_button(page).click()
    page.run()
    assert len(started) == 1
    assert store.get(started[0].id).problem() == draft(page).problem()
    assert page.query_params["run"] == started[0].id


def test_a_floor_is_set_shown_and_explained_beside_its_field(page):
    without_exception(widget(page.segmented_control, "design.preset").select("Hydrides").run())
    assert widget(page.number_input, "design.floor.H").value == 0.4
    assert "H 0.4" in html_text(page) and not run_button(page).disabled
    without_exception(widget(page.number_input, "design.floor.H").set_value(1.2).run())
    assert "must leave room for the rest" in html_text(page) and "Please correct first: Minimum amounts" in html_text(
        page
    )
    chooser = widget(page.multiselect, "design.floors_of")
    assert chooser.options == sorted(chooser.options)  # typed "H", Enter takes H and not He
    without_exception(chooser.set_value([]).run())
    assert draft(page).floors == {} and not run_button(page).disabled


def test_the_fields_of_a_start_appear_with_it_and_a_start_without_material_is_explained(page):
    assert not [each for each in page.selectbox if (each.key or "").startswith("design.start_family")]
    without_exception(widget(page.selectbox, "design.start").select("known").run())
    without_exception(widget(page.selectbox, "design.start_family").select("iron-based").run())
    assert "known superconductors (iron-based) above 20 K" in html_text(page)
    without_exception(widget(page.number_input, "design.start_above_K").set_value(200.0).run())
    assert "no known iron-based superconductor above this Tc" in html_text(page) and run_button(page).disabled


def test_an_error_can_be_corrected_in_a_field_that_has_no_effect(gradient_page):
    page = gradient_page
    without_exception(widget(page.selectbox, "design.objective").set_value("target").run())
    without_exception(widget(page.number_input, "design.target_tc_K").set_value(0.0).run())
    without_exception(widget(page.number_input, "design.learning_rate").set_value(5.0).run())
    without_exception(widget(page.selectbox, "design.objective").set_value("highest").run())
    without_exception(widget(page.segmented_control, "design.method").set_value(SUBSTITUTION).run())
    assert run_button(page).disabled and "Settings" in html_text(page)
    without_exception(widget(page.number_input, "design.target_tc_K").set_value(300.0).run())
    assert not widget(page.number_input, "design.learning_rate").disabled
    without_exception(widget(page.number_input, "design.learning_rate").set_value(0.03).run())
    assert not run_button(page).disabled
    assert "design.target_tc_K" not in {(each.key or "").split("#")[0] for each in page.number_input}


def test_several_elements_are_replaced_and_a_changed_total_charge_is_explained(page):
    without_exception(widget(page.segmented_control, "design.task").select(SUBSTITUTE).run())
    without_exception(widget(page.pills, "design.replaced").set_value(["La", "O"]).run())
    assert [widget(page.selectbox, f"design.state.{s}").value for s in ("La", "O")] == [3, -2]
    assert draft(page).table.fixed == {"Fe": 1, "As": 1} and not run_button(page).disabled
    without_exception(widget(page.selectbox, "design.by.La").select(2).run())
    assert "the total charge is not kept" in html_text(page) and "Replace O by -1" in html_text(page)
    assert run_button(page).disabled and "Please correct first: Elements to replace" in html_text(page)
    without_exception(widget(page.selectbox, "design.by.O").select(-1).run())
    lanthanum = Site("La", 3, by=2, among="metals", may_return=False)
    assert draft(page).problem().sites == (lanthanum, Site("O", -2, by=-1, may_return=False))
    assert not run_button(page).disabled and "25% of the atoms" in html_text(page)
    without_exception(widget(page.number_input, "design.atoms.O").set_value(3.0).run())
    assert "must be above 0 and at most 1" in html_text(page)


def test_the_replaced_element_and_non_metals_are_left_out_unless_asked_for(page):
    without_exception(widget(page.segmented_control, "design.task").select(SUBSTITUTE).run())
    group, again = "design.among.La", "design.may_return.La"
    assert widget(page.segmented_control, group).value == "metals" and not widget(page.checkbox, again).value
    assert widget(page.checkbox, again).label == "May contain La again"
    assert "+3 metals (60)" in widget(page.segmented_control, group).options
    assert unavailable(draft(page))["P"] == "replaced only by +3 metals"
    assert unavailable(draft(page))["Rb"] == "no known oxidation state +3"
    assert page.query_params["replace"] == "La:3:metals:new"
    without_exception(widget(page.checkbox, again).check().run())
    assert draft(page).problem().sites == (Site("La", 3, among="metals"),)
    without_exception(widget(page.segmented_control, group).set_value("any").run())
    assert draft(page).problem().sites == (Site("La", 3),) and "all that can be +3" in html_text(page)
    assert "P" not in unavailable(draft(page))
    without_exception(widget(page.segmented_control, group).set_value("non_metals").run())
    assert re.search("from 13 elements: B, C, N|non-metals that can be \\+3", html_text(page))
    assert not run_button(page).disabled


def test_a_link_of_an_earlier_version_shows_its_meaning():
    test = open_page(base="LaFeAsO", task="substitute", replace="La:3", forbid="none")
    assert widget(test.checkbox, "design.may_return.La").value
    assert widget(test.segmented_control, "design.among.La").value == "any"
    assert draft(test).problem().sites == (Site("La", 3),)


def test_a_site_is_left_empty():
    test = open_page(base="Ti2O4", task="substitute", replace="Ti:4:3,O:-2:0:1")
    assert widget(test.selectbox, "design.by.O").value == 0 and widget(test.number_input, "design.atoms.O").value == 1
    assert "O 0.6" in html_text(test) and "40% of the atoms" in html_text(test) and not run_button(test).disabled


def test_bounds_groups_and_ratios_are_shown_with_their_errors(page):
    rows = (ConstraintRow("O", 0.2, 0.5), ConstraintRow("O, F", 0.3), ConstraintRow("La, Y", ratio="2:1"))
    page.session_state["tc_studio.draft"] = replace(draft(page), constraint_rows=rows)
    without_exception(page.run())
    assert "O 0.2 to 0.5; O + F at least 0.3; La:Y = 2:1" in html_text(page)
    assert page.query_params["bounds"] == '{"O":[0.2,0.5]}' and not run_button(page).disabled
    again = open_page(**{name: page.query_params[name] for name in page.query_params})
    assert draft(again).problem() == draft(page).problem()
    page.session_state["tc_studio.draft"] = replace(
        draft(page), constraint_rows=(ConstraintRow("O", 0.6), ConstraintRow("F", 0.5), ConstraintRow("S"))
    )
    without_exception(page.run())
    assert "add up to 1.1" in html_text(page) and "sets no limit" in html_text(page)
    assert run_button(page).disabled and "Bounds, groups, ratios" in html_text(page)


def test_what_is_probably_meant_is_offered_as_a_button(page):
    page = type_base(page, "YBa2Cu3O7-d")
    assert "undetermined amount" in html_text(page)
    assert [button.label for button in page.button if button.label.startswith("Use YBa")] == ["Use YBa2Cu3O7"]


def test_a_formula_is_shown_as_it_was_understood(page):
    page = type_base(page, "La 1,85 Sr 0,15 CuO 4")
    assert "La<sub>1.85</sub>Sr<sub>0.15</sub>CuO<sub>4</sub>" in html_text(page)


def test_a_series_draws_its_doping_line_and_offers_its_members(page):
    page = type_base(page, "La2-xSrxCuO4, x = 0..0.3 in 7 steps")
    (members,) = [box for box in page.selectbox if box.label == "Member of the series as base"]
    assert members.options[::3] == ["La2CuO4", "La1.85Sr0.15CuO4", "La1.7Sr0.3CuO4"]
    assert len(page.get("plotly_chart")) == 1


def test_a_wrong_series_is_an_error(page):
    page = type_base(page, "La2-xSrxCuO4, x = 0..5 in 7 steps")
    assert "negative" in html_text(page) and not page.get("plotly_chart")


def test_one_state_per_atom_is_offered_where_the_base_needs_it(page):
    def offers(test: AppTest) -> int:
        return sum(button.label == "One state per atom" for button in test.button)

    assert offers(page) == 0
    page = type_base(page, "Ba0.6K0.4Fe2As2")
    assert offers(page) == 1
    page.session_state["tc_studio.draft"] = replace(draft(page), charge_rule=EVERY_ATOM)
    assert offers(without_exception(page.run())) == 0
