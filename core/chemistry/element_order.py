"""The order in which chemists write the elements of a formula: Y2O3, PbTiO3, NH4Cl, KH2PO4, where tables say O3Y2.

The order is that of IUPAC (Nomenclature of Inorganic Chemistry, 2005, table VI: the groups of the periodic table from
left to right, the heavier element of a group first, hydrogen between N and Po), with four customs:

- in compounds with N or an element of group 16 or 17 (salts), metals of groups 1 and 2 are ordered by
  electronegativity, and those beyond group 3 by their most frequent oxidation state, the heavier first if it is the
  same: BaLiF3, PbTiO3, ZnFe2O4, BiFeO3;
- in other compounds, metals of group 3 and of the f block precede Mg and Be: UBe13;
- with oxygen, hydrogen precedes the other nonmetals: KH2PO4, NaHCO3;
- a halogen precedes oxygen if it is the centre of an anion or there is nothing else: NaClO4, ClO2; but LaOCl.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.chemistry import elements

_METALS_BEFORE_NONMETALS = ("Al", "Ga", "In", "Tl", "Sn", "Pb", "Bi", "Po")  # of the p block
_HALOGENS_OF_ANIONS = ("Cl", "Br", "I")
_OXYGENS_PER_HALOGEN = 3.0  # chlorates and perchlorates
_OF_HYDROGEN = 15.5  # between groups 15 and 16
_OF_F_BLOCK = 1.2  # largest electronegativity that counts: below those of Mg (1.31) and Be (1.57)

Key = tuple[float, float, float]


def ordered(amounts: Mapping[str, float]) -> list[str]:
    """The symbols in the order in which chemists write them. Raises KeyError for an unknown symbol."""
    salt = any(symbol == "N" or _group(symbol) in (16, 17) for symbol in amounts if symbol != "Po")
    order = sorted(amounts, key=lambda symbol: _key(symbol, salt, "O" in amounts))
    halogens = [symbol for symbol in order if symbol in _HALOGENS_OF_ANIONS]
    if len(halogens) == 1 and "O" in amounts and _is_centre_of_anion(halogens[0], amounts):
        order.remove(halogens[0])
        order.insert(order.index("O"), halogens[0])
    return order


def _key(symbol: str, salt: bool, oxygen: bool) -> Key:
    """Sort key: class (metals on the left, other metals, noble gases, nonmetals), then the order in the class."""
    element, group = elements.element(symbol), _group(symbol)
    if symbol == "H":
        return (2.5 if oxygen else 3.0, _OF_HYDROGEN, 0.0)
    if group <= 3:
        scale = _OF_F_BLOCK if element.electronegativity is None else element.electronegativity
        if group == 3:
            return (0.5 if salt else 0.0, min(scale, _OF_F_BLOCK), element.atomic_number)
        return (0.0, scale, element.atomic_number)
    if group == 18:
        return (2.0, 0.0, -element.period)
    if not is_metal(symbol):
        return (3.0, group, -element.period)
    if salt:
        return (1.0, _most_frequent_state(element), -element.period + group / 100)
    return (1.0, group, -element.period)


def _group(symbol: str) -> int:
    """The group, 3 for the f block."""
    return elements.element(symbol).group or 3


def is_metal(symbol: str) -> bool:
    """Whether an element is written before the nonmetals: Ge, As, Sb and Te count as nonmetals here."""
    group = _group(symbol)
    return symbol != "H" and (group <= 12 or symbol in _METALS_BEFORE_NONMETALS)


def _most_frequent_state(element: elements.Element) -> float:
    """The positive oxidation state with most entries in the ICSD; a large number if there is none."""
    positive = [(count, -state) for state, count in element.icsd_states if state > 0]
    return -max(positive)[1] if positive else 9.0


def _is_centre_of_anion(halogen: str, amounts: Mapping[str, float]) -> bool:
    others = sum(amount for symbol, amount in amounts.items() if symbol not in ("O", "H", halogen))
    most = amounts["O"] / amounts[halogen]
    return others == 0 or (most >= _OXYGENS_PER_HALOGEN and others <= amounts[halogen])
