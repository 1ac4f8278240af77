"""The page Generate, with random networks whose crystals are made in the test itself."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from app.components.periodic_table.table_state import TableState
from app.generate import rows as generated
from app.generate.asked import ALL_ALLOWED, ALL_FORBIDDEN, FORMULA, Form, settings_text, time_text, title
from app.structures.generated import can_be_generated
from core.chemistry import elements
from core.errors import InputError
from core.executors import background_work, generations
from core.structures.diffusion import folder as samples
from core.structures.diffusion import funnel, names, weights
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.files import to_cif
from core.structures.interatomic import CHGNET
from tests import crystals
from tests.app.pages import html_text, open_page, open_tab, page_text, without_exception
from tests.unit.structures.diffusion.conftest import SMALL, stored


@pytest.fixture(autouse=True)
def networks(monkeypatch, tmp_path):
    """Random networks; a started generation is finished at once."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("core.processors.give_way", lambda: None)
    monkeypatch.setattr(background_work, "start", lambda folder, arguments: generations.carry_out(folder))
    for name, size in ((BASE, SMALL), (WITH_TC, replace(SMALL, adapter=True))):
        stored(tmp_path / "checkpoints", name, size)
    load = weights.load_crystal_network
    monkeypatch.setattr(weights, "load_crystal_network", lambda name: load(name, tmp_path / "checkpoints"))
    monkeypatch.setattr(names, "are_trained", lambda: True)


def press(test, label: str):
    next(button for button in test.button if button.label == label).click().run()
    return without_exception(test)


def test_a_generation_from_the_form_to_its_crystals():
    test = open_page("generate")
    assert test.number_input(key="generate.tc_K").value == 10.0
    test.checkbox(key="generate.screened").uncheck().run()
    test.selectbox(key="generate.count").select(16).run()
    test.selectbox(key="generate.steps").select(50).run()
    press(test, "Generate")
    (made,) = generations.generations()
    assert made.request.tc_K == 10.0 and made.request.count == 16 and made.request.allowed is not None
    assert not made.screened and test.query_params["generation"] == made.name
    assert not set(made.request.allowed) & {"He", "Tc", "U"} and {"Nb", "C"} <= set(made.request.allowed)
    assert f"16 crystals of {len(made.request.allowed)} elements towards 10 K" in html_text(test)
    assert "16 of 16 crystals made" in str(test.get("progress")[0].proto)
    with (made.folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        valid = [row for row in csv.DictReader(file) if row["cif"]]
    if valid:
        assert len(test.dataframe[0].value) == len(valid)


def test_a_formula_that_does_not_fit_is_refused_under_the_button():
    test = open_page("generate")
    test.segmented_control(key="generate.of").set_value(FORMULA).run()
    assert next(button for button in test.button if button.label == "Generate").disabled
    test.text_input(key="generate.formula").set_value("YBa2Cu3O7").run()
    assert not next(button for button in test.button if button.label == "Generate").disabled
    test.number_input(key="generate.units").set_value(2).run()
    assert "the cell would have 26 atoms" in html_text(without_exception(test))


def test_a_link_with_a_formula_fills_the_form():
    test = open_page("generate", formula="MgB2")
    assert test.text_input(key="generate.formula").value == "MgB2"
    assert not test.checkbox(key="generate.towards").value
    test.text_input(key="generate.formula").set_value("NbC").run()
    assert without_exception(test).text_input(key="generate.formula").value == "NbC"


@pytest.mark.parametrize(("formula", "can"), [("MgB2", True), ("La1.85Sr0.15CuO4", False), ("YBa2Cu3O7", True),
                                              ("Bi2Sr2Ca2Cu3O10Pb3", False), ("YBCO", False)])  # fmt: skip
def test_only_formulas_of_whole_atoms_in_a_small_cell_are_linked(formula, can):
    assert can_be_generated(formula) is can


def test_the_selected_crystal_stays_selected_when_others_join(screened):
    test = open_page("generate", opened={f"generate.selected-{screened.name}": "3"}, generation=screened.name)
    assert "A15" in html_text(test) or "Pm-3n (223)" in html_text(test)


def test_a_candidate_leads_to_its_structures_by_diffusion(finished_run, monkeypatch):
    monkeypatch.setattr("app.results.candidate_card.structures.can_be_generated", lambda formula: True)
    test = open_tab(open_page("results", finished_run), "Structures")
    press(test, "Find structures")
    (link,) = [each.proto for each in test.get("page_link") if "diffusion" in each.proto.label]
    assert link.query_string.startswith("formula=") and link.page.endswith("generate")


def test_without_elements_nothing_can_be_generated():
    test = press(open_page("generate"), "Forbid all")
    assert "at least one element is needed" in html_text(test)
    press(test, "Allow all")
    assert "at least one element" not in html_text(test)


def test_a_cancelled_generation_can_be_resumed(monkeypatch):
    monkeypatch.setattr(background_work, "start", lambda folder, arguments: None)
    begun = generations.start(Form(count=16, steps=50, screened=False).request(False), screened=False)
    background_work.write_progress(begun.folder, background_work.CANCELLED)
    monkeypatch.setattr(background_work, "start", lambda folder, arguments: generations.carry_out(folder))
    test = open_page("generate")
    assert "Cancelled" in html_text(test)
    press(test, "Resume")
    assert generations.state(begun.folder).samples == 16 and "Finished" in html_text(test)


def test_a_generation_is_deleted_after_a_question(monkeypatch):
    monkeypatch.setattr(background_work, "start", lambda folder, arguments: None)
    first, second = (
        generations.start(Form(count=count, steps=50, screened=False).request(False), screened=False)
        for count in (16, 64)
    )
    test = open_page("generate")
    assert test.query_params["generation"] == second.name
    press(test, "Delete")
    assert second.folder.exists()
    test.button(key="generate.delete").click()  # AppTest reruns the page, where a browser reruns the dialog
    test.button(key="generate.delete_yes").click().run()
    without_exception(test)
    assert generations.generations() == [first] and test.query_params["generation"] == first.name


def test_a_generation_that_never_started_says_so(monkeypatch):
    monkeypatch.setattr(background_work, "start", lambda folder, arguments: None)
    generations.start(Form(count=16, steps=50, screened=False).request(False), screened=False)
    assert "Not started" in html_text(open_page("generate")) and "Finished" not in html_text(open_page("generate"))


def test_a_click_on_the_last_element_is_refused_at_once(monkeypatch):
    """The table answers with the click in the script run that draws it."""
    monkeypatch.setattr("app.generate.fields.element_choice", lambda table, **_: ALL_FORBIDDEN)
    assert "at least one element is needed" in html_text(open_page("generate"))


def test_the_page_exists_only_with_its_networks(monkeypatch):
    monkeypatch.setattr(names, "are_trained", lambda: False)
    test = open_page("models")
    assert "Generate" not in page_text(test)


# ---- screened crystals ------------------------------------------------------------------------------------------

ROWS = (
    {"number": "0", "formula": "NaCl", "lost_at": "metal", "reason": "metal with probability 0.10"},
    {"number": "1", "formula": "MgB2", "lost_at": "", "reason": "", "n_elements": "2", "tc_structure_K": "31.2"},
    {"number": "2", "formula": "NbC", "lost_at": "near the hull", "reason": "0.300 eV/atom above the hull",
     "tc_structure_K": "9.0"},
    {"number": "3", "formula": "Nb3Sn", "lost_at": "", "reason": "", "n_elements": "2", "tc_structure_K": "17.0"},
    {"number": "4", "formula": "", "lost_at": "valid structure", "reason": "atoms overlap, or there is no cell"},
    {"number": "6", "formula": "LiF", "lost_at": "valid structure", "reason": "atoms overlap, or there is no cell"},
    {"number": "5", "formula": "KCl", "lost_at": "metal", "reason": "metal with probability 0.30"},
)  # fmt: skip


@pytest.fixture
def screened():
    """A finished generation with these rows; number 1 has a relaxed structure."""
    begun = generations.start(Form(count=16, steps=50, screened=False).request(False), screened=False)
    for place in ("relaxed", "cif"):
        (begun.folder / place).mkdir(exist_ok=True)
    own = {
        "cif": "relaxed/0000001-MgB2.cif",
        "metal_probability": "0.95",
        "space_group": "191",
        "n_atoms": "3",
        "relaxation": "relaxed",
        "relaxation_steps": "12",
        "relaxation_volume_change": "-0.02",
        "energy_eV_per_atom": "-5.1",
        "energy_above_hull_eV_per_atom": "0.012",
        "competing_phases": "MgB4 + Mg",
    }
    (begun.folder / own["cif"]).write_text(to_cif(crystals.diboride("Mg", 3.08, 3.52)), encoding="utf-8")
    for number, made in ((0, crystals.rock_salt("Na", "Cl", 5.6)), (3, crystals.a15("Nb", "Sn", 5.3))):
        name = f"cif/{number:07d}-{made.formula}.cif"
        (begun.folder / name).write_text(to_cif(made), encoding="utf-8")
    text = io.StringIO()
    table = csv.DictWriter(text, funnel.COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(row | (own if row["number"] == "1" else {}) for row in ROWS)
    (begun.folder / funnel.TABLE).write_text(text.getvalue(), encoding="utf-8")
    return begun


def test_the_best_crystal_comes_first_with_its_files(screened):
    test = open_page("generate", generation=screened.name)
    shown = test.dataframe[0].value
    assert list(shown["outcome"])[:3] == [
        "passes", "passes", "within 0.2 eV/atom of the hull: 0.300 eV/atom above the hull"
    ]  # fmt: skip
    assert list(shown["tc_structure_K"])[:2] == [31.2, 17.0]
    assert set(shown["outcome"][5:]) == {"not screened yet"} and "not screened yet" not in set(shown["outcome"][:5])
    assert "P6/mmm (191)" in html_text(test) and "Quantum ESPRESSO" in [b.label for b in test.get("download_button")]
    assert f"relaxed after 12 evaluations of {CHGNET}; its volume changed by −2.0%" in html_text(test)
    assert f"0.012 eV/atom by {CHGNET}; stable there: MgB4 + Mg" in html_text(test)
    first = generated.listed(screened.folder, generated.crystals(screened.folder)[0])
    assert "number 1, generated by diffusion, relaxed by CHGNet" in first.cif()
    with zipfile.ZipFile(io.BytesIO(first.espresso())) as archive:
        assert len(archive.namelist()) == 8


def test_crystals_of_a_formula_that_are_known_are_marked_and_those_near_the_hull_come_first(tmp_path):
    """Those not screened yet follow."""
    columns = ("number", "formula", "space_group", "n_atoms", "template", "denoising_error", "cif")
    lines = [f"{n},NaCl,225,2,AB 225 1a|1b,0.{n + 1},cif/{n}.cif" for n in range(4)]
    (tmp_path / samples.TABLE).write_text("\n".join([",".join(columns), *lines, ""]), encoding="utf-8")
    text = io.StringIO()
    table = csv.DictWriter(text, funnel.COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    common = {"formula": "NaCl", "n_atoms": "2", "space_group": "225"}
    table.writerow(common | {"number": "0", "tc_structure_K": "9", "energy_above_hull_eV_per_atom": "0.1"})
    own = {"number": "1", "tc_structure_K": "7", "energy_above_hull_eV_per_atom": "0.0", "known": "true"}
    table.writerow(common | own)
    (tmp_path / funnel.TABLE).write_text(text.getvalue(), encoding="utf-8")
    found = generated.crystals(tmp_path)
    assert [row["number"] for row in found] == ["1", "0", "2", "3"]
    shown = generated.table(found)
    assert shown["outcome"].tolist() == ["passes", "passes", "not screened yet", "not screened yet"]
    assert shown["known"].tolist()[0] is True and shown["denoising_error"].tolist() == [0.2, 0.1, 0.3, 0.4]


def test_of_a_formula_the_likeliest_crystals_come_first(tmp_path):
    columns = ("number", "formula", "space_group", "n_atoms", "template", "denoising_error", "cif")
    lines = [
        "0,NaCl,225,2,AB 225 1a|1b,0.9,a.cif",
        "1,NaCl,221,2,AB 221 1a|1b,0.5,b.cif",
        "2,NaCl,,2,,,",
        "3,NaCl,1,2,,,c.cif",
    ]
    (tmp_path / samples.TABLE).write_text("\n".join([",".join(columns), *lines, ""]), encoding="utf-8")
    found = generated.crystals(tmp_path)
    assert [row["number"] for row in found] == ["1", "0", "3"]
    shown = generated.table(found)
    assert shown["template"].tolist()[:2] == ["AB 221 1a|1b", "AB 225 1a|1b"]
    assert shown["denoising_error"].tolist()[:2] == [0.5, 0.9] and np.isnan(shown["denoising_error"].iloc[2])


def test_the_funnel_counts_what_each_step_leaves(screened):
    steps = generated.funnel_steps(funnel.read(screened.folder), funnel.FunnelSettings())
    left = {step["label"]: step["left"] for step in steps}
    assert (
        left["samples"] == 7
        and left["valid structure"] == 5
        and left["metal"] == 3
        and left["within 0.2 eV/atom of the hull"] == 2
    )
    assert next(step for step in steps if step["label"] == "metal")["failed"] == {"no metal": 2}
    test = open_page("generate", generation=screened.name)
    assert "within 0.2 eV/atom of the hull" in html_text(test) and "2 binary (100%); of the 773" in page_text(test)


def test_a_crystal_that_was_lost_before_the_relaxation_is_shown_as_made(screened):
    rows = {row["number"]: row for row in generated.crystals(screened.folder)}
    each = generated.listed(screened.folder, rows["0"])
    assert (
        each.space_group == 225 and each.formula == "NaCl" and each.properties is None and "not relaxed" in each.cif()
    )


# ---- the form as a request --------------------------------------------------------------------------------------


def test_the_choice_of_elements_is_that_of_the_request():
    every = elements.symbols()[:100]
    table = TableState(frozenset(every) - {"Nb", "C", "Ti"}, {}, frozenset())
    asked = Form(table=table, tc_K=None).request(False)
    assert asked.allowed == ("C", "Ti", "Nb") and title(asked) == "64 crystals of C, Ti and Nb"
    assert settings_text(asked) == "100 steps; seed 0"
    assert title(Form(table=ALL_ALLOWED).request(False)) == "64 crystals of any elements towards 10 K"
    with pytest.raises(InputError, match="at least one element"):
        Form(table=ALL_FORBIDDEN).request(False)


def test_a_formula_without_prototypes_is_told():
    notes = [Form(of=FORMULA, formula=text, units=n).symmetry_note() for text, n in
             (("MgB2", 1), ("LaFeAsO", 5), ("LaFeAsO", 9), ("", 1), ("Xx2", 1))]  # fmt: skip
    assert "with 20 atoms in the primitive cell: the crystals have any symmetry" in notes[1]
    assert [*notes[:1], *notes[2:]] == [""] * 4  # nine units do not fit into a cell
    assert Form(of=FORMULA, formula="LaFeAsO", units=5, symmetric=False).symmetry_note() == ""


def test_a_formula_has_the_cell_of_its_likeliest_structure_unless_another_is_asked_for():
    form = Form(of=FORMULA, formula="Nb3Sn")
    assert form.likeliest_units() == 2 and Counter(form.request(False).composition) == {"Nb": 6, "Sn": 2}
    assert len(replace(form, units=1).request(False).composition) == 4
    assert replace(form, formula="Xx2").likeliest_units() is None


def test_the_expected_time_is_told_before_the_start():
    request = Form(count=1024).request(False)
    assert time_text(request, True) == "Without a graphics card about 4 min to make them, about 51 min to screen them."
    assert time_text(replace(request, count=64), False) == "Without a graphics card about 10 s to make them."
    test = open_page("generate")
    test.selectbox(key="generate.count").select(1024).run()
    assert any(time_text(request, True) == each.value for each in test.caption)


def test_without_an_effect_the_tc_is_not_named():
    request = Form(table=ALL_ALLOWED, guidance=-1.0).request(False)
    assert title(request) == "64 crystals of any elements"
    assert settings_text(request) == "100 steps; guidance −1; seed 0"


def test_a_formula_is_the_cell_of_the_request():
    asked = Form(of=FORMULA, formula="MgB2", units=2, count=16, corrector=True).request(True)
    assert asked.composition == ("B", "B", "B", "B", "Mg", "Mg") and asked.sampler.bfloat16
    assert title(asked) == "16 crystals of MgB2 towards 10 K"
    assert settings_text(asked) == "100 steps, with corrector; guidance 2; symmetry of prototypes; seed 0"
