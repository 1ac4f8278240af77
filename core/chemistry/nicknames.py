"""Nicknames of superconductors and of the oxides beside them, with the formulas that they stand for.

A nickname is never read in silence: it names a family, and the formula is that of its best-known member.
"""

from __future__ import annotations

import re
from functools import cache

from core.chemistry import elements

NICKNAMES = {
    # cuprates of the rare earths
    "YBCO": "YBa2Cu3O7",
    "REBCO": "YBa2Cu3O7",
    "RBCO": "YBa2Cu3O7",
    "Y123": "YBa2Cu3O7",
    "RE123": "YBa2Cu3O7",
    "Y124": "YBa2Cu4O8",
    "Y247": "Y2Ba4Cu7O15",
    "Y211": "Y2BaCuO5",
    "NBCO": "NdBa2Cu3O7",
    "SBCO": "SmBa2Cu3O7",
    "EBCO": "EuBa2Cu3O7",
    "GBCO": "GdBa2Cu3O7",
    "DBCO": "DyBa2Cu3O7",
    "HBCO": "HoBa2Cu3O7",
    "PBCO": "PrBa2Cu3O7",
    # cuprates of bismuth, thallium, mercury and copper
    "BSCCO": "Bi2Sr2CaCu2O8",
    "BSCO": "Bi2Sr2CuO6",
    "BPSCCO": "Bi1.6Pb0.4Sr2Ca2Cu3O10",
    "Bi2201": "Bi2Sr2CuO6",
    "Bi2212": "Bi2Sr2CaCu2O8",
    "Bi2223": "Bi2Sr2Ca2Cu3O10",
    "Bi2234": "Bi2Sr2Ca3Cu4O12",
    "BSCCO2212": "Bi2Sr2CaCu2O8",
    "BSCCO2223": "Bi2Sr2Ca2Cu3O10",
    "TBCCO": "Tl2Ba2Ca2Cu3O10",
    "Tl2201": "Tl2Ba2CuO6",
    "Tl2212": "Tl2Ba2CaCu2O8",
    "Tl2223": "Tl2Ba2Ca2Cu3O10",
    "Tl1201": "TlBa2CuO5",
    "Tl1212": "TlBa2CaCu2O7",
    "Tl1223": "TlBa2Ca2Cu3O9",
    "HBCCO": "HgBa2Ca2Cu3O8",
    "Hg1201": "HgBa2CuO4",
    "Hg1212": "HgBa2CaCu2O6",
    "Hg1223": "HgBa2Ca2Cu3O8",
    "Hg1234": "HgBa2Ca3Cu4O10",
    "Cu1234": "CuBa2Ca3Cu4O12",
    "Ru1212": "RuSr2GdCu2O8",
    # cuprates with the structure of La2CuO4 or Nd2CuO4
    "LSCO": "La1.85Sr0.15CuO4",
    "LBCO": "La1.875Ba0.125CuO4",
    "LCO": "La2CuO4",
    "La214": "La2CuO4",
    "NCCO": "Nd1.85Ce0.15CuO4",
    "PCCO": "Pr1.85Ce0.15CuO4",
    "SCCO": "Sm1.85Ce0.15CuO4",
    "LCCO": "La1.9Ce0.1CuO4",
    # bismuthates, ruthenates, nickelates
    "BKBO": "Ba0.6K0.4BiO3",
    "BPBO": "BaPb0.75Bi0.25O3",
    "Sr214": "Sr2RuO4",
    "SRO214": "Sr2RuO4",
    "Sr327": "Sr3Ru2O7",
    "NSNO": "Nd0.8Sr0.2NiO2",
    # iron-based
    "Ba122": "BaFe2As2",
    "Sr122": "SrFe2As2",
    "Ca122": "CaFe2As2",
    "Eu122": "EuFe2As2",
    "K122": "KFe2As2",
    "BaK122": "Ba0.6K0.4Fe2As2",
    "Li111": "LiFeAs",
    "Na111": "NaFeAs",
    "CaK1144": "CaKFe4As4",
    "RbEu1144": "RbEuFe4As4",
    "FTS": "FeTe0.5Se0.5",
    "FST": "FeTe0.5Se0.5",
    # substrates and magnets beside superconducting films
    "STO": "SrTiO3",
    "LAO": "LaAlO3",
    "BZO": "BaZrO3",
    "BHO": "BaHfO3",
    "LSMO": "La0.7Sr0.3MnO3",
    "LCMO": "La0.7Ca0.3MnO3",
}
_FAMILIES = {  # endings of the nicknames of rare earths -> formula after the symbol
    "BCO": "Ba2Cu3O7",
    "123": "Ba2Cu3O7",
    "124": "Ba2Cu4O8",
    "1111": "FeAsO",
}
_SEPARATORS = re.compile(r"[\s(),-]+")


@cache
def _by_key() -> dict[str, str]:
    """Nickname -> formula, with the families of the rare earths; nicknames with digits in lower case too."""
    found = dict(NICKNAMES)
    for element in elements.all_elements():
        if element.rare_earth and not element.radioactive:
            for ending, rest in _FAMILIES.items():
                found.setdefault(element.symbol + ending, element.symbol + rest)
    lower = {name.lower(): formula for name, formula in found.items()}
    mixed = {"ReBCO": NICKNAMES["REBCO"], "Re123": NICKNAMES["REBCO"]}
    return lower | mixed | found


def formula_of_nickname(text: str) -> str | None:
    """The formula that a nickname stands for; None for other texts.

    Blanks, hyphens and brackets do not count: Bi-2212; (Bi,Pb)-2223 is given without lead. Nicknames are written in
    capitals or in lower case throughout, as in YBCO and ybco; LaO is no nickname, though LAO is one.
    """
    key = _SEPARATORS.sub("", text).replace("Pb", "") if "2223" in text else _SEPARATORS.sub("", text)
    known = _by_key()
    if key in known:
        return known[key]
    return known.get(key.lower()) if key[-3:].isdigit() or key.isupper() else None
