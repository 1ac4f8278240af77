"""Why charge neutrality is rare: the share of random formulas whose charges can balance, to try."""

from __future__ import annotations

import streamlit as st

from app.blocks import ELEMENT_CHOICE, show_errors
from app.learn.charts import shares_figure
from app.learn.show import chart
from app.text.html import formula_html, table_html
from core.chemistry import elements
from core.chemistry.composition import formula_of_counts
from core.errors import InputError
from core.screening.charge_neutrality import charge_balance
from core.screening.random_formulas import Shares, random_counts, shares

FORMULAS, EXAMPLES = 2000, 6
MOST_ELEMENTS, MOST_ATOMS = 7, 30
DEFAULT_POOL = ("La", "Ba", "Y", "Fe", "Cu", "As", "O", "F", "H")  # of iron-based superconductors, cuprates, hydrides
SEED = "learn.neutrality_seed"


def neutrality() -> None:
    """The section."""
    st.markdown(
        "In a compound the charges sum to 0: La³⁺ Fe²⁺ As³⁻ O²⁻. Each element has only a few oxidation states, so a "
        "random formula of whole atoms rarely balances, and the gradient of $T_\\mathrm{c}$ knows nothing of charges. "
        "That is why rounding looks for a **neutral neighbour** of a formula, and why a screen is needed."
    )
    left, right = st.columns([1, 2], gap="large")
    with left:
        chosen = st.multiselect(
            "Elements to draw from (none: all with an oxidation state)",
            with_states(),
            key="learn_pool",
            **ELEMENT_CHOICE,
        )
        pool = tuple(chosen) if chosen else with_states()
        n_elements = st.slider("Elements in a formula", 2, MOST_ELEMENTS, 4, key="learn_n_elements")
        atoms = st.slider("Atoms in a formula", MOST_ELEMENTS, MOST_ATOMS, 12, key="learn_atoms")
        st.button("Draw again", icon=":material/casino:", key="learn_draw", on_click=draw_again)
    seed = st.session_state.get(SEED, 0)
    try:
        here = share(pool, n_elements, atoms, seed)
    except InputError as error:
        show_errors([error])
        return
    with right:
        cells = st.columns(3)
        cells[0].metric("Can be neutral", f"{here.neutral:.1%}")
        cells[1].metric("Alloys, which need no charges", f"{here.untested:.1%}")
        cells[2].metric("Cannot be neutral", f"{1 - here.neutral - here.untested:.1%}")
        first, second = st.columns(2)
        numbers = range(2, min(MOST_ELEMENTS, len(pool)) + 1)
        with first:
            by_number = {k: share(pool, k, atoms, seed) for k in numbers}
            chart(shares_figure(by_number, n_elements, f"elements in a formula of {atoms} atoms"), "learn_by_elements",
                  "Share of neutral formulas by number of elements")  # fmt: skip
        with second:
            by_size = {
                n: share(pool, n_elements, n, seed) for n in range(max(MOST_ELEMENTS, n_elements), MOST_ATOMS + 1)
            }
            chart(shares_figure(by_size, atoms, f"atoms in a formula of {n_elements} elements"), "learn_by_atoms",
                  "Share of neutral formulas by number of atoms")  # fmt: skip
    examples(pool, n_elements, atoms, seed)
    st.caption(
        f"{FORMULAS:,} random formulas for each bar, tested as in a run: SMACT's oxidation states, one per element, "
        "and Pauling's test, by which the anions are the more electronegative elements. More atoms make it rarer that "
        "the charges cancel; more elements give more combinations of states."
    )


def examples(pool: tuple[str, ...], n_elements: int, atoms: int, seed: int) -> None:
    """The first formulas with the verdict of the screen."""
    rows = []
    drawn = random_counts(pool, n_elements, atoms, FORMULAS, seed)[:EXAMPLES]
    for counts, balance in zip(drawn, charge_balance(drawn), strict=True):
        verdict = "yes" if balance.charge_neutral and balance.pauling_ok else "no"
        rows.append([formula_html(formula_of_counts(counts)), verdict, balance.written or balance.reason])
    table = table_html(("The first formulas drawn", "Passes", "Charges, or why not"), rows)
    st.html(f'<div class="compare">{table}</div>')


def draw_again() -> None:
    """Callback: other random formulas."""
    st.session_state[SEED] = st.session_state.get(SEED, 0) + 1


@st.cache_data(show_spinner=False, max_entries=2000)
def share(pool: tuple[str, ...], n_elements: int, atoms: int, seed: int) -> Shares:
    """The shares of random formulas. Raises InputError for more elements than the pool has."""
    return shares(random_counts(pool, n_elements, atoms, FORMULAS, seed))


@st.cache_data(show_spinner=False)
def with_states() -> tuple[str, ...]:
    """The symbols of all elements that have an oxidation state."""
    return tuple(e.symbol for e in elements.all_elements() if e.oxidation_states)
