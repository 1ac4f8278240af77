"""What is asked on the page Predict: its link, its files, and its table."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import pytest

from app.predict.assessment import Assessment
from app.predict.query import MOST_FORMULAS, Query, from_link, read_query, to_link, with_proposals
from core.cli.main import main
from core.errors import InputError
from core.evaluation.user_formulas import Assessor
from core.problem.settings import EVERY_ATOM

FILE = ("in.csv", b"id;formula;Tc\n1;YBCO;92\n2;La1,85Sr0,15CuO4;38\n3;MgB2;39\n")


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(device="cpu")


def completed(assessment: Assessment, assessor: Assessor) -> Assessment:
    assessment.advance(assessor, assessment.pending())
    return assessment


@pytest.mark.parametrize(
    "query",
    [
        Query("MgB2"),
        Query("La2-xSrxCuO4, x = 0..0.3 in 7 steps\nBa(Fe,Co)2As2\nBa(Fe 0.9 Co 0.1 ) 2 As 2\nMgB2 Nb3Sn"),
        Query("H3S", models="published", charge_rule=EVERY_ATOM, undetermined_as_zero=True),
    ],
)
def test_a_link_restores_the_query(query):
    link = parse_qs(urlencode(to_link(query), doseq=True))
    assert from_link(link) == query


def test_long_texts_and_files_have_no_link_and_unknown_values_are_ignored():
    assert to_link(Query("MgB2\n" * 1000)) == {} and to_link(Query(file=FILE)) == {} and to_link(Query()) == {}
    assert from_link({"formula": ["MgB2"], "models": ["no"], "charge_rule": ["no"], "run": ["x"]}) == Query("MgB2")


def test_an_accepted_proposal_takes_the_place_of_its_line():
    query = Query("YBCO, MgB2\nMgB2 Nb3Sn")
    assert with_proposals(query, {"YBCO": "YBa2Cu3O7"}).text == "YBa2Cu3O7\nMgB2\nMgB2 Nb3Sn"
    assert with_proposals(query, {"MgB2 Nb3Sn": "MgB2, Nb3Sn"}).text == "YBCO\nMgB2\nMgB2, Nb3Sn"


def test_an_accepted_proposal_for_a_file_shows_the_text_as_given():
    found = read_query(with_proposals(Query(file=FILE), {"YBCO": "YBa2Cu3O7"}))
    assert [(f.text, f.read_as) for f in found.formulas] == [
        ("YBCO", "YBa2Cu3O7"), ("La1,85Sr0,15CuO4", "La1.85Sr0.15CuO4"), ("MgB2", "")
    ]  # fmt: skip
    assert found.others == ("id", "Tc")


def test_more_formulas_than_the_page_takes_are_refused():
    with pytest.raises(InputError, match="python -m core screen"):
        read_query(Query("\n".join(["MgB2"] * (MOST_FORMULAS + 1))))


def test_the_csv_of_a_file_is_that_of_the_command_line(assessor, tmp_path, capsys):
    path = tmp_path / "in.csv"
    path.write_bytes(FILE[1])
    main(["screen", "--csv", str(path)])
    query = Query(file=FILE)
    assert completed(Assessment(query, read_query(query)), assessor).csv() == capsys.readouterr().out


def test_rows_that_are_known_are_not_assessed_again(assessor):
    first = Query("MgB2\nYBCO\nMgB2")
    done = completed(Assessment(first, read_query(first)), assessor)
    assert len(done.table()) == 3 and list(done.table()["tc_K"].isna()) == [False, True, False]
    second = with_proposals(first, {"YBCO": "YBa2Cu3O7"})
    continued = done.continued(second, read_query(second))
    assert [formula.text for formula in continued.pending()] == ["YBa2Cu3O7"]
    fresh = completed(Assessment(second, read_query(second)), assessor)
    assert completed(continued, assessor).csv() == fresh.csv()
    other = replace(second, charge_rule=EVERY_ATOM)
    assert len(done.continued(other, read_query(other)).pending()) == 2
