"""The formal oxidation state of copper, which measures the hole doping of a cuprate.

Every other element gets the charge that it nearly always has in copper oxides; the charge left for neutrality is shared
by the copper atoms. They have 2 + 1/3 in YBa2Cu3O7 and 2 in La2CuO4; Tc is highest near 2.16 (Presland et al. 1991,
doi:10.1016/0921-4534(91)90700-9). These charges are part of the fitted models: a change invalidates their weights.
"""

from __future__ import annotations

import torch

from core.chemistry import elements

CHARGES = {
    1: "H Li Na K Rb Cs Fr Ag",
    2: "Be Mg Ca Sr Ba Ra Ni Cu Zn Cd Hg Pb",
    3: "B Al Sc Mn Fe Co Ga Y Rh In Sb La Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Au Tl Bi Ac",
    4: "C Si Ti Ge Zr Pd Sn Ce Hf Ir Pt Th",
    5: "V Nb Ru Ta Pa",
    6: "Cr Mo W Re Os U",
    7: "Tc",
    -1: "F Cl Br I",
    -2: "O S Se Te",
    -3: "N P As",
}
COPPER_SHARE = 0.02  # fraction of copper at which the weight is 1/2; the weight vanishes smoothly with the fraction
LARGEST_STATE = 6.0  # saturation value: the full charge on a trace of copper has no physical meaning


def charges() -> torch.Tensor:
    """(118,) float64: charge of each element in copper oxides, in elementary charges; 0 for those not in CHARGES."""
    order = {symbol: i for i, symbol in enumerate(elements.symbols())}
    found = torch.zeros(elements.N_ELEMENTS, dtype=torch.float64)
    for charge, symbols in CHARGES.items():
        found[[order[symbol] for symbol in symbols.split()]] = charge
    return found


def copper_valence(composition: torch.Tensor, charge: torch.Tensor, copper: int) -> torch.Tensor:
    """Compositions (n, 118), charges (118,), index of copper -> (n, 3), smooth; without copper the first two are 0.

    Formal oxidation state of copper, weight of the amount of copper (0 to 1), and total charge per atom.
    """
    amount = composition[:, copper]
    total = composition @ charge
    counts = amount / (amount + COPPER_SHARE)
    state = (amount * charge[copper] - total) / (amount + COPPER_SHARE) * counts
    return torch.stack([LARGEST_STATE * torch.tanh(state / LARGEST_STATE), counts, total], dim=1)
