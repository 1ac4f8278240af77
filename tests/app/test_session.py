"""The design page without Streamlit: drafts, links, presets, settings, words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app import draft as drafts
from app import knobs, presets, session, style, summary
from app.components.periodic_table import TableState
from app.lookup import usual_formula
from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.generation.validation import check
from core.paths import ASSETS
from core.problem.composition_constraints import Group
from core.problem.presets import GDMCD, GDMCD_QUICK, HYDRIDE, PAPER, PRESETS, QUICK, preset_of
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, ONE_STATE, RAISE_TC, SUBSTITUTE, OptimiserSettings
from core.problem.substitution_sites import Site

EXAMPLES = sorted((ASSETS / "examples").glob("*.json"))
KNOWN = frozenset(elements.symbols()[:86])

PROBLEMS = [
    DesignProblem("LaFeAsO"),
    DesignProblem("LaFeAsO", fixed={"Fe": 0.25, "As": 0.25}, forbidden=("He", "Tc")),
    DesignProblem("La1.85Sr0.15CuO4", fixed={"Cu": 1 / 7}, settings=PAPER, seed=7, device="cpu"),
    DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3),)),
    DesignProblem("YBa2Cu3O7", task=SUBSTITUTE, sites=(Site("Y", 3),), fixed={"Cu": 3 / 13, "O": 7 / 13}),
    DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3, by=2), Site("O", -2, by=-1))),
    DesignProblem("Ti2O4", task=SUBSTITUTE, sites=(Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1.0))),
    DesignProblem(
        "YBa2Cu3O7",
        bounds={"O": (0.3, 0.6), "F": (0.0, 0.1)},
        groups=(Group(("O", "F"), 0.35), Group(("Cu", "Ag"), 0.0, 0.25)),
        ratios=({"Ba": 2.0, "Y": 1.0},),
    ),
    DesignProblem("H3S", settings=replace(OptimiserSettings(), n_unit=(1, 15), perturb_ratio=0.125)),
    DesignProblem("LaH10", settings=HYDRIDE, floors={"H": 0.4}, charge_rule=EVERY_ATOM),
    DesignProblem("YBa2Cu3O7", settings=GDMCD),
]


def close(a: DesignProblem, b: DesignProblem) -> bool:
    """Equal, but for rounding in the fixed fractions."""
    same = replace(a, fixed=None) == replace(b, fixed=None)
    return same and (a.fixed_fractions() == pytest.approx(b.fixed_fractions(), abs=1e-9))


# ---- problem <-> draft <-> link ----------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_draft_gives_back_the_problem_that_it_shows(problem):
    assert close(drafts.draft_of(problem).problem(), problem)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_link_gives_back_the_problem_that_it_was_made_of(problem):
    assert close(session.from_link(session.to_link(problem)), problem)


def test_the_link_of_a_first_visit_is_short_and_foreign_parameters_are_passed_over():
    first = drafts.first_draft().problem()
    assert session.to_link(first) == {"base": "LaFeAsO"}
    assert session.from_link({"base": "LaFeAsO", "utm_source": "letter", "run": "x"}) == first


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_run_and_reads_like_one(path):
    problem = session.read_problem(path.read_text(encoding="utf-8"))
    assert problem.to_json() == path.read_text(encoding="utf-8")
    assert summary.title(problem).startswith(("Raise Tc", "Replace"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"base": 5}',
        '{"base": "FeSe", "fixed": [1]}',
        '{"base": "FeSe", "forbidden": [[1]]}',
        '{"base": "FeSe", "target": [1], "task": "substitute"}',
        '{"base": "FeSe", "tc_predictor": "nothing"}',
        '{"base": "FeSe", "settings": {"candidates": "many"}}',
        '{"base": "FeSe", "settings": {"learning_rate": NaN}}',
        '{"base": "FeSe", "settings": {"candidates": 1000000}}',
    ],
)
def test_a_file_that_is_no_problem_is_refused_with_a_message(text):
    with pytest.raises(InputError):
        session.read_problem(text)


@pytest.mark.parametrize(
    "link",
    [
        {"base": "Lq"},
        {"base": "FeSe", "steps": "a,b"},
        {"base": "FeSe", "task": "no"},
        {"base": "FeSe", "fix": "abc"},
        {"base": "FeSe", "fix": "Fe0.25junk"},
        {"base": "FeSe", "forbid": "HeNe!"},
        {"base": "FeSe", "task": "substitute", "replace": "Fe:inf"},
    ],
)
def test_a_broken_link_is_refused_with_a_message(link):
    with pytest.raises(InputError):
        session.from_link(link)


# ---- changes to a draft ------------------------------------------------------------------------------------------


def test_amounts_are_per_formula_unit_and_fractions_of_all_atoms():
    draft = drafts.draft_of(DesignProblem("YBa2Cu3O7", fixed={"Cu": 3 / 13}))
    assert draft.table.fixed == {"Cu": 3.0}
    assert draft.problem().fixed == pytest.approx({"Cu": 3 / 13})


def test_an_element_of_the_base_clicked_to_fixed_takes_its_amount_from_the_base():
    draft = drafts.draft_of(DesignProblem("YBa2Cu3O7"))
    clicked = replace(draft.table, fixed={"Cu": 1.0, "F": 1.0})
    assert drafts.with_table(draft, clicked).table.fixed == {"Cu": 3.0, "F": 1.0}
    corrected = replace(draft, table=replace(draft.table, fixed={"Cu": 3.0}))
    assert drafts.with_table(corrected, replace(draft.table, fixed={"Cu": 1.0})).table.fixed == {"Cu": 1.0}


def test_a_new_base_takes_along_what_was_fixed_from_the_old_one():
    draft = drafts.draft_of(DesignProblem("LaFeAsO", fixed={"As": 0.25, "La": 0.25, "H": 0.40}))
    moved = drafts.with_base(draft, "BaFe2As2")
    assert moved.table.fixed == {"As": 2.0, "H": pytest.approx(2.0)}  # La is gone, H keeps its fraction
    assert moved.problem().fixed["H"] == pytest.approx(0.40)


def test_a_base_that_cannot_be_read_keeps_the_table():
    draft = drafts.draft_of(DesignProblem("LaFeAsO", fixed={"As": 0.25}))
    typed = drafts.with_base(draft, "LaFeQsO")
    assert (typed.base, typed.table) == ("LaFeQsO", draft.table)
    assert drafts.with_base(typed, "LaFeAsO") == draft


def test_substitution_keeps_the_rest_and_proposes_the_balanced_state():
    draft = drafts.with_task(drafts.draft_of(DesignProblem("LaFeAsO", fixed={"As": 0.125})), SUBSTITUTE)
    assert draft.sites == (Site("La", 3),)
    assert draft.table.fixed == {"Fe": 1.0, "As": 1.0, "O": 1.0}
    assert draft.problem().fixed is None  # the task's own default
    other = drafts.with_elements(draft, ["Fe"])
    assert (other.sites, set(other.table.fixed)) == ((Site("Fe", 2),), {"La", "As", "O"})
    assert drafts.with_task(other, RAISE_TC).table.fixed == {"As": 0.5}


def test_elements_clicked_one_after_the_other_are_replaced_together():
    draft = drafts.with_task(drafts.draft_of(DesignProblem("LaFeAsO")), SUBSTITUTE)
    clicked = TableState(draft.table.forbidden, {"As": 1.0, "O": 1.0}, frozenset({"La", "Fe"}))
    after = drafts.with_table(draft, clicked)
    assert (after.sites, after.table.fixed) == ((Site("La", 3), Site("Fe", 2)), {"As": 1.0, "O": 1.0})
    again = drafts.with_table(after, TableState(draft.table.forbidden, {"As": 1.0, "O": 1.0, "La": 1.0}, {"Fe"}))
    assert again.sites == (Site("Fe", 2),) and again.problem().fixed is None


def test_a_site_given_up_in_part_keeps_the_rest_fixed():
    """Ti2O4 to X2O3: five atoms are left, three of them oxygen; and the same when a fixed amount is one's own."""
    draft = drafts.with_elements(drafts.with_task(drafts.draft_of(DesignProblem("Ti2O4")), SUBSTITUTE), ["Ti", "O"])
    for change in (("Ti", "by", 3), ("O", "by", 0), ("O", "atoms", 1.0)):
        draft = drafts.with_site(draft, *change)
    assert draft.sites == (Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1.0))
    problem = draft.problem()
    assert problem.fixed is None and problem.fixed_fractions() == {"O": 0.6}
    own = drafts.with_table(draft, replace(draft.table, fixed={"F": 0.5})).problem()
    assert own.fixed == pytest.approx({"O": 0.6, "F": 0.1})
    assert drafts.draft_of(own).table.fixed == {"F": 0.5}
    assert drafts.with_site(draft, "O", "atoms", 4.0).sites[1].atoms is None  # all of them is the default
    assert drafts.with_site(draft, "Ti", "by", 4).sites[0].by is None


def test_a_draft_in_which_nothing_comes_in_is_shown_with_what_is_wrong():
    """La and O of LaO taken away, first with no atoms of La to replace, then with nothing in the place of either."""
    draft = drafts.with_elements(drafts.with_task(drafts.draft_of(DesignProblem("LaO")), SUBSTITUTE), ["La", "O"])
    emptied = drafts.with_site(draft, "O", "by", 0)
    for site in (("La", "atoms", 0.0), ("La", "by", 0)):
        problem = drafts.with_table(drafts.with_site(emptied, *site), replace(draft.table, fixed={"F": 1.0})).problem()
        assert dict(summary.in_words(problem, {"F"}))["Free"] == "nothing"
        assert [error.field for error in check(problem)] != []


def test_states_that_balance_the_base_are_offered():
    """LaFeAsO: 2 or 3 for La. As and O at -3 and -2 leave Fe +2 or +3; YBa2Cu3O7 takes Y 1+ to 3+ with Cu or O odd."""
    amounts = parse_formula("LaFeAsO")
    assert set(drafts.possible_states(amounts, "La")) == {2, 3}
    assert {2, 3} <= set(drafts.possible_states(amounts, "Fe"))
    assert set(drafts.possible_states(parse_formula("NaCl"), "Na")) == {-1, 1}
    lsco = parse_formula("La1.85Sr0.15CuO4")  # counted in La37Sr3Cu20O80: 37 x 2 + 3 x 2 + 20 x 4 = 80 x 2
    assert drafts.possible_states(lsco, "La") == (2,) and drafts.possible_states(lsco, "Sr") == (2,)


# ---- presets -----------------------------------------------------------------------------------------------------


def table(forbidden="", fixed=()) -> TableState:
    return TableState(frozenset(forbidden.split()), dict.fromkeys(fixed, 1.0), frozenset())


def test_a_preset_spares_what_is_fixed_and_spares_it_when_taken_back():
    toxic = {"As", "Hg", "Tl"}
    out = presets.keep_out(table("He", fixed=["As"]), toxic)
    assert out.forbidden == {"He", "Hg", "Tl"}
    assert presets.active(out, toxic, KNOWN)
    assert presets.let_in(out, toxic, [{"Tl", "Pb"}]).forbidden == {"He", "Tl"}


def test_a_group_that_others_cover_is_lit_only_if_it_was_asked_for():
    groups = {"noble": {"Ne", "Kr"}, "radioactive": {"Tc", "U"}, "unseen": {"Kr", "Tc"}}
    known = KNOWN | {"U"}
    out = table("Ne Kr Tc U")
    assert presets.lit(out, groups, known, ()) == ["noble", "radioactive"]
    assert presets.lit(out, groups, known, {"unseen"}) == ["noble", "radioactive", "unseen"]
    assert presets.lit(table("Ne Kr"), groups, known, {"unseen"}) == ["noble"]


def test_presets_hold_what_their_names_say():
    groups = {preset.label: preset.symbols for preset in presets.presets({"Kr"})}
    assert {"As", "Cd", "Hg", "Tl", "Pb", "Be"} <= groups["toxic"]
    assert {"Sc", "Y", "La", "Lu"} <= groups["rare earths"]
    assert drafts.forbidden_at_first() == groups["noble gases"] | groups["radioactive"]
    assert "La" not in presets.only_with_state(3) and "Ba" in presets.only_with_state(3)
    assert presets.only_with_state(None) == frozenset()


# ---- settings, words, formulas -----------------------------------------------------------------------------------


def test_every_setting_has_a_knob_that_reads_and_writes_it():
    seen = set()
    for _, group in knobs.GROUPS:
        for knob in group:
            seen.add(knob.name)
            assert knob.get(knob.put(OptimiserSettings(), knob.get(PAPER))) == knob.get(PAPER)
            assert knob.help
    assert seen == set(OptimiserSettings.__dataclass_fields__)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_known_again_and_leaves_nothing_behind(name):
    draft = drafts.with_floors(drafts.draft_of(DesignProblem("LaH10", fixed={"La": 1 / 11}, forbidden=("H",))), ["Y"])
    chosen = drafts.with_preset(draft, name)
    assert preset_of(chosen.settings, chosen.floors, chosen.charge_rule) == name
    again = drafts.with_preset(chosen, "Quick")
    assert (again.settings, again.floors, again.charge_rule) == (draft.settings, {"Y": 0.1}, ONE_STATE)


def test_the_preset_for_hydrides_asks_for_hydrogen_by_name():
    draft = drafts.with_preset(drafts.draft_of(DesignProblem("LaH10", forbidden=("H", "He"))), "Hydrides")
    assert draft.floors == {"H": 0.4} and draft.table.forbidden == {"He"}
    problem = draft.problem()
    assert problem.charge_rule == EVERY_ATOM and problem.settings.n_unit == (1, 15)
    assert drafts.with_task(draft, SUBSTITUTE).problem().floors == {}


def test_a_setting_is_shown_where_it_matters():
    shown = {knob.name for _, group in knobs.GROUPS for knob in group if not knob.hidden(QUICK)}
    assert not shown & {"target_tc_K", "start_family", "start_above_K"} and "start" in shown
    hidden = {knob.name for _, group in knobs.GROUPS for knob in group if knob.hidden(GDMCD_QUICK)}
    assert hidden == {"rounding"}  # what is doped is rounded to the nearest


def test_the_summary_says_what_is_fixed_free_and_how_much_work_it_is():
    problem = DesignProblem("LaFeAsO", fixed={"Fe": 0.25, "As": 0.25}, forbidden=("He", "Kr"))
    words = dict(summary.in_words(problem, KNOWN - {"He"}))
    assert words["Fixed"].startswith("Fe 0.25, As 0.25") and "= 0.5)" in words["Fixed"]
    assert words["Free"] == "50% of the atoms, from 82 elements: all that the models know but Kr"
    assert words["Size"] == (
        "at most 7 elements; 4, 8, 12 … 24 atoms per formula unit, charges balanced where they can be"
    )
    assert "256 candidates × 150 steps = 38,400" in words["Work"]
    alone = DesignProblem("LaFeAsO", forbidden=tuple(KNOWN - {"Fe"}))
    assert dict(summary.in_words(alone, KNOWN))["Free"] == "100% of the atoms, from 1 element: Fe"
    replaced = DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3),), forbidden=("Pm",))
    assert dict(summary.in_words(replaced, KNOWN))["Free"].endswith("all that can be +3 but Pm")
    assert summary.title(replaced) == "Replace La in LaFeAsO by +3"
    several = DesignProblem("Ti2O4", task=SUBSTITUTE, sites=(Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1)))
    assert summary.title(several) == "Replace Ti (+4) by +3 and 1 O (−2) by nothing in Ti₂O₄"
    words = dict(summary.in_words(several, KNOWN))
    assert words["Free"].startswith("40% of the atoms, from")
    assert "in the place of Ti in" in words["Start"]


def test_the_vectors_have_one_digit_per_element():
    problem = DesignProblem("LaFeAsO", fixed={"Fe": 0.25}, forbidden=("H",))
    rows = summary.m_elem(problem, frozenset(elements.symbols())).splitlines()[1:]
    bits = "".join(row.split()[-1] for row in rows)
    assert (len(bits), bits.count("0"), bits[0], bits[25]) == (118, 2, "0", "0")
    assert summary.x_const(problem) == "x_const = (Fe 0.25, 0 elsewhere)"


def test_formulas_are_written_as_chemists_do():
    names = ["B2Mg", "C60Rb3", "Pt3U", "YBa2Cu3O7", "LaFeAsO", "SiV3"]
    assert [usual_formula(name) for name in names] == ["MgB2", "Rb3C60", "UPt3", "YBa2Cu3O7", "LaFeAsO", "V3Si"]
    assert "Cu<sub>0.5</sub>O<sub>4</sub>" in style.formula_html("Cu0.5O4")
    assert "<script" not in style.formula_html("<script>")
    assert style.formula_text("Ba(FeAs)2") == "Ba(FeAs)₂" and style.formula_text("Sr0.5O") == "Sr0.5O"


def test_a_message_marks_the_character_at_fault_and_escapes_the_rest():
    shown = style.error_html(InputError("base", "La<b>", "no", "Change it", position=2))
    assert "<code>La<mark>&lt;</mark>b&gt;</code>" in shown and "<b>" not in shown


def test_examples_are_plain_json():
    for path in EXAMPLES:
        assert json.loads(path.read_text(encoding="utf-8"))["base"]


def test_the_summary_says_what_is_special_of_hydrides_and_of_gdmcd():
    hydride = DesignProblem("LaH10", settings=replace(HYDRIDE, start="enumerated"), floors={"H": 0.4},
                            charge_rule=EVERY_ATOM)  # fmt: skip
    words = dict(summary.in_words(hydride, {"H", "La", "Y", "Pd"}))
    assert words["Start"] == "every element and every pair beside H: 30 starts, all"  # 3 x 9 + 3
    assert words["At least"] == "H 0.4" and words["Free"].startswith("60% of the atoms")
    assert "its own oxidation state" in words["Charges"] and "Aim" not in words
    assert summary.title(hydride) == "Raise Tc from every element and every pair with H at least 40%"
    assert summary.title(replace(hydride, floors={})) == "Raise Tc from every element and every pair"
    gdmcd = DesignProblem("FeSe", settings=replace(GDMCD, start_family="cuprate"))
    assert summary.title(gdmcd) == "Raise Tc to 300 K from known superconductors (cuprate)"
    words = dict(summary.in_words(gdmcd, KNOWN))
    assert words["Start"].startswith("known superconductors (cuprate) above 20 K, and mixtures of two of them")
    assert words["Aim"].startswith("a Tc of 300 K") and "2 elements may stay fractional" in words["Size"]
