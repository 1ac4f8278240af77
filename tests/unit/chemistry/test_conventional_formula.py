"""Formulas as chemists write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.chemistry.conventional_formula import chemists_formula, conventional_formula
from core.chemistry.element_order import ordered
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.reference_data.references import load_references

# As tables write them, in alphabetical order -> as chemists do.
WRITTEN = {
    # binary compounds
    "O3Y2": "Y2O3", "B2Mg": "MgB2", "Nb3Sn": "Nb3Sn", "Te2W": "WTe2", "As2Pt": "PtAs2", "PbTe": "PbTe", "SiV3": "V3Si",
    "PtSi": "PtSi", "Be13U": "UBe13", "LaMg3": "LaMg3", "H10La": "LaH10", "HPd": "PdH", "CSi": "SiC", "F6Xe": "XeF6",
    # hydrogen
    "H2O": "H2O", "ClH": "HCl", "H3N": "NH3", "CH4": "CH4", "H2S": "H2S", "ClH4N": "NH4Cl", "HNO3": "HNO3",
    "H2KO4P": "KH2PO4", "H2O4S": "H2SO4", "CHNaO3": "NaHCO3", "HNaO": "NaOH", "CaH2O2": "Ca(OH)2", "AlHO2": "AlHO2",
    # halogens and oxygen
    "F2O": "OF2", "Cl2O": "Cl2O", "ClO2": "ClO2", "ClNaO4": "NaClO4", "BaI2O6": "BaI2O6", "ClLaO": "LaOCl",
    "Bi24Cl10O31": "Bi24O31Cl10", "FLaO": "LaOF",
    # ternary and quaternary salts: cations of low charge first
    "O3PbTi": "PbTiO3", "BiFeO3": "BiFeO3", "FeO3Ti": "FeTiO3", "Fe2O4Zn": "ZnFe2O4", "Al2MgO4": "MgAl2O4",
    "AgNbO3": "AgNbO3", "BiO4V": "BiVO4", "Cu2S4SnZn": "Cu2ZnSnS4", "Mo6PbS8": "PbMo6S8", "BaF3Li": "BaLiF3",
    "F4NaY": "NaYF4", "MgS4Sc2": "MgSc2S4", "CCaO3": "CaCO3", "KNO3": "KNO3", "FeLiO4P": "LiFePO4",
    # superconductors
    "AsFeLaO": "LaFeAsO", "As2BaFe2": "BaFe2As2", "Ba2Cu3O7Y": "Ba2YCu3O7", "CuLa2O4": "La2CuO4",
    "B2CLuNi2": "LuNi2B2C", "CoGa5Pu": "PuCoGa5", "As2Cr2Th": "ThCr2As2", "La1.85CuO4Sr0.15": "Sr0.15La1.85CuO4",
}  # fmt: skip


@pytest.mark.parametrize(("table", "written"), WRITTEN.items())
def test_formulas_of_tables_are_written_as_chemists_do(table, written):
    assert chemists_formula(table) == written


def test_formulas_of_sources_change_only_where_they_begin_with_the_anion():
    names = ["B2Mg", "C60Rb3", "Pt3U", "YBa2Cu3O7", "LaFeAsO", "SiV3", "NV", "Te2Pd", "Sr0.2La1.8CuO4"]
    written = ["MgB2", "Rb3C60", "UPt3", "YBa2Cu3O7", "LaFeAsO", "V3Si", "VN", "PdTe2", "Sr0.2La1.8CuO4"]
    assert [conventional_formula(name) for name in names] == written


def test_words_in_capitals_are_read_to_the_letter():
    assert chemists_formula("YBCO") == "YBCO" and chemists_formula("HON") == "HNO"


def test_text_that_is_no_formula_is_refused():
    with pytest.raises(InputError):
        chemists_formula("no formula")


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(elements.symbols()), st.integers(1, 9), min_size=1, max_size=6))
def test_the_order_depends_on_the_elements_alone(amounts):
    """Neither the given order nor a second pass changes the formula, and no atom is lost."""
    written = chemists_formula(formula_of(amounts))
    assert chemists_formula(written) == written
    assert written == chemists_formula("".join(f"{s}{n}" for s, n in sorted(amounts.items())))
    assert sorted(ordered(amounts)) == sorted(amounts)


def test_every_reference_phase_has_a_formula_that_the_reader_reads_alike():
    for formula in load_references().phase_formulas[::200]:
        try:
            given_amounts = parse_formula(chemists_formula(formula))
        except InputError:
            continue  # a word in capitals, about which only people who type it are asked
        assert given_amounts == parse_formula(formula)
