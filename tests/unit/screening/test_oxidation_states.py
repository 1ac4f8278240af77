"""Default oxidation states of elements in known materials, by hand."""

import pytest

from core.chemistry.formula_reader import parse_formula
from core.screening.oxidation_states import balancing_state, proposed_state


@pytest.mark.parametrize(
    ("base", "symbol", "balancing", "proposed"),
    [
        ("LaFeAsO", "Fe", 2, 2),
        ("SrVO3", "V", 4, 4),
        ("HgBa2Ca2Cu3O8", "Cu", 2, 2),
        ("YBa2Cu3O7", "Y", None, 3),  # balances only with Y 1+ and Cu 3+, which are wrong
        ("YBa2Cu3O7", "Cu", None, 2),
        ("TlSr2CaCu2O7", "Ca", None, 2),  # with Ca 1+ and Cu 4+ only
        ("Sr4V2Fe2As2O6", "Fe", None, 2),  # with Fe 1+ and V 4+, neither of which is usual
        ("LaPt2B2C", "Pt", None, 2),  # with Pt 1- only
        ("YIrSi", "Si", None, -4),  # with Ir 1-
        ("La1.85Sr0.15CuO4", "La", None, 3),
        ("LaFeAsO", "O", -2, -2),
        ("Nb3Sn", "Nb", None, 5),
        ("MgB2", "B", None, 3),  # boron has no negative state in smact14
        ("LaH10", "H", None, -1),
        ("HeH", "He", None, None),
    ],
)
def test_proposed_states(base, symbol, balancing, proposed):
    amounts = parse_formula(base)
    assert balancing_state(amounts, symbol) == balancing
    assert proposed_state(amounts, symbol) == proposed
