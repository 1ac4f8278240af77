"""Substitution at one site or several: what goes out of the base, what comes in, and whether the charge is kept.

KIAGO 3.5 replaces one element by others of its oxidation state, and says of several: "two Ti4+ atoms and one O2- atom
contribute a total charge of +6. This can be replaced by two X3+ atoms ... as long as the total charge is preserved."
Here each site says what it gives up and what it takes: Ti4+ by X3+, and one O2- by nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR, WHOLE_CHARGE
from core.errors import InputError

EMPTY = 0  # the "oxidation state" of a site that is left empty
MAX_STATE = 8


@dataclass(frozen=True)
class Site:
    """An element of the base that is replaced.

    element : its symbol
    state : its oxidation state in the base
    by : oxidation state that its replacements must be able to take; None: the same; EMPTY: nothing comes in
    atoms : how many of its atoms are replaced, per formula unit of the base as it is written; None: all
    """

    element: str
    state: int | None = None
    by: int | None = None
    atoms: float | None = None

    @property
    def replacement(self) -> int | None:
        """The oxidation state that comes in; EMPTY for none, None while it is not known."""
        return self.state if self.by is None else self.by

    def atoms_in(self, amounts: Mapping[str, float]) -> float:
        """How many atoms are replaced in a base of these amounts."""
        return amounts.get(self.element, 0.0) if self.atoms is None else self.atoms


def takers(state: int) -> tuple[str, ...]:
    """Symbols of the elements that can come in at a site of this oxidation state: those that have it in `smact14`.

    Of anions those of the p block, and hydrogen: the negative states of other metals are those of carbonyls. (The paper
    replaced cations only.)
    """
    has = elements.with_oxidation_state(state)
    return has if state > 0 else tuple(s for s in has if s == "H" or elements.element(s).block == "p")


def kept(amounts: Mapping[str, float], sites: Sequence[Site]) -> dict[str, float]:
    """Atoms of the base that stay: symbol -> amount, without those of which nothing stays."""
    gone = {site.element: site.atoms_in(amounts) for site in sites}
    rest = {symbol: amount - gone.get(symbol, 0.0) for symbol, amount in amounts.items()}
    return {symbol: amount for symbol, amount in rest.items() if amount > ROUNDING_ERROR}


def incoming(amounts: Mapping[str, float], sites: Sequence[Site]) -> dict[int, float]:
    """Atoms that come in: oxidation state -> number above zero. Sites that take the same state are one: a composition
    has no positions."""
    found: dict[int, float] = {}
    for site in sites:
        if site.replacement not in (None, EMPTY) and site.atoms_in(amounts) > 0:
            found[site.replacement] = found.get(site.replacement, 0.0) + site.atoms_in(amounts)
    return found


def atoms_after(amounts: Mapping[str, float], sites: Sequence[Site]) -> float:
    """Atoms of a base of these amounts when the sites are replaced; one that is left empty loses its atoms."""
    return sum(kept(amounts, sites).values()) + sum(incoming(amounts, sites).values())


def excess_charge(amounts: Mapping[str, float], sites: Sequence[Site]) -> float:
    """Charge that comes in less charge that goes out, elementary charges per formula unit; every state is known."""
    states = ((site, site.state, site.replacement) for site in sites)
    return sum(site.atoms_in(amounts) * ((after or 0) - (before or 0)) for site, before, after in states)


def check_sites(amounts: Mapping[str, float], sites: Sequence[Site]) -> list[InputError]:
    """Everything that is wrong with the sites of a base of these amounts."""
    if not sites:
        return [InputError("sites", None, "no element is chosen for replacement", "Choose one of the base")]
    names = [site.element for site in sites]
    wrong = [
        InputError("sites", name, "it is replaced twice", "Name each element once")
        for name in dict.fromkeys(names) if names.count(name) > 1
    ]  # fmt: skip
    for site in sites:
        wrong += _check_site(amounts, site)
    if wrong:
        return wrong
    if not kept(amounts, sites):
        return [InputError("base", "".join(amounts), "nothing would be kept", "Keep an element, or raise Tc")]
    if not incoming(amounts, sites):
        return [InputError("sites", ", ".join(names), "nothing comes in", "Let one site take an oxidation state")]
    excess = excess_charge(amounts, sites)
    if abs(excess) > WHOLE_CHARGE:
        return [
            InputError("sites", f"{excess:+.4g}", "the total charge is not kept: what comes in differs by this much "
                       "from what goes out, per formula unit", _remedy(amounts, sites, excess))
        ]  # fmt: skip
    return []


def _check_site(amounts: Mapping[str, float], site: Site) -> list[InputError]:
    if site.element not in amounts:
        return [
            InputError("sites", site.element, "it is not in the base", f"Choose one of {', '.join(amounts)}"),
        ]
    wrong = []
    if site.state is None:
        wrong.append(InputError("sites", site.element, "no oxidation state is chosen", "Choose one, for example +3"))
    elif not _is_state(site.state) or site.state == 0:
        wrong.append(_no_state(site.state, ", not 0"))
    if site.by is not None and not _is_state(site.by):
        wrong.append(_no_state(site.by, "; 0 leaves the site empty"))
    incoming_state = site.replacement
    if not wrong and incoming_state is not None and incoming_state != EMPTY and not takers(incoming_state):
        wrong.append(InputError("sites", incoming_state, "no element has this oxidation state", "Take another"))
    atoms, most = site.atoms, amounts[site.element]
    if atoms is not None and not (_is_number(atoms) and 0 < atoms <= most + ROUNDING_ERROR):
        rule = f"of {site.element} between 0 and {most:g} atoms can be replaced"
        wrong.append(InputError("sites", atoms, rule, f"Take {most:g}"))
    return wrong


def _is_state(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_STATE


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _no_state(value: object, but: str) -> InputError:
    rule = f"an oxidation state is a whole number, -{MAX_STATE}..{MAX_STATE}{but}"
    return InputError("sites", value, rule, "Take +3")


def _remedy(amounts: Mapping[str, float], sites: Sequence[Site], excess: float) -> str:
    """Which single change would keep the charge, if there is one."""
    for site in reversed(sites):
        state = (site.replacement or 0) - excess / site.atoms_in(amounts)
        whole = round(state)
        if abs(state - whole) < WHOLE_CHARGE and whole and takers(whole):
            return f"Replace {site.element} by {whole:+d}, or change a number of atoms"
    return "Change a state or a number of atoms"
