"""Build `assets/elements.json`, the table of element properties that the rest of the project reads.

The properties come from pymatgen (position, block, Mendeleev number, radioactivity, usual oxidation states),
periodictable (mass, name, covalent radius of Cordero et al. 2008) and SMACT (oxidation states of the `smact14` set,
Pauling electronegativity, crustal abundance); prices and toxicity are listed in `core/training/element_facts.py`. Toxic
and precious elements, which no library lists, are listed here.
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

from core.paths import ASSETS
from core.training.element_facts import PERMITTED_DAILY_EXPOSURE_UG, PRICE_USD_PER_KG

N_ELEMENTS = 118
SMACT_LAST = 103  # SMACT holds no element beyond lawrencium

# Elements whose common compounds need special handling in a synthesis laboratory: heavy-metal poisons and
# beryllium (carcinogens or cumulative poisons, IARC groups 1 and 2A, and EU RoHS), and Os for its volatile OsO4.
TOXIC = {"Be", "Cr", "As", "Se", "Cd", "Sb", "Te", "Os", "Hg", "Tl", "Pb"}
PRECIOUS = {"Ru", "Rh", "Pd", "Ag", "Re", "Os", "Ir", "Pt", "Au"}


def _unfolded_column(block: str, group: int, atomic_number: int) -> int:
    """Column 1..32 of the long periodic table: s 1-2, f 3-16, d 17-26, p 27-32."""
    if block == "f":
        first = 57 if atomic_number < 80 else 89
        return 3 + atomic_number - first
    return group if group <= 2 else group + 14


def _category(element) -> str:
    for flag, name in (
        ("noble_gas", "noble gas"),
        ("alkali", "alkali metal"),
        ("alkaline", "alkaline earth metal"),
        ("lanthanoid", "lanthanoid"),
        ("actinoid", "actinoid"),
        ("transition_metal", "transition metal"),
        ("post_transition_metal", "post-transition metal"),
        ("metalloid", "metalloid"),
        ("halogen", "halogen"),
    ):
        if getattr(element, f"is_{flag}"):
            return name
    return "nonmetal"


def _usual_states(element) -> list[int]:
    """Oxidation states of at least 1% of the element's entries in the ICSD, and those that pymatgen calls common."""
    return sorted({*element.icsd_oxidation_states, *element.common_oxidation_states} - {0})


def _icsd_states() -> dict[str, list[list[int]]]:
    """Symbol -> [oxidation state, number of entries in the ICSD of 2024], ascending, as counted by SMACT."""
    import smact

    path = Path(smact.__file__).parent / "data" / "oxidation_states_icsd24_counts.json"
    found: dict[str, list[list[int]]] = {}
    for row in json.loads(path.read_text(encoding="utf-8")):
        if row["results_count"] and row["oxidation_state"]:
            found.setdefault(row["element"], []).append([row["oxidation_state"], row["results_count"]])
    return {symbol: sorted(states) for symbol, states in found.items()}


def element_table() -> list[dict]:
    """One row per element, Z = 1..118, in that order."""
    import periodictable
    import smact
    from pymatgen.core import Element

    rows, icsd = [], _icsd_states()
    for z in range(1, N_ELEMENTS + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "no Pauling electronegativity", which is None below
            element = Element.from_Z(z)
            mendeleev = element.mendeleev_no
            charges = smact.Element(element.symbol) if z <= SMACT_LAST else None
        # Helium has 1s electrons; the libraries give the block of its position in the table.
        block = "s" if element.row == 1 else element.block
        electronegativity = charges.pauling_eneg if charges else None
        rows.append(
            {
                "atomic_number": z,
                "symbol": element.symbol,
                "name": periodictable.elements[z].name,
                "mass_u": periodictable.elements[z].mass,
                "covalent_radius_A": periodictable.elements[z].covalent_radius,
                "period": element.row,
                "group": None if block == "f" else element.group,
                "column": _unfolded_column(block, element.group, z),
                "block": block,
                "category": _category(element),
                "electronegativity": None
                if electronegativity is None or math.isnan(electronegativity)
                else electronegativity,
                "crustal_abundance_mg_per_kg": charges.crustal_abundance if charges else None,
                "price_USD_per_kg": PRICE_USD_PER_KG.get(element.symbol),
                "permitted_daily_exposure_ug": PERMITTED_DAILY_EXPOSURE_UG.get(element.symbol),
                "mendeleev_number": None if mendeleev is None or math.isnan(mendeleev) else int(mendeleev),
                "oxidation_states": sorted(charges.oxidation_states_smact14 or []) if charges else [],
                "icsd24_oxidation_states": sorted(charges.oxidation_states_icsd24 or []) if charges else [],
                "usual_oxidation_states": _usual_states(element),
                "icsd_states": icsd.get(element.symbol, []),
                "metal": element.symbol in smact.metals,  # by the definition of the screen in KIAGO
                "radioactive": bool(element.is_radioactive),
                "rare_earth": bool(element.is_lanthanoid or element.symbol in ("Sc", "Y")),
                "noble_gas": bool(element.is_noble_gas),
                "toxic": element.symbol in TOXIC,
                "precious": element.symbol in PRECIOUS,
            }
        )
    return rows


def write_element_table(path: Path = ASSETS / "elements.json") -> None:
    """Write the table as JSON, one element per line, so that diffs are readable."""
    lines = [json.dumps(row, ensure_ascii=False) for row in element_table()]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    write_element_table()
