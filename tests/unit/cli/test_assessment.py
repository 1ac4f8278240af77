"""predict and screen: the rows they write, in which order, with which exit code."""

from __future__ import annotations

import csv
import io

import pytest

from core.cli import assessment
from core.cli.main import main
from core.evaluation import user_formulas

PREDICTED = ["formula", "read_as", "tc_K", "formation_energy_eV_per_atom"]
REFUSED = ["error", "suggestion"]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_predict_prints_one_row_per_formula(capsys):
    assert main(["predict", "LaFeAsO", "Ba(Fe0.9Co0.1)2As2", "LaFeAsO"]) == 0
    out, err = capsys.readouterr()
    rows = rows_of(out)
    assert list(rows[0]) == [*PREDICTED, *user_formulas.PREDICTION_DETAILS, *REFUSED] and err == ""
    assert [row["formula"] for row in rows] == ["LaFeAsO", "Ba(Fe0.9Co0.1)2As2", "LaFeAsO"]
    assert rows[0] == rows[2] and float(rows[0]["tc_K"]) > 0 and float(rows[0][PREDICTED[3]]) < 0


def test_energies_on_the_references_of_another_database(capsys):
    energies = []
    for options in ([], ["--reference", "oqmd"]):
        assert main(["predict", "Fe2O3", "Fe", *options]) == 0
        energies.append([float(row[PREDICTED[3]]) for row in rows_of(capsys.readouterr().out)])
    (oxide, iron), (oxide_on_oqmd, iron_on_oqmd) = energies
    assert oxide_on_oqmd - oxide > 0.05 and iron == iron_on_oqmd == 0
    assert main(["predict", "Fe2O3", "--predictor", "published", "--reference", "oqmd"]) == 2
    assert "formation-energy gives energies on the references of mp only" in capsys.readouterr().err


def test_rows_with_an_error_are_kept(written, tmp_path, capsys):
    given = written("\ufeffsample,formula,note\n1,MgB2,x\n2,Xx2,\n3,PoO2,\n4,,\n5,Nb3Sn\n")
    out = tmp_path / "out.csv"
    assert main(["predict", "--csv", given, "--out", str(out)]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and "3 of 5 rows" in printed.err
    content = out.read_bytes()
    assert b"\r" not in content and b"nan" not in content.lower()
    rows = rows_of(content.decode())
    assert [row["formula"] for row in rows] == ["MgB2", "Xx2", "PoO2", "", "Nb3Sn"]
    assert [(row["sample"], row["note"]) for row in rows] == [("1", "x"), ("2", ""), ("3", ""), ("4", ""), ("5", "")]
    assert [bool(row["tc_K"]) for row in rows] == [True, False, True, False, True]
    assert [bool(row["error"]) for row in rows] == [False, True, True, True, False]
    assert "formation-energy model does not know Po" in rows[2]["error"]


def test_predictions_do_not_depend_on_the_other_rows():
    alone, among = user_formulas.predict(["MgB2"]), user_formulas.predict(["Nb3Sn", "??", "MgB2"])
    assert among["tc_K"].iloc[2] == pytest.approx(alone["tc_K"].iloc[0], abs=1e-3)


@pytest.mark.parametrize("assess", [user_formulas.predict, user_formulas.screen])
def test_a_table_without_any_valid_formula_is_written(assess):
    assert assess([]).shape[0] == 0
    assert assess(["?"])["error"].iloc[0] != ""


def test_every_atom_allows_several_oxidation_states_of_an_element(capsys):
    assert main(["screen", "LaH10", "Ba0.6K0.4Fe2As2"]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert [row["charge_neutral"] for row in rows] == ["False", "False"]
    assert all("--every-atom" in row["reason"] for row in rows)
    assert main(["screen", "LaH10", "Ba0.6K0.4Fe2As2", "--every-atom"]) == 0
    hydride, doped = rows_of(capsys.readouterr().out)
    assert hydride["oxidation_states"] == "La 2+, 6 H 1-, 4 H 1+"
    assert doped["oxidation_states"] == "K 1+, Ba 2+, Fe 2.2+, As 3-"
    assert (hydride["usual_charges"], doped["usual_charges"]) == ("", "True")


def test_screen_adds_the_screens(capsys):
    assert main(["screen", "La1.85Sr0.15CuO4", "NbTi", "LaFeAsO3", "C3.14159265H"]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert list(rows[0]) == [*PREDICTED, *user_formulas.PREDICTION_DETAILS, *user_formulas.SCREENED, *REFUSED]
    cuprate, alloy, off, odd = rows
    assert (
        cuprate["charge_neutral"] == cuprate["pauling_ok"] == "True"
        and cuprate["oxidation_states"] == "Sr 2+, La 3+, Cu 2.15+, O 2-"
    )
    assert cuprate["nearest_known"] == "La1.85Sr0.15CuO4" and cuprate["distance_to_known"] == "0.000"
    assert float(cuprate["nearest_known_tc_K"]) > 20 and float(cuprate["energy_above_hull_eV_per_atom"]) > -1
    assert "all metals" in alloy["reason"] and alloy["charge_neutral"] == "True"
    assert off["reason"] != "" and off["decomposition"] != ""
    assert odd["error"] == "" and odd["tc_K"] != ""


def test_amounts_that_cannot_be_whole_are_not_screened(capsys):
    assert main(["screen", "C3.1415926535H0.00001"]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert row["charge_neutral"] == row["pauling_ok"] == "" and "whole numbers" in row["reason"]
    assert row["energy_above_hull_eV_per_atom"] != ""


def test_a_series_has_one_row_per_member_and_read_as_tells_which(capsys):
    assert main(["predict", "La2-xSrxCuO4, x = 0..0.3 in 3 steps", "CaBi 2"]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert [row["read_as"] for row in rows] == ["La2CuO4", "La1.85Sr0.15CuO4", "La1.7Sr0.3CuO4", "CaBi2"]
    assert float(rows[1]["tc_K"]) > float(rows[2]["tc_K"])


def test_undetermined_amounts_are_refused_with_a_suggestion_or_read_as_zero_on_request(capsys):
    assert main(["predict", "YBa2Cu3O7-d"]) == 1
    (row,) = rows_of(capsys.readouterr().out)
    assert row["tc_K"] == "" and row["suggestion"] == "YBa2Cu3O7"
    assert main(["predict", "YBa2Cu3O7-d", "--read-undetermined-as-zero"]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert row["read_as"] == "YBa2Cu3O7" and float(row["tc_K"]) > 50


def test_a_column_with_the_name_of_a_result_is_kept_under_another_name(written, capsys):
    assert main(["predict", "--csv", written("formula,tc_K\nMgB2,=1\n")]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert row["tc_K (input)"] == "'=1" and float(row["tc_K"]) > 0


def test_rows_are_written_as_they_are_computed_and_stay_after_an_interrupt(written, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(assessment, "CHUNK", 2)
    given = written("formula\n" + "MgB2\nNb3Sn\n" * 3)
    alone, out = tmp_path / "all.csv", tmp_path / "out.csv"
    assert main(["predict", "--csv", given, "--out", str(alone)]) == 0
    calls = []
    plain_predict = user_formulas.Assessor.predict

    def interrupted(assessor, formulas):
        calls.append(len(formulas))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain_predict(assessor, formulas)

    monkeypatch.setattr(user_formulas.Assessor, "predict", interrupted)
    assert main(["predict", "--csv", given, "--out", str(out)]) == 1
    assert calls == [2, 2, 2]
    assert out.read_text().splitlines() == alone.read_text().splitlines()[:5]


def test_wrong_input_leaves_an_existing_output_as_it_is(written, tmp_path, capsys):
    out = tmp_path / "out.csv"
    out.write_text("before")
    assert main(["predict", "--csv", written(b"formula\n\xff\xfe\n"), "--out", str(out)]) == 2
    assert main(["predict", "--csv", str(out), "--out", str(out)]) == 2
    assert out.read_text() == "before" and "the file that is read" in capsys.readouterr().err


def test_the_set_of_oxidation_states_can_be_chosen(capsys):
    assert main(["screen", "MgB2", "--states", "icsd24"]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert row["charge_neutral"] == "True" and row["usual_charges"] == ""
