"""Columns of the candidate table about charges: the verdict of the papers, and the most plausible states beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.screening.charge_neutrality import ChargeBalance
from core.screening.usual_charges import UsualCharges, usual_charges


def shown_charges(amounts: Iterable[Mapping[str, float]], balances: Sequence[ChargeBalance]) -> dict[str, list]:
    """The columns usual_charges, reason and oxidation_states, each with one value per formula.

    amounts : symbol -> atoms, one per balance
    balances : the verdicts of the papers' screens, which are not changed
    """
    plausible = [usual_charges(each) for each in amounts]
    states = [_states(each, balance) for each, balance in zip(plausible, balances, strict=True)]
    return {
        "usual_charges": [each.usual for each in plausible],
        "reason": [_reason(balance, text) for balance, text in zip(balances, states, strict=True)],
        "oxidation_states": states,
    }


def _states(plausible: UsualCharges, balance: ChargeBalance) -> str:
    """The most plausible states; those of the papers' screen where there are none (LaH10, every atom free)."""
    return plausible.written or balance.written


def _reason(balance: ChargeBalance, states: str) -> str:
    """The reason of the papers' verdict, with the states that are shown."""
    return f"balanced: {states}" if balance.pauling_ok and balance.oxidation_states else balance.reason
