"""The page Structures."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from app import cached_data
from app.structures import page
from app.structures import query as session
from app.structures.listed import listed
from app.text.formatting import signed_number
from core.evaluation.user_formulas import read_texts
from core.predictors.registry import BEST
from core.structures.diffusion import names
from core.structures.files import read_cif, to_cif
from core.structures.prototypes import load_finder
from tests import crystals
from tests.app.pages import button_labels, html_text, open_page, page_text, without_exception


def upload(test, name: str, content: bytes):
    test.file_uploader[0].upload(name, content, "chemical/x-cif").run()
    return without_exception(test)


def test_without_a_formula_the_page_says_what_it_gives():
    test = open_page("structures")
    assert "python -m core structures" in page_text(test) and not test.dataframe


def test_a_link_opens_the_structures_of_the_command_line():
    test = open_page("structures", formula="LaFeAsO")
    rows = test.dataframe[0].value
    expected = load_finder().find(read_texts(["LaFeAsO"])[0].reading.amounts, len(rows))
    assert list(rows["prototype"]) == [each.prototype for each in expected]
    assert rows["space_group"][0] == "P4/nmm (129)" and rows["known"][0] and rows["n_atoms"][0] == 8
    assert rows["shortest_distance_A"][0] == pytest.approx(expected[0].structure.shortest_distance_A(), abs=0.005)
    assert "relaxed yet" in page_text(test) and "LaFeAsO" in html_text(test)
    assert [button.label for button in test.get("download_button")] == ["CIF", "POSCAR", "Quantum ESPRESSO"]


def test_a_hydride_of_high_pressure_comes_first_and_its_tc_by_structure_is_qualified():
    test = open_page("structures", formula="LaH10")
    rows = test.dataframe[0].value
    assert rows["space_group"][0] == "Fm-3m (225)" and rows["known"][0] and rows["example"][0] == "LaH₁₀"
    assert html_text(test).count("the model has learnt no hydride of high pressure") == 2  # metal or not, and Tc
    assert "under a pressure" in html_text(test)


def test_the_input_files_are_those_of_the_selected_structure():
    """Under the pressure of its relaxation."""
    (mine,) = listed("LaFeAsO", load_finder().find(read_texts(["LaFeAsO"])[0].reading.amounts, 1))
    pressed = replace(mine, relaxed={"pressure_GPa": "20", "relaxation": "relaxed"})
    for each, press in ((mine, "press = 0.0,"), (pressed, "press = 200.0,")):
        with zipfile.ZipFile(io.BytesIO(each.espresso())) as archive:
            assert press in archive.read(f"{each.name}/1-relax.in").decode()
            assert "P4/nmm (129)" in archive.read(f"{each.name}/README.txt").decode()


def test_beside_the_hull_by_the_potential_is_that_by_the_composition_model(monkeypatch):
    (mine,) = listed("MgB2", load_finder().find(read_texts(["MgB2"])[0].reading.amounts, 1))
    columns = {"relaxation": "relaxed", "relaxation_steps": "3", "relaxation_volume_change": "0.01",
               "pressure_GPa": "0", "energy_eV_per_atom": "-5.0", "energy_above_hull_eV_per_atom": "0.0",
               "competing_phases": "1 MgB2"}  # fmt: skip
    monkeypatch.setattr("app.structures.page.found_structures", lambda *_: [replace(mine, relaxed=columns)])
    text = page_text(open_page("structures", formula="MgB2"))
    context = cached_data.hull_context(BEST.formation_energy, "MgB2")
    above = signed_number(context.above_hull_eV_per_atom, 2)
    assert f"By the composition model, MgB₂ is {above} ± {context.std_eV_per_atom:.2f} eV/atom" in text
    assert "Two hulls" in text


@pytest.mark.skipif(not names.are_trained(), reason="the network of crystals is not trained")
def test_structures_by_diffusion_belong_to_another_search():
    test = open_page("structures", formula="MgB2")
    asked = session.Query("MgB2")
    before, after = (page.search_folder(replace(asked, by_diffusion=on)) for on in (False, True))
    assert before != after and page.search_settings(replace(asked, by_diffusion=True)).samples == page.SAMPLES
    test.toggle[0].set_value(True).run()
    assert without_exception(test).session_state["structures.query"].by_diffusion


@pytest.mark.skipif(not names.are_trained(), reason="the network of crystals is not trained")
def test_a_formula_without_a_prototype_can_be_drawn_by_diffusion():
    test = open_page("structures", formula="HHeLiBeBCNOFNeNaMgAlSi")
    assert "no known crystal structure" in html_text(test) and "switch it on above" in page_text(test)
    test.toggle[0].set_value(True).run()
    assert "Draw, relax, and place on the hull" in button_labels(without_exception(test))


def test_a_doped_formula_says_what_its_structure_stands_for():
    test = open_page("structures")
    test.text_input[0].set_value("La1.85Sr0.15CuO4").run()
    without_exception(test)
    assert "ordered supercell" in test.dataframe[0].value["note"][0] and "of La2CuO4" in html_text(test)
    assert test.query_params["formula"] == "La1.85Sr0.15CuO4"


def test_a_nickname_is_refused_under_the_field_and_its_formula_is_one_click_away():
    test = open_page("structures", formula="YBCO")
    assert "this is a nickname" in html_text(test) and not test.dataframe
    next(button for button in test.button if button.label == "Read as YBa2Cu3O7").click().run()
    assert without_exception(test).text_input[0].value == "YBa2Cu3O7"
    assert test.dataframe[0].value["n_atoms"][0] == 13


def test_a_formula_without_any_similar_stoichiometry_is_refused():
    test = open_page("structures", formula="HHeLiBeBCNOFNeNaMgAlSi")
    assert "no known crystal structure" in html_text(test) and not test.dataframe


def test_an_uploaded_structure_is_shown_as_it_is():
    test = open_page("structures", formula="MgB2")
    upload(test, "salt.cif", to_cif(crystals.rock_salt("Na", "Cl", 5.64)).encode())
    rows = test.dataframe[0].value
    assert list(rows["space_group"]) == ["Fm-3m (225)"] and rows["volume_A3_per_atom"][0] == pytest.approx(22.43)
    assert "relaxed yet" not in page_text(test) and "formula" not in test.query_params
    assert "proposal 1 of NaCl, like NaCl, a known structure of this formula" in html_text(test)
    next(button for button in test.button if button.label == "Show the formula instead").click().run()
    assert without_exception(test).dataframe[0].value["space_group"][0] == "P6/mmm (191)"


def test_an_uploaded_structure_is_relaxed_in_the_background(monkeypatch, tmp_path):
    """The button asks for this structure; what the worker has found stands before the structure as it is."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path))
    asked = []
    monkeypatch.setattr("core.executors.structure_searches.submit", lambda *given: asked.append(given))
    test = open_page("structures")
    upload(test, "salt.cif", to_cif(crystals.rock_salt("Na", "Cl", 5.64)).encode())
    next(button for button in test.button if button.label == "Relax, and place on the hull").click().run()
    ((folder, formulas, _, structure),) = asked
    assert formulas == ["NaCl"] and structure.formula == "NaCl" and "searches" in str(folder)
    (mine,) = listed("NaCl", load_finder().find({"Na": 1.0, "Cl": 1.0}, 1))
    columns = {"relaxation": "relaxed", "relaxation_steps": "3", "relaxation_volume_change": "0.01",
               "pressure_GPa": "0", "energy_eV_per_atom": "-3.4", "energy_above_hull_eV_per_atom": "0.0",
               "competing_phases": "1 NaCl"}  # fmt: skip
    shown = replace(mine, relaxed=columns, proposal=replace(mine.proposal, prototype="from a file", example=""))
    monkeypatch.setattr("app.structures.page.found_structures", lambda *_: [shown])
    rows = without_exception(test.run()).dataframe[0].value
    assert list(rows["prototype"]) == ["from a file", "from a file, not relaxed"] and rows["above_hull"][0] == 0.0
    assert "Two hulls" in page_text(test)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\xff no structure", "this is no readable CIF"),
        (to_cif(crystals.rock_salt("Na", "Cl", 5.64)).replace("5.64", "0.1").encode(), "too thin for atoms"),
    ],
)
def test_a_damaged_file_is_refused_and_the_formula_stays_a_click_away(content, reason):
    test = upload(open_page("structures", formula="MgB2"), "mine<b>.cif", content)
    assert reason in html_text(test) and "<b>" not in html_text(test) and not test.dataframe
    assert "Show the formula instead" in button_labels(test)


def test_the_cif_read_again_is_the_same_structure():
    structure = crystals.pnictide_oxide("La", 4.03, 8.74)
    read = read_cif(to_cif(structure))
    assert read.volume_A3_per_atom == pytest.approx(structure.volume_A3_per_atom, rel=1e-4)
