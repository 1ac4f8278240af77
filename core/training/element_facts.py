"""Prices and toxicity of the elements, for `core/training/element_table.py`.

Prices: Wikipedia, "Prices of chemical elements", as in the table of mendeleev 1.3.0 (MIT licence); isotopes of more
than $10 million per kg, which nobody buys by weight, are left out. Toxicity: permitted daily exposures of 24 elements
by mouth from ICH guideline Q3D(R1), Elemental Impurities, 2019, table A.2.1, that of gold as corrected in Q3D(R2),
2022; (c) ICH, which permits reproduction if its copyright is named. They hold for traces in medicines and say nothing
about dust, vapour or hydrides.
"""

from __future__ import annotations

PRICE_USD_PER_KG = {
    "H": 1.39, "He": 24, "Li": 81.4, "Be": 857, "B": 3.68, "C": 0.122, "N": 0.14, "O": 0.154, "F": 1.84, "Ne": 240,
    "Na": 2.57, "Mg": 2.32, "Al": 1.79, "Si": 1.7, "P": 2.69, "S": 0.0926, "Cl": 0.082, "Ar": 0.931, "K": 12.1,
    "Ca": 2.21, "Sc": 3_460, "Ti": 11.1, "V": 357, "Cr": 9.4, "Mn": 1.82, "Fe": 0.424, "Co": 32.8, "Ni": 13.9,
    "Cu": 6, "Zn": 2.55, "Ga": 148, "Ge": 914, "As": 0.999, "Se": 21.4, "Br": 4.39, "Kr": 290, "Rb": 15_500,
    "Sr": 6.53, "Y": 31, "Zr": 35.7, "Nb": 61.4, "Mo": 40.1, "Tc": 100_000, "Ru": 10_400, "Rh": 147_000, "Pd": 49_500,
    "Ag": 521, "Cd": 2.73, "In": 167, "Sn": 18.7, "Sb": 5.79, "Te": 63.5, "I": 35, "Xe": 1_800, "Cs": 61_800,
    "Ba": 0.246, "La": 4.78, "Ce": 4.57, "Pr": 103, "Nd": 57.5, "Pm": 460_000, "Sm": 13.9, "Eu": 31.4, "Gd": 28.6,
    "Tb": 658, "Dy": 307, "Ho": 57.1, "Er": 26.4, "Tm": 3_000, "Yb": 17.1, "Lu": 643, "Hf": 900, "Ta": 298, "W": 35.3,
    "Re": 3_010, "Os": 12_000, "Ir": 55_500, "Pt": 27_800, "Au": 75_430, "Hg": 30.2, "Tl": 4_200, "Pb": 2, "Bi": 6.36,
    "Th": 287, "U": 101, "Np": 660_000, "Pu": 6_490_000, "Am": 728_000,
}  # fmt: skip
PERMITTED_DAILY_EXPOSURE_UG = {
    "Li": 550, "V": 100, "Cr": 11_000, "Co": 50, "Ni": 200, "Cu": 3_000, "As": 15, "Se": 150, "Mo": 3_000, "Ru": 100,
    "Rh": 100, "Pd": 100, "Ag": 150, "Cd": 5, "Sn": 6_000, "Sb": 1_200, "Ba": 1_400, "Os": 100, "Ir": 100, "Pt": 100,
    "Au": 300, "Hg": 30, "Tl": 8, "Pb": 5,
}  # fmt: skip
