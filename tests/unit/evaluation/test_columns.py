"""The columns of the candidate table: names, labels and units."""

import pytest

from core.evaluation.columns import BY_NAME, COLUMNS


def test_every_column_has_a_unique_name_a_unique_label_and_a_meaning():
    assert len(BY_NAME) == len(COLUMNS)
    assert len({column.label for column in COLUMNS}) == len(COLUMNS)
    assert all(column.meaning and column.label for column in COLUMNS)


@pytest.mark.parametrize(("shown", "ending"), [("(K)", "_K"), ("(eV/atom)", "_eV_per_atom")])
def test_names_and_labels_have_the_same_units(shown, ending):
    """The label of a column has a unit if and only if its name has the same unit."""
    on_the_page = {column.name for column in COLUMNS if shown in column.label}
    on_the_page |= {"tc_gain_K"} if ending == "_K" else set()
    assert on_the_page == {column.name for column in COLUMNS if column.name.endswith(ending)} and on_the_page


def test_names_of_temperatures_and_energies_end_with_the_unit():
    for column in COLUMNS:
        if column.name.startswith(("tc_", "nearest_known_tc")):
            assert column.name.endswith("_K")
        if "energy" in column.name:
            assert column.name.endswith("_eV_per_atom")
