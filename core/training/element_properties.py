"""Measured properties of the elements, as features of the trees of `tc-ensemble`, from pymatgen (MIT licence)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from core.chemistry import elements

if TYPE_CHECKING:
    from pymatgen.core import Element

MEASURED = (
    "atomic_radius", "atomic_radius_calculated", "van_der_waals_radius", "mendeleev_no", "electrical_resistivity",
    "velocity_of_sound", "thermal_conductivity", "melting_point", "boiling_point", "bulk_modulus", "youngs_modulus",
    "molar_volume", "density_of_solid", "average_ionic_radius", "X", "electron_affinity", "ionization_energy",
    "average_cationic_radius",
)  # fmt: skip
LOGARITHMIC = ("electrical_resistivity", "thermal_conductivity")  # they extend over many orders of magnitude
SHELLS = {"s": 2, "p": 6, "d": 10, "f": 14}
NOBLE_GASES = (2, 10, 18, 36, 54, 86)
COUNTS = (*(f"valence_{shell}_electrons" for shell in SHELLS), "valence_electrons", "holes_in_valence_shells")


def property_names() -> list[str]:
    """The names of the columns of `element_properties`."""
    return [*MEASURED, *COUNTS]


def element_properties() -> np.ndarray:
    """(118, p) float32, each column of mean 0 and standard deviation 1; the median, where a value is not known."""
    from pymatgen.core import Element

    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns of every value that it does not have
        for each in elements.all_elements():
            element = Element(each.symbol)
            rows.append([_measured(element, name) for name in MEASURED] + _electrons(element))
    table = np.array(rows)
    table = np.where(np.isfinite(table), table, np.nanmedian(np.where(np.isfinite(table), table, np.nan), axis=0))
    return ((table - table.mean(0)) / table.std(0)).astype(np.float32)


def _measured(element: Element, name: str) -> float:
    """A property in pymatgen's unit, or its logarithm; NaN if it is not known."""
    try:
        value = float(getattr(element, name))
    except (AttributeError, KeyError, TypeError, ValueError):
        return np.nan
    return float(np.log(value)) if name in LOGARITHMIC else value


def _electrons(element: Element) -> list[float]:
    """Electrons outside the noble gas in each kind of shell, their sum, and the holes in the shells that have some."""
    from pymatgen.core import Element

    core = max((z for z in NOBLE_GASES if z < element.Z), default=0)
    inner = {(n, shell): count for n, shell, count in _structure(Element.from_Z(core))} if core else {}
    valence = dict.fromkeys(SHELLS, 0)
    for n, shell, count in _structure(element):
        valence[shell] += max(count - inner.get((n, shell), 0), 0)
    holes = sum(SHELLS[shell] - count for shell, count in valence.items() if count)
    return [float(count) for count in (*valence.values(), sum(valence.values()), holes)]


def _structure(element: Element) -> list[tuple[int, str, int]]:
    """Occupied shells as pymatgen lists them; none for the heaviest elements, for which it has no configuration."""
    try:
        return element.full_electronic_structure
    except KeyError:
        return []
