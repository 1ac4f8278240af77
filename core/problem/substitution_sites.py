"""Substitution sites: which atoms of the base are replaced, by which oxidation states, and the charge balance.

KIAGO 3.5 replaces one element by others of the same oxidation state, and describes replacing several: "two Ti4+ atoms
and one O2- atom contribute a total charge of +6. This can be replaced by two X3+ atoms ... as long as the total charge
is preserved." Here this example has two sites: Ti4+ replaced by X3+, and one O2- replaced by a vacancy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.chemistry import elements
from core.chemistry.tolerances import LEAST_REPLACED, ROUNDING_ERROR, WHOLE_CHARGE
from core.errors import InputError
from core.problem.settings import is_number

EMPTY = 0  # the "oxidation state" of a vacant site
MAX_STATE = 8
ANY_ELEMENT, METALS, NON_METALS = GROUPS = ("any", "metals", "non_metals")  # metals as defined by SMACT


@dataclass(frozen=True)
class Replacement:
    """What takes the place of atoms: elements that can have an oxidation state, all of them or one group.

    state : oxidation state
    among : "any", "metals" or "non_metals"
    """

    state: int
    among: str = ANY_ELEMENT

    def symbols(self) -> tuple[str, ...]:
        """Symbols of the elements, in the order of the element table."""
        if self.among == ANY_ELEMENT:
            return takers(self.state)
        return tuple(s for s in takers(self.state) if elements.element(s).metal == (self.among == METALS))

    def __str__(self) -> str:
        among = "" if self.among == ANY_ELEMENT else f" {self.among.replace('_', '-')}"
        return f"{self.state:+d}{among}"


@dataclass(frozen=True)
class Site:
    """An element of the base that is replaced.

    element : symbol
    state : oxidation state of the element in the base; None if not chosen yet
    by : oxidation state of the replacements; None: the same state; EMPTY: the site is left vacant
    atoms : number of replaced atoms per formula unit of the base, as written; None: all
    among : group of the replacements: "any", "metals" or "non_metals"
    may_return : whether the element itself is among the replacements (of any site) that have a state of it
    """

    element: str
    state: int | None = None
    by: int | None = None
    atoms: float | None = None
    among: str = ANY_ELEMENT
    may_return: bool = True

    @property
    def replacement(self) -> int | None:
        """Oxidation state of the replacements; EMPTY for a vacancy, None if not chosen yet."""
        return self.state if self.by is None else self.by

    def replacements(self) -> Replacement | None:
        """The elements that take the place of the replaced atoms; None for a vacancy or a state not chosen yet."""
        return None if self.replacement in (None, EMPTY) else Replacement(self.replacement, self.among)

    def atoms_in(self, amounts: Mapping[str, float]) -> float:
        """Number of replaced atoms per formula unit. amounts : symbol -> atoms of the base."""
        return amounts.get(self.element, 0.0) if self.atoms is None else self.atoms


def takers(state: int) -> tuple[str, ...]:
    """Symbols of the elements that have this oxidation state in the `smact14` set.

    Anions are restricted to hydrogen and the p block, because the negative states of other metals are those in
    carbonyls. KIAGO replaces cations only.
    """
    has = elements.with_oxidation_state(state)
    return has if state > 0 else tuple(s for s in has if s == "H" or elements.element(s).block == "p")


def kept(amounts: Mapping[str, float], sites: Sequence[Site]) -> dict[str, float]:
    """Atoms of the base that are not replaced: symbol -> amount above zero."""
    gone = {site.element: site.atoms_in(amounts) for site in sites}
    rest = {symbol: amount - gone.get(symbol, 0.0) for symbol, amount in amounts.items()}
    return {symbol: amount for symbol, amount in rest.items() if amount > ROUNDING_ERROR}


def incoming(amounts: Mapping[str, float], sites: Sequence[Site]) -> dict[Replacement, float]:
    """Replacement atoms: oxidation state and group -> number above zero.

    Sites with the same replacements are merged, because a composition has no positions.
    """
    found: dict[Replacement, float] = {}
    for site in sites:
        after = site.replacements()
        if after is not None and site.atoms_in(amounts) > 0:
            found[after] = found.get(after, 0.0) + site.atoms_in(amounts)
    return found


def without_return(sites: Sequence[Site]) -> frozenset[str]:
    """Symbols of the replaced elements that must not be among the replacements."""
    return frozenset(site.element for site in sites if not site.may_return)


def atoms_after(amounts: Mapping[str, float], sites: Sequence[Site]) -> float:
    """Atoms per formula unit after the replacement, without vacant sites. amounts : symbol -> atoms of the base."""
    return sum(kept(amounts, sites).values()) + sum(incoming(amounts, sites).values())


def excess_charge(amounts: Mapping[str, float], sites: Sequence[Site]) -> float:
    """Charge of the replacements minus that of the replaced atoms, in elementary charges per formula unit."""
    states = ((site, site.state, site.replacement) for site in sites)
    return sum(site.atoms_in(amounts) * ((after or 0) - (before or 0)) for site, before, after in states)


def check_sites(amounts: Mapping[str, float], sites: Sequence[Site]) -> list[InputError]:
    """Errors of the sites; empty if there are none. amounts : symbol -> atoms per formula unit of the base."""
    if not sites:
        return [InputError("sites", None, "no element is chosen for replacement", "Choose an element of the base")]
    names = [site.element for site in sites]
    errors = [
        InputError("sites", name, "the element is listed twice as a site", "List each element once")
        for name in dict.fromkeys(names) if names.count(name) > 1
    ]  # fmt: skip
    for site in sites:
        errors += _check_site(amounts, site)
    if errors:
        return errors
    if not kept(amounts, sites):
        remedy = "Keep an element, or choose the task of raising Tc"
        return [InputError("base", "".join(amounts), "no atom of the base would remain", remedy)]
    if not incoming(amounts, sites):
        remedy = "Choose an oxidation state for one of them"
        return [InputError("sites", ", ".join(names), "all sites would be vacant", remedy)]
    excess = excess_charge(amounts, sites)
    if abs(excess) > WHOLE_CHARGE:
        return [
            InputError("sites", f"{excess:+.4g}", f"the total charge is not kept: it changes by {excess:+.4g} per "
                       "formula unit", _remedy(amounts, sites, excess))
        ]  # fmt: skip
    return []


def _check_site(amounts: Mapping[str, float], site: Site) -> list[InputError]:
    if site.element not in amounts:
        return [
            InputError("sites", site.element, "the element is not in the base", f"Choose one of {', '.join(amounts)}"),
        ]
    errors = []
    if site.state is None:
        errors.append(InputError("sites", site.element, "no oxidation state is chosen", "Choose one, for example +3"))
    elif not _is_state(site.state) or site.state == 0:
        errors.append(_invalid_state(site.state, " except 0"))
    if site.by is not None and not _is_state(site.by):
        errors.append(_invalid_state(site.by, "; 0 leaves the site vacant"))
    errors += _check_group(site)
    after = None if errors else site.replacements()
    if after is not None and not after.symbols():
        errors.append(InputError("sites", after.state, "no element has this oxidation state", "Choose another one"))
    atoms, available = site.atoms, amounts[site.element]
    if atoms is not None and not (is_number(atoms) and 0 < atoms <= available + ROUNDING_ERROR):
        rule = f"the number of replaced {site.element} atoms must be above 0 and at most {available:g}"
        errors.append(InputError("sites", atoms, rule, f"Choose {available:g}"))
    elif site.atoms_in(amounts) < LEAST_REPLACED:
        rule = f"fewer than {LEAST_REPLACED:g} replaced {site.element} atoms cannot be told from rounding"
        errors.append(InputError("sites", site.atoms_in(amounts), rule, "Replace more, or write a larger formula unit"))
    return errors


def _check_group(site: Site) -> list[InputError]:
    errors = []
    if site.among not in GROUPS:
        remedy = f"Choose {', '.join(GROUPS[:-1])} or {GROUPS[-1]}"
        errors.append(InputError("sites", site.among, "unknown group of replacements", remedy))
    if not isinstance(site.may_return, bool):
        rule = f"whether {site.element} may be among its replacements must be true or false"
        errors.append(InputError("sites", site.may_return, rule, "Write true or false"))
    return errors


def _is_state(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_STATE


def _invalid_state(value: object, exception: str) -> InputError:
    rule = f"an oxidation state must be a whole number from -{MAX_STATE} to {MAX_STATE}{exception}"
    return InputError("sites", value, rule, "Choose for example +3")


def _remedy(amounts: Mapping[str, float], sites: Sequence[Site], excess: float) -> str:
    """A remedy: a change of one oxidation state that keeps the charge, or a general one if there is no such change."""
    for site in reversed(sites):
        state = (site.replacement or 0) - excess / site.atoms_in(amounts)
        whole = round(state)
        if abs(state - whole) < WHOLE_CHARGE and whole and Replacement(whole, site.among).symbols():
            return f"Replace {site.element} by {whole:+d}, or change a number of atoms"
    return "Change a state or a number of atoms"
