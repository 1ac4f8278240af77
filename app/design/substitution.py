"""The sites of a substitution: which elements of the base are replaced, and by which oxidation states."""

from __future__ import annotations

import streamlit as st

from app.blocks import show_errors
from app.design.draft_fields import checkbox, number, pills, segments, select
from app.design.problem_errors import Errors
from app.state.draft import Draft, elements_of
from app.state.draft_changes import possible_states, with_elements, with_site
from app.text.formatting import charge_text, group_text, replacement_text
from core.chemistry import elements
from core.problem.substitution_sites import ANY_ELEMENT, EMPTY, METALS, NON_METALS, Replacement, Site
from core.screening.oxidation_states import balancing_state, proposed_state

_GROUPS = (METALS, NON_METALS, ANY_ELEMENT)  # in the order of the page
ALL_STATES = sorted({q for e in elements.all_elements() for q in e.oxidation_states if q}, key=lambda q: (abs(q), -q))


def substitution(draft: Draft, errors: Errors) -> None:
    """The elements to replace, and a row of fields for each site; a single simple site needs its state only."""
    which, state = st.columns([1, 1], gap="medium")
    with which:
        pills("Elements to replace", "replaced", elements_of(draft.sites), draft.amounts, with_elements,
              help="One element, or several at once as long as the total charge is kept: in Ti2O4, two Ti +4 and one "
                   "O −2 by two atoms of +3 (KIAGO 3.5).")  # fmt: skip
    if len(draft.sites) == 1 and draft.sites[0].by is None and draft.sites[0].atoms is None:
        with state:
            state_field(draft, draft.sites[0], "Replaced by elements that can be")
        choice_fields(draft.sites[0])
    else:
        for site in draft.sites:
            site_fields(draft, site)
    show_errors(errors["sites"])


def state_field(draft: Draft, site: Site, label: str) -> None:
    """The oxidation state of an element in the base."""
    select(label, f"state.{site.element}", site.state, state_options(draft, site.element), with_site, site.element,
           "state", format_func=lambda state: state_label(state, site.element, draft),
           placeholder="Choose an oxidation state")  # fmt: skip


def site_fields(draft: Draft, site: Site) -> None:
    """One of several sites: its state in the base, the state that replaces it, the number of atoms, the elements."""
    own, by, atoms = st.columns([1.2, 1.2, 0.8], gap="medium")
    with own:
        state_field(draft, site, f"{site.element} is")
    with by:
        options = dict.fromkeys([site.state, *ALL_STATES, EMPTY])
        select("Replaced by elements that can be", f"by.{site.element}", site.replacement, options, with_site,
               site.element, "by", format_func=lambda state: replacement_label(state, site))  # fmt: skip
    with atoms:
        number(f"Atoms, of {draft.amounts[site.element]:g} {site.element}", f"atoms.{site.element}",
               float(site.atoms_in(draft.amounts)), 1.0, with_site, site.element, "atoms", format="%g")  # fmt: skip
    choice_fields(site)


def choice_fields(site: Site) -> None:
    """Which of the elements with the state take the place of an element, and whether it may be one of them.

    An element of which atoms are kept has no such choice, because its amount is fixed.
    """
    group, returns = st.columns([1, 1], gap="medium", vertical_alignment="bottom")
    if site.replacement != EMPTY:
        with group:
            group_field(site)
    if site.atoms is None:
        with returns:
            return_field(site)


def group_field(site: Site) -> None:
    """Whether metals, non-metals or both take the place of an element."""
    segments(f"In place of {site.element}", f"among.{site.element}", site.among, _GROUPS, with_site, site.element,
             "among", format_func=lambda among: group_label(among, site), required=True,
             help="Metals as SMACT counts them; Si, As and Te are non-metals.")  # fmt: skip


def group_label(among: str, site: Site) -> str:
    """A group of replacements with its number of elements: "+3 metals (60)", "both (73)"."""
    name = "both" if among == ANY_ELEMENT else group_text(among)
    if site.replacement is None:
        return name
    after = Replacement(site.replacement, among)
    shown = name if among == ANY_ELEMENT else replacement_text(after)
    return f"{shown} ({len(after.symbols())})"


def return_field(site: Site) -> None:
    """Whether the replaced element may be among the replacements."""
    checkbox(f"May contain {site.element} again", f"may_return.{site.element}", site.may_return, with_site,
             site.element, "may_return", help="Off: only other elements take its place. On: as in the paper, where "
             "the replaced element counts as one of its substitutes.")  # fmt: skip


def replacement_label(state: int | None, site: Site) -> str:
    """The oxidation state that replaces a site."""
    if state is None:
        return "Choose an oxidation state"
    if state == EMPTY:
        return "nothing (left empty)"
    return f"{charge_text(state)} · the same" if state == site.state else charge_text(state)


def state_options(draft: Draft, symbol: str) -> list[int]:
    """All oxidation states: the proposed one, those that balance the base, those of the element, the rest."""
    proposed = proposed_state(draft.amounts, symbol)
    first = [] if proposed is None else [proposed]
    own = [q for q in elements.element(symbol).oxidation_states if q]
    return list(dict.fromkeys([*first, *possible_states(draft.amounts, symbol), *own, *ALL_STATES]))


def state_label(state: int, symbol: str, draft: Draft) -> str:
    """An oxidation state, and the reason for choosing it."""
    text = charge_text(state)
    if state == balancing_state(draft.amounts, symbol):
        return f"{text} · balances the base"
    if state in possible_states(draft.amounts, symbol):
        return f"{text} · balances the base if other elements take unusual states"
    if state in elements.element(symbol).oxidation_states:
        return f"{text} · known for {symbol}"
    return text
