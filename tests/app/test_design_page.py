"""The design page as Streamlit runs it, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app import session
from app.draft import with_base
from app.rules import Rule
from core.executors.local_process import LocalProcessExecutor
from core.paths import PROJECT
from core.problem.problem import BEST, PUBLISHED, DesignProblem, Models
from core.problem.settings import SUBSTITUTE, SUBSTITUTION
from core.problem.substitution_sites import Site
from core.runs import store

PUBLISHED_LINK = {
    "base": "LaFeAsO",
    "tc_predictor": PUBLISHED.tc,
    "formation_energy_predictor": PUBLISHED.formation_energy,
}


@pytest.fixture
def page() -> AppTest:
    return opened()


def opened(**link: str) -> AppTest:
    """The page as the link opens it."""
    test = AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120)
    for name, value in link.items():
        test.query_params[name] = value
    return checked(test.run())


def checked(test: AppTest) -> AppTest:
    """No page ever shows a traceback."""
    assert not test.exception
    return test


def type_base(test: AppTest, formula: str) -> AppTest:
    """Type a formula: AppTest can only choose from the list, so the draft is changed as the callback would."""
    test.session_state["tc_studio.draft"] = with_base(draft(test), formula)
    return checked(test.run())


def words(test: AppTest) -> str:
    """All HTML on the page."""
    return "\n".join(block.proto.body for block in test.get("html"))


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
    return checked(test.run())


def draft(test: AppTest):
    return test.session_state["tc_studio.draft"]


def test_a_first_visit_can_be_run_at_once(page):
    assert widget(page.selectbox, "design.base").value == "LaFeAsO"
    assert not run_button(page).disabled
    assert widget(page.pills, "design.presets").value == ["radioactive"]
    assert "15.6 K" in words(page) and "predicted" in words(page)
    assert "all that the models know but Tc" in words(page)
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
    assert rule in words(page)
    assert run_button(page).disabled
    assert "Please correct first: Base material" in words(page)
    checked(widget(page.selectbox, "design.base").select("MgB2").run())
    assert not run_button(page).disabled
    assert "Please correct" not in words(page)


def test_a_base_is_chosen_from_the_list(page):
    checked(widget(page.selectbox, "design.base").select("MgB2").run())
    assert draft(page).base == "MgB2"
    assert "MgB<sub>2</sub>" in words(page) and "38.6 K" in words(page)


@pytest.mark.parametrize(
    ("formula", "reported"), [("B2Mg", "38.6 K"), ("La0.5Y0.5FeAsO", "not in our list of superconductors")]
)
def test_any_formula_may_be_typed_and_is_found_among_the_known_ones(page, formula, reported):
    assert reported in words(type_base(page, formula))


def test_a_substitution_fixes_the_rest_and_asks_for_what_is_missing(page):
    checked(widget(page.segmented_control, "design.task").select(SUBSTITUTE).run())
    assert widget(page.pills, "design.replaced").value == ["La"]
    assert widget(page.selectbox, "design.state.La").value == 3
    assert draft(page).table.fixed == {"Fe": 1, "As": 1, "O": 1}
    assert "all that can be +3" in words(page)
    click_table(page, fixed={"Fe": 1.0, "As": 1.0, "O": 1.0})  # La was clicked on: nothing is replaced now
    assert "no element is chosen for replacement" in words(page)
    assert run_button(page).disabled


def test_the_table_fixes_forbids_and_is_told_what_is_wrong(page):
    click_table(page, fixed={"Fe": 1.0}, forbidden=["Kr"])
    assert draft(page).problem().fixed == {"Fe": 0.25}
    assert "Fe 0.25" in words(page)
    click_table(page, fixed={"Fe": 3.0, "As": 1.0})
    assert "must leave room for the rest" in words(page)
    assert "Please correct first: Periodic table" in words(page) and "candidates ×" not in words(page)


def test_an_element_of_the_base_is_fixed_with_its_own_amount(page):
    type_base(page, "YBa2Cu3O7")
    click_table(page, fixed={"Cu": 1.0})
    assert draft(page).table.fixed == {"Cu": 3.0}


def test_a_group_of_which_the_models_know_nothing_is_not_offered(page):
    assert "noble gases" not in widget(page.pills, "design.presets").options
    assert "noble gases" in widget(opened(**PUBLISHED_LINK).pills, "design.presets").options


def test_the_precision_of_the_steps_is_part_of_the_problem(page):
    checked(widget(page.selectbox, "design.precision").select("float32").run())
    assert draft(page).problem().precision == "float32"
    assert DesignProblem.from_json(draft(page).problem().to_json()).precision == "float32"


def test_models_are_chosen_and_named_in_the_link(page):
    best = words(page)
    checked(widget(page.selectbox, "design.models").select(PUBLISHED).run())
    assert draft(page).problem().tc_predictor == PUBLISHED.tc
    assert {name: page.query_params[name] for name in PUBLISHED_LINK} == PUBLISHED_LINK
    assert words(page) != best  # the base's predictions are those of the other models
    other = DesignProblem("LaFeAsO", tc_predictor=BEST.tc, formation_energy_predictor=PUBLISHED.formation_energy)
    page.session_state["tc_studio.draft"] = session.drafts.draft_of(other)
    checked(page.run())
    assert widget(page.selectbox, "design.models").value == Models(BEST.tc, PUBLISHED.formation_energy)


def test_presets_forbid_and_allow_groups():
    page = opened(**PUBLISHED_LINK)
    checked(widget(page.pills, "design.presets").set_value(["noble gases", "radioactive", "toxic"]).run())
    assert {"As", "Tl", "Kr", "Tc"} <= draft(page).table.forbidden
    checked(widget(page.pills, "design.presets").set_value(["toxic"]).run())
    assert "Tl" in draft(page).table.forbidden and not {"Kr", "Tc"} & draft(page).table.forbidden
    checked(widget(page.selectbox, "design.only_state").select(3).run())
    assert "Ba" in draft(page).table.forbidden and "La" not in draft(page).table.forbidden
    checked(page.button(key="design.reset").click().run())
    assert widget(page.pills, "design.presets").value == ["noble gases", "radioactive"]
    assert "Tl" not in draft(page).table.forbidden


def test_forbidding_everything_is_noticed(page):
    groups = widget(page.pills, "design.presets").options
    checked(widget(page.pills, "design.presets").set_value(list(groups)).run())
    checked(widget(page.selectbox, "design.only_state").select(8).run())
    assert "no element is allowed" in words(page)
    assert run_button(page).disabled


def test_settings_follow_the_preset_and_say_what_is_wrong(page):
    checked(widget(page.segmented_control, "design.preset").select("As in the paper").run())
    assert widget(page.number_input, "design.candidates").value == 4096
    assert "4,096 candidates × 1,000 steps" in words(page)
    checked(widget(page.number_input, "design.candidates").set_value(20_000).run())
    checked(widget(page.number_input, "design.steps.1").set_value(6_000).run())
    assert "from 1 to 16,384" in words(page) and "from 0 to 5,000" in words(page)
    assert any(expander.label.startswith("Settings · :red[2 to correct") for expander in page.expander)
    assert run_button(page).disabled and "Settings" in words(page)


def test_the_baseline_is_chosen_and_what_it_has_no_use_for_is_switched_off(page):
    checked(widget(page.segmented_control, "design.method").select(SUBSTITUTION).run())
    assert page.query_params["method"] == SUBSTITUTION
    assert "replaced by 1 to 4 elements each of the same oxidation state" in words(page)
    assert "nothing is optimised" in words(page)
    assert widget(page.number_input, "design.learning_rate").disabled
    assert not widget(page.number_input, "design.candidates").disabled
    click_table(page, fixed={"Fe": 2})
    assert "a substitution keeps the amounts of the base" in words(page) and run_button(page).disabled


def test_an_answer_that_the_browser_has_not_yet_heard_of_is_not_taken_back(page):
    slow_browser = page._tree
    checked(widget(page.number_input, "design.candidates").set_value(40).run())
    assert widget(page.segmented_control, "design.preset").value is None
    page._tree = slow_browser  # its preset still says Quick, and it says so again with the next change
    widget(page.segmented_control, "design.preset").set_value("Quick")
    checked(widget(page.number_input, "design.steps.0").set_value(25).run())
    settings = draft(page).settings
    assert (settings.candidates, settings.steps[0]) == (40, 25)


def test_a_link_opens_what_it_says_and_a_broken_one_says_why():
    test = opened(base="LaFeAsO", task="substitute", replace="La", state="3", candidates="64", forbid="none")
    assert widget(test.pills, "design.replaced").value == ["La"]
    assert widget(test.selectbox, "design.state.La").value == 3
    assert widget(test.number_input, "design.candidates").value == 64
    assert draft(test).table.forbidden == frozenset()
    broken = opened(base="LaFeQsO")
    assert "is not an element" in words(broken)
    assert widget(broken.selectbox, "design.base").value == "LaFeAsO"
    assert not run_button(broken).disabled


def test_examples_fill_the_page(page):
    text = DesignProblem("FeSe", fixed={"Se": 0.5}, seed=5).to_json()
    page.session_state["tc_studio.draft"] = session.drafts.draft_of(session.read_problem(text))
    checked(page.run())
    assert widget(page.selectbox, "design.base").value == "FeSe"
    assert widget(page.number_input, "design.seed").value == 5


def test_run_makes_a_folder_and_goes_to_its_page(page, monkeypatch, tmp_path):
    started = []
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path))
    monkeypatch.setattr(LocalProcessExecutor, "submit", lambda self, run: started.append(run))
    run_button(page).click()
    page.run()
    assert len(started) == 1
    assert store.get(started[0].id).problem() == draft(page).problem()
    assert page.query_params["run"] == started[0].id


def test_a_floor_is_set_shown_and_explained_beside_its_field(page):
    checked(widget(page.segmented_control, "design.preset").select("Hydrides").run())
    assert widget(page.number_input, "design.floor.H").value == 0.4
    assert "H 0.4" in words(page) and not run_button(page).disabled
    checked(widget(page.number_input, "design.floor.H").set_value(1.2).run())
    assert "must leave room for the rest" in words(page) and "Please correct first: At least" in words(page)
    chooser = widget(page.multiselect, "design.floors_of")
    assert chooser.options == sorted(chooser.options)  # typed "H", Enter takes H and not He
    checked(chooser.set_value([]).run())
    assert draft(page).floors == {} and not run_button(page).disabled


def test_a_start_that_there_is_not_is_explained_and_its_fields_appear_when_asked_for(page):
    assert not [each for each in page.selectbox if (each.key or "").startswith("design.start_family")]
    checked(widget(page.selectbox, "design.start").select("known").run())
    checked(widget(page.selectbox, "design.start_family").select("iron-based").run())
    assert "known superconductors (iron-based) above 20 K" in words(page)
    checked(widget(page.number_input, "design.start_above_K").set_value(200.0).run())
    assert "no known iron-based superconductor above this Tc" in words(page) and run_button(page).disabled


def test_what_is_wrong_can_be_put_right_where_it_no_longer_matters(page):
    checked(widget(page.selectbox, "design.objective").set_value("target").run())
    checked(widget(page.number_input, "design.target_tc_K").set_value(0.0).run())
    checked(widget(page.number_input, "design.learning_rate").set_value(5.0).run())
    checked(widget(page.selectbox, "design.objective").set_value("highest").run())
    checked(widget(page.segmented_control, "design.method").set_value(SUBSTITUTION).run())
    assert run_button(page).disabled and "Settings" in words(page)
    checked(widget(page.number_input, "design.target_tc_K").set_value(300.0).run())
    assert not widget(page.number_input, "design.learning_rate").disabled
    checked(widget(page.number_input, "design.learning_rate").set_value(0.03).run())
    assert not run_button(page).disabled
    assert "design.target_tc_K" not in {(each.key or "").split("#")[0] for each in page.number_input}


def test_several_elements_are_replaced_and_a_charge_that_is_not_kept_is_explained(page):
    checked(widget(page.segmented_control, "design.task").select(SUBSTITUTE).run())
    checked(widget(page.pills, "design.replaced").set_value(["La", "O"]).run())
    assert [widget(page.selectbox, f"design.state.{s}").value for s in ("La", "O")] == [3, -2]
    assert draft(page).table.fixed == {"Fe": 1, "As": 1} and not run_button(page).disabled
    checked(widget(page.selectbox, "design.by.La").select(2).run())
    assert "the total charge is not kept" in words(page) and "Replace O by -1" in words(page)
    assert run_button(page).disabled and "Please correct first: Elements to replace" in words(page)
    checked(widget(page.selectbox, "design.by.O").select(-1).run())
    assert draft(page).problem().sites == (Site("La", 3, by=2), Site("O", -2, by=-1))
    assert not run_button(page).disabled and "25% of the atoms" in words(page)
    checked(widget(page.number_input, "design.atoms.O").set_value(3.0).run())
    assert "between 0 and 1 atoms can be replaced" in words(page)


def test_a_site_is_left_empty():
    test = opened(base="Ti2O4", task="substitute", replace="Ti:4:3,O:-2:0:1")
    assert widget(test.selectbox, "design.by.O").value == 0 and widget(test.number_input, "design.atoms.O").value == 1
    assert "O 0.6" in words(test) and "40% of the atoms" in words(test) and not run_button(test).disabled


def test_bounds_groups_and_ratios_are_shown_said_and_refused_beside_their_table(page):
    asked = (Rule("O", 0.2, 0.5), Rule("O, F", 0.3), Rule("La, Y", ratio="2:1"))
    page.session_state["tc_studio.draft"] = replace(draft(page), rules=asked)
    checked(page.run())
    assert "O 0.2 to 0.5; O + F at least 0.3; La:Y = 2:1" in words(page)
    assert page.query_params["bounds"] == '{"O":[0.2,0.5]}' and not run_button(page).disabled
    again = opened(**{name: page.query_params[name] for name in ("base", "bounds", "groups", "ratios")})
    assert draft(again).problem() == draft(page).problem()
    page.session_state["tc_studio.draft"] = replace(draft(page), rules=(Rule("O", 0.6), Rule("F", 0.5), Rule("S")))
    checked(page.run())
    assert "adds up to 1.1" in words(page) and "nothing is asked of it" in words(page)
    assert run_button(page).disabled and "Bounds, groups, ratios" in words(page)
