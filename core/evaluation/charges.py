"""Columns of the candidate table about charges: the verdict of the papers, and the most plausible states beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.chemistry.exact_formula import literal_amounts
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE
from core.problem.substitution_sites import incoming, kept
from core.screening.charge_neutrality import ChargeBalance
from core.screening.usual_charges import UsualCharges, usual_charges


def shown_charges(
    amounts: Iterable[Mapping[str, float]],
    balances: Sequence[ChargeBalance],
    pinned: Callable[[Mapping[str, float]], Mapping[str, int]] = lambda amounts: {},
) -> dict[str, list]:
    """The columns usual_charges, reason and oxidation_states, each with one value per formula.

    amounts : symbol -> atoms, one per balance
    balances : the verdicts of the papers' screens, which are not changed
    pinned : amounts -> states that some elements have, see `states_of_substitution`
    """
    plausible = [usual_charges(each, pinned(each)) for each in amounts]
    states = [_states(each, balance) for each, balance in zip(plausible, balances, strict=True)]
    return {
        "usual_charges": [each.usual for each in plausible],
        "reason": [_reason(balance, text) for balance, text in zip(balances, states, strict=True)],
        "oxidation_states": states,
    }


def states_of_substitution(problem: DesignProblem, amounts: Mapping[str, float]) -> dict[str, int]:
    """The states of the elements that took the place of others: Bi is 3+ where La 3+ was replaced.

    Empty for other tasks. With several sites, only for elements that can take the state of just one of them.
    """
    if problem.task != SUBSTITUTE:
        return {}
    base = literal_amounts(problem.base)
    replacements = incoming(base, problem.sites)
    new = [symbol for symbol in amounts if symbol not in kept(base, problem.sites)]
    possible = {symbol: {each.state for each in replacements if symbol in each.symbols()} for symbol in new}
    return {symbol: found.pop() for symbol, found in possible.items() if len(found) == 1}


def _states(plausible: UsualCharges, balance: ChargeBalance) -> str:
    """The most plausible states; those of the papers' screen where there are none (LaH10, every atom free)."""
    return plausible.written or balance.written


def _reason(balance: ChargeBalance, states: str) -> str:
    """The reason of the papers' verdict, with the states that are shown."""
    return f"balanced: {states}" if balance.pauling_ok and balance.oxidation_states else balance.reason
