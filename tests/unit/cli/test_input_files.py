"""Formulas in CSV files of many kinds."""

import pytest

from core.cli.input_files import read_formulas
from core.errors import InputError


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
    ],
)
def test_formulas_are_found_in_csv_files(written, content, formulas, tmp_path):
    written("\ufeff" + content)
    assert read_formulas(tmp_path / "in.csv") == formulas


@pytest.mark.parametrize("content", [b"", b"formula\n\xff\xfe\xfa\n"])
def test_unreadable_csv_is_refused(written, content, tmp_path):
    written(content)
    with pytest.raises(InputError):
        read_formulas(tmp_path / "in.csv")
