"""Formulas in CSV files of many kinds."""

from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputError
from core.evaluation.formula_csv import FormulaCsv, Row, with_other_columns
from core.evaluation.user_formulas import read_texts


@pytest.fixture
def written(tmp_path):
    """`written(content)`: the file in.csv with this text or these bytes."""

    def write(content: str | bytes) -> None:
        (tmp_path / "in.csv").write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def content_of(path) -> tuple[tuple[str, ...], list]:
    with FormulaCsv(path) as file:
        rows = [(row.formula, row.others) for row in file.rows()]
        assert file.bytes_read == file.size
        return file.others, rows


@pytest.mark.parametrize(
    ("content", "formulas"),
    [
        ("formula\nMgB2\nNbTi\n", ["MgB2", "NbTi"]),
        ("MgB2\nNbTi", ["MgB2", "NbTi"]),
        ("material\r\nMgB2\r\n\r\nNbTi\r\n", ["MgB2", "NbTi"]),
        ("id;Formula;Tc\n1;MgB2;39\n2;NbTi;10\n", ["MgB2", "NbTi"]),
        ("compound\tTc\nMgB2\t39\n", ["MgB2"]),
        ('id,formula\n1,"MgB2"\n2\n', ["MgB2", ""]),
        ('note,formula\n"two\nlines",MgB2\n', ["MgB2"]),
        ("formula\n", []),
        ("sep=;\nformula;Tc\nLa1,85Sr0,15CuO4;38\n", ["La1,85Sr0,15CuO4"]),
        ("sep=\t\nMgB2\t39,5\n", ["MgB2"]),
        ("Tc;formula\n39;MgB2\n", ["MgB2"]),
        ("Tc\nMgB2\n", ["MgB2"]),
        ("La1,85Sr0,15CuO4\nMgB2\nYBa2Cu3O6,9\n", ["La1,85Sr0,15CuO4", "MgB2"]),
        ("formula\nLa1,85Sr0,15CuO4\n", ["La1,85Sr0,15CuO4"]),
        ("YBa2Cu3O7-d\nMgB2\n", ["YBa2Cu3O7-d", "MgB2"]),
        ("mgb2\nnb3sn\n", ["mgb2", "nb3sn"]),
        ('"La2-xSrxCuO4, x = 0..0.3 in 7 steps"\nMgB2', ["La2-xSrxCuO4, x = 0..0.3 in 7 steps", "MgB2"]),
    ],
)
def test_formulas_are_found_in_csv_files(written, content, formulas, tmp_path):
    written("\ufeff" + content)
    _, rows = content_of(tmp_path / "in.csv")
    assert [formula for formula, _ in rows if isinstance(formula, str)] == formulas


def test_the_other_columns_are_kept(written, tmp_path):
    written("id,formula,Tc\n1,MgB2,39\n2,NbTi\n")
    assert content_of(tmp_path / "in.csv") == (("id", "Tc"), [("MgB2", ("1", "39")), ("NbTi", ("2", ""))])
    written("MgB2;39;a\nNbTi;10;b\n")
    assert content_of(tmp_path / "in.csv") == (
        ("column 2", "column 3"),
        [("MgB2", ("39", "a")), ("NbTi", ("10", "b"))],
    )


def test_a_comma_that_may_be_decimal_or_separate_cells_is_an_error_with_both_readings(written, tmp_path):
    written("formula\nYBa2Cu3O6,95\n")
    _, [(error, _)] = content_of(tmp_path / "in.csv")
    assert isinstance(error, InputError) and error.suggestions == ("YBa2Cu3O6.95", "YBa2Cu3O6")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"formula\n\xff\xfe\xfa\n", b"sep=;\n"])
def test_unreadable_csv_is_refused(written, content, tmp_path):
    written(content)
    with pytest.raises(InputError):
        content_of(tmp_path / "in.csv")


def test_an_uploaded_file_is_read_like_one_on_the_disk(written, tmp_path):
    content = "id;formula\n1;La1,85Sr0,15CuO4\n"
    written(content)
    with FormulaCsv(tmp_path / "in.csv") as on_disk, FormulaCsv(Path("in.csv"), content.encode()) as uploaded:
        assert (uploaded.size, uploaded.others) == (on_disk.size, on_disk.others)
        assert list(uploaded.rows()) == list(on_disk.rows())


def test_the_other_columns_stand_after_the_formula():
    formulas = read_texts(["MgB2", "La2-xSrxCuO4, x = 0, 0.1"])
    table = pd.DataFrame({"formula": ["a", "b", "b"], "read_as": ["", "c", "d"], "tc_K": [1.0, 2.0, 3.0]})
    rows = [Row("a", ("39", "x")), Row("b", ("37", "y"))]
    merged = with_other_columns(table, formulas, rows, ("tc_K", "note"))
    assert list(merged) == ["formula", "read_as", "tc_K (input)", "note", "tc_K"]
    assert list(merged["tc_K (input)"]) == ["39", "37", "37"] and list(merged["note"]) == ["x", "y", "y"]
