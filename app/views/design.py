"""The design page: choose a base, say on the periodic table what must and what may not be in it, run.

Nothing is computed here. Callbacks and the table change the draft (`app.draft`), the draft gives the problem, and
what is wrong with the problem (`core.evaluation.design.check`) is shown beside the widget of its field.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, replace

import pandas as pd
import streamlit as st

from app import draft as drafts
from app import knobs, lookup, presets, rules, session, style, summary
from app.components.periodic_table import periodic_table
from app.controlled import latest, of_latest, place, renewed, shown, whole
from app.draft import Draft
from app.knobs import Knob
from app.rules import Rule
from core.chemistry import elements
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.generation.validation import check
from core.paths import ASSETS
from core.predictors.device import resolve_device
from core.problem.presets import PRESETS, preset_of
from core.problem.problem import MODELS, DesignProblem
from core.problem.settings import EVERY_ATOM, GRADIENT, ONE_STATE, PRECISIONS, RAISE_TC, SUBSTITUTE, SUBSTITUTION
from core.problem.substitution_sites import EMPTY, Site, takers
from core.runs import store
from core.screening.oxidation_states import balancing_state, proposed_state

TASKS = {RAISE_TC: "Raise Tc", SUBSTITUTE: "Substitute"}
PLACES = {"base": "Base material", "sites": "Elements to replace",
          "fixed": "Periodic table", "forbidden": "Periodic table", "floors": "At least",
          **dict.fromkeys(("bounds", "groups", "ratios"), "Bounds, groups, ratios")}  # fmt: skip
FOLDED = {"At least", "Bounds, groups, ratios", "Settings"}  # places that may be closed: their messages are repeated
# Rows of the summary that mean nothing while one of these fields is wrong.
UNSAID = {"Free": ("fixed", "forbidden", "floors"), "Kept": ("bounds", "groups", "ratios")}
METHODS = {GRADIENT: "By gradient (KIAGO)", SUBSTITUTION: "Random substitution (C-ES)"}
CHARGE_RULES = {ONE_STATE: "one per element", EVERY_ATOM: "every atom its own"}
OTHER_SETTINGS = {"seed", "device", "precision", "method", "charge_rule"}
MODEL_NAMES = {"best": "Best", "published": "As published"}
MAX_UPLOAD_MB = 1
ONLY_STATE, PRESETS_WANTED = "design.only_state_chosen", "design.presets_wanted"  # of the session; no widget has them
RULES_DRAWN = "design.rules_drawn"  # of the session: the key of the table of rules, and the rows it was drawn with
STATES = sorted({q for e in elements.all_elements() for q in e.oxidation_states if q}, key=lambda q: (abs(q), -q))
TC = "<i>T</i><sub>c</sub>"

RULE_COLUMNS = {"elements": "str", "least": "float64", "most": "float64", "ratio": "str"}  # name -> type

Errors = dict[str, list[InputError]]  # field -> what is wrong with it


def page() -> None:
    """Draw everything; the table comes first, because a click on it changes what all else shows."""
    toolbar()
    left, right = st.columns([2.7, 1], gap="large")
    with left:
        material_box = st.container(key="material")  # filled after the table, its place is kept: nothing moves
        table_box, settings_box = st.container(gap="small"), st.container()
    with table_box:
        presets_row = st.container(key="presets", horizontal=True, vertical_alignment="center", gap="small")
        table()
    draft = session.draft()
    problem = draft.problem()
    errors = errors_of(problem)
    for error in rules.read(draft.rules).wrong:
        errors[error.field].append(error)
    if not errors:
        session.write_link(problem)
    with material_box:
        material(draft, errors)
    with presets_row:
        preset_buttons(draft)
    with table_box:
        style.show_errors(errors["fixed"] + errors["forbidden"])
        if draft.task == RAISE_TC:
            floors(draft, errors)
        demands(draft, problem, errors)
    with settings_box:
        settings(draft, errors)
    with right, st.container(border=True, key="summary"):
        overview(draft, problem, errors)
        run_button(problem, errors)


def errors_of(problem: DesignProblem) -> Errors:
    """Everything that is wrong with the problem, by field."""
    wrong = check(problem)
    try:
        resolve_device(problem.device)
    except InputError as error:
        wrong.append(error)
    found: Errors = defaultdict(list)
    for error in wrong:
        found[error.field].append(error)
    return found


@of_latest
def changed(key: str, step, *before: object) -> None:
    """Callback: change the draft by step(draft, *before, value of the widget); an emptied widget changes nothing."""
    value = st.session_state[key]
    if value is not None:
        session.change(step, *before, value)


# ---- head --------------------------------------------------------------------------------------------------------


def toolbar() -> None:
    """Title, one sentence, and problems from and to elsewhere."""
    words, buttons = st.columns([2.7, 1], vertical_alignment="bottom", gap="large")
    with words:
        st.title("Design a superconductor", anchor=False)
        st.html(
            '<p class="quiet">Start from a known material, say what stays and what may not appear, '
            "and let the gradient raise its Tc.</p>"
        )
    with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        key = "design.example"
        st.menu_button("Examples", list(examples()), key=key, on_click=load_example, args=(key,), type="tertiary")
        file_menu()
    if session.complaint():
        style.show_errors([session.complaint()])


@st.cache_data(show_spinner=False)
def examples() -> dict[str, str]:
    """Example problems: title -> JSON."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ASSETS / "examples").glob("*.json"))]
    return {summary.title(DesignProblem.from_json(text)): text for text in texts}


@of_latest
def load_example(key: str) -> None:
    """Callback of the examples menu."""
    if st.session_state[key]:
        session.load_text(examples()[st.session_state[key]])


def file_menu() -> None:
    """Save the problem as JSON, or open one."""
    problem = session.draft().problem()
    with st.popover("File", type="tertiary"):
        st.download_button(
            "Save this problem",
            problem.to_json(),
            file_name=f"{problem.task.replace('_', '-')}-{problem.base}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
        )
        key = latest("design.upload")
        st.file_uploader("Open a problem", type="json", key=key, on_change=upload, args=(key,),
                         max_upload_size=MAX_UPLOAD_MB)  # fmt: skip


@of_latest
def upload(key: str) -> None:
    """Callback of the uploader: take the problem over, or say why not; either way be ready for the next file."""
    file = st.session_state[key]
    if file is None:
        return
    session.load_text(file.getvalue().decode("utf-8", errors="replace"))
    renewed("design.upload")


# ---- base material -----------------------------------------------------------------------------------------------


def material(draft: Draft, errors: Errors) -> None:
    """Task, base and, for a substitution, what is replaced by what."""
    key = shown("design.task", draft.task)
    task, base = st.columns([1, 2], gap="medium")
    with task:
        st.segmented_control("Task", list(TASKS), key=key, default=draft.task, format_func=TASKS.get, required=True,
                             on_change=changed, args=(key, drafts.with_task), width="stretch")  # fmt: skip
    with base:
        base_field(draft)
        style.show_errors(errors["base"])
    if not errors["base"]:
        st.html(base_facts(draft))
    if draft.task == SUBSTITUTE:
        substitution(draft, errors)


def base_field(draft: Draft) -> None:
    """The searchable list of known superconductors, in which any other formula may be typed."""
    materials = lookup.known().materials
    labels = lookup.labels()
    key = shown("design.base", draft.base)
    st.selectbox(
        "Base material",
        list(materials),
        key=key,
        index=place(draft.base, list(materials)),
        format_func=lambda formula: labels.get(formula, formula),
        accept_new_options=True,
        on_change=changed,
        args=(key, drafts.with_base),
        help=f"{len(materials):,} known superconductors, the most reported first; or type any other formula.",
    )


def base_facts(draft: Draft) -> str:
    """The base as it was understood, and what is measured and predicted for it."""
    amounts = parse_formula(draft.base)
    total = sum(amounts.values())
    parts = "".join(f"<span><b>{symbol}</b> {amount / total:.3f}</span>" for symbol, amount in amounts.items())
    tc = lookup.predict(draft.models.tc, draft.base)
    energy = style.minus(f"{lookup.predict(draft.models.formation_energy, draft.base):.2f} eV")
    facts = (
        reported_fact(draft.base),
        style.fact(f"{TC} predicted", f"{tc:.1f} K", "by our model"),
        style.fact("<i>E</i><sub>f</sub> predicted", energy, "per atom"),
    )
    formula = style.formula_html(draft.base)
    return (
        f'<div class="facts"><div class="parsed">{formula}<div class="parts">{parts}</div></div>{"".join(facts)}</div>'
    )


def reported_fact(formula: str) -> str:
    """Tc as measured, and by how many."""
    found = lookup.reported(formula)
    if found is None:
        return style.fact(f"{TC} reported", "–", "not in our list of superconductors")
    kelvin, count = found
    return style.fact(f"{TC} reported", f"{kelvin:.1f} K", f"median of {count} reports" if count > 1 else "one report")


def substitution(draft: Draft, errors: Errors) -> None:
    """Which elements of the base are replaced, and by which oxidation states."""
    chosen = [site.element for site in draft.sites]
    which, state = st.columns([1, 1], gap="medium")
    with which:
        key = shown("design.replaced", chosen)
        st.pills("Elements to replace", list(draft.amounts), selection_mode="multi", key=key, default=chosen,
                 on_change=changed, args=(key, drafts.with_elements),
                 help="One, or several at once as long as the total charge is kept: in Ti2O4, two Ti +4 and one O −2 "
                      "by two atoms of +3 (KIAGO 3.5).")  # fmt: skip
    if len(draft.sites) == 1 and draft.sites[0].by is None and draft.sites[0].atoms is None:
        with state:
            state_field(draft, draft.sites[0], "By elements that can be")
    else:
        for site in draft.sites:
            site_fields(draft, site)
    style.show_errors(errors["sites"])


def state_field(draft: Draft, site: Site, label: str) -> None:
    """The oxidation state of an element in the base: those that balance it first, then its others, then all."""
    options = states_of(draft, site.element)
    key = shown(f"design.state.{site.element}", site.state)
    st.selectbox(
        label,
        options,
        key=key,
        index=place(site.state, options),
        format_func=lambda q: state_label(q, site.element, draft),
        placeholder="Choose an oxidation state",
        on_change=changed,
        args=(key, drafts.with_site, site.element, "state"),
    )


def site_fields(draft: Draft, site: Site) -> None:
    """One of several sites: what it is in the base, what comes in, and how many atoms of it."""
    own, by, atoms = st.columns([1.2, 1.2, 0.8], gap="medium")
    with own:
        state_field(draft, site, f"{site.element} is")
    with by:
        options = list(dict.fromkeys([site.state, *STATES, EMPTY]))
        value = site.replacement
        key = shown(f"design.by.{site.element}", value)
        st.selectbox(
            "replaced by elements that can be", options, key=key, index=place(value, options),
            format_func=lambda q: "nothing (left empty)" if q == EMPTY else incoming_label(q, site),
            on_change=changed, args=(key, drafts.with_site, site.element, "by"),
        )  # fmt: skip
    with atoms:
        value = float(site.atoms_in(draft.amounts))
        key = shown(f"design.atoms.{site.element}", value)
        st.number_input(f"atoms, of {draft.amounts[site.element]:g} {site.element}", value=value, step=1.0, format="%g",
                        key=key, on_change=changed, args=(key, drafts.with_site, site.element, "atoms"))  # fmt: skip


def incoming_label(state: int | None, site: Site) -> str:
    """An oxidation state that comes in."""
    if state is None:
        return "Choose an oxidation state"
    return f"{style.signed(state)} · the same" if state == site.state else style.signed(state)


def states_of(draft: Draft, symbol: str) -> list[int]:
    """Oxidation states to choose from: the proposed one, others that balance the base, others of the element, all."""
    proposed = proposed_state(draft.amounts, symbol)
    first = [] if proposed is None else [proposed]
    own = [q for q in elements.element(symbol).oxidation_states if q]
    return list(dict.fromkeys([*first, *drafts.possible_states(draft.amounts, symbol), *own, *STATES]))


def state_label(state: int, symbol: str, draft: Draft) -> str:
    """An oxidation state, and why one would choose it."""
    text = style.signed(state)
    if state == balancing_state(draft.amounts, symbol):
        return f"{text} · balances the base"
    if state in drafts.possible_states(draft.amounts, symbol):
        return f"{text} · balances it with unusual states of the others"
    if state in elements.element(symbol).oxidation_states:
        return f"{text} · known of {symbol}"
    return text


# ---- elements ----------------------------------------------------------------------------------------------------


def table() -> None:
    """The periodic table; what was clicked becomes the draft."""
    draft = session.draft()
    clicked = periodic_table(
        draft.table,
        counts=lookup.training_counts(),
        unavailable=unavailable(draft),
        can_substitute=list(draft.amounts) if draft.task == SUBSTITUTE else [],
        limits=rules.on_tiles(draft.floors if draft.task == RAISE_TC else {}, rules.read(draft.rules).bounds),
        key="design.table",
    )
    after = drafts.with_table(draft, clicked)
    session.keep(after)
    if after.table != clicked:  # a click had a consequence that the table must show
        st.rerun()


def unavailable(draft: Draft) -> dict[str, str]:
    """Elements that cannot be used whatever the user clicks, with the reason."""
    reasons = lookup.unavailable(draft.models.tc, draft.models.formation_energy)
    states = [site.replacement for site in draft.sites if site.replacement not in (None, EMPTY)]
    if draft.task == RAISE_TC or not states:
        return reasons
    charged = {*draft.amounts, *draft.table.fixed}.union(*map(takers, states))
    no_state = f"it cannot take the oxidation state {' or '.join(map(style.signed, dict.fromkeys(states)))}"
    return {s: no_state for s in elements.symbols() if s not in charged} | reasons


def preset_buttons(draft: Draft) -> None:
    """Groups of elements, forbidden or allowed with one click."""
    available = available_symbols(draft)
    groups = {p.label: p.symbols for p in presets.presets(lookup.unseen()) if p.symbols & available}
    wanted = st.session_state.setdefault(PRESETS_WANTED, set())
    lit = presets.lit(draft.table, groups, available, wanted)
    st.html('<span class="quiet">Leave out</span>', width="content")
    key = shown("design.presets", lit)
    st.pills("Leave out", list(groups), selection_mode="multi", key=key, default=lit, label_visibility="collapsed",
             on_change=presets_changed, args=(key, groups, lit))  # fmt: skip
    if draft.task == RAISE_TC:
        only_state_field([groups[name] for name in lit])
    st.button("", icon=":material/restart_alt:", type="tertiary", on_click=reset_table, key="design.reset",
              help="Reset, as at the first visit: noble gases and radioactive elements forbidden")  # fmt: skip


def only_state_field(left_out: list[frozenset[str]]) -> None:
    """Allow only elements that can have one oxidation state."""
    before = st.session_state.get(ONLY_STATE)
    key = shown("design.only_state", before)
    states = sorted({q for e in elements.all_elements() for q in e.oxidation_states if q})
    st.selectbox(
        "Only with oxidation state",
        states,
        index=place(before, states),
        key=key,
        format_func=lambda q: f"Only {style.signed(q)}",
        placeholder="Oxidation state",
        label_visibility="collapsed",
        on_change=only_state_changed,
        args=(key, before, left_out),
        width=148,
    )


def available_symbols(draft: Draft) -> set[str]:
    """Elements that all models know."""
    return set(elements.symbols()) - set(lookup.unavailable(draft.models.tc, draft.models.formation_energy))


@of_latest
def presets_changed(key: str, groups: dict[str, frozenset[str]], before: list[str]) -> None:
    """Callback: forbid what was switched on, allow what was switched off."""
    after = st.session_state[key]
    st.session_state[PRESETS_WANTED] = set(after)
    table = session.draft().table
    for name in set(after) - set(before):
        table = presets.keep_out(table, groups[name])
    for name in set(before) - set(after):
        table = presets.let_in(table, groups[name], [groups[other] for other in after])
    session.keep(replace(session.draft(), table=table))


@of_latest
def only_state_changed(key: str, before: int | None, left_out: list[frozenset[str]]) -> None:
    """Callback: allow again what the state before kept out, then forbid what has not the new one."""
    draft, state = session.draft(), st.session_state[key]
    table = presets.let_in(draft.table, presets.only_with_state(before), left_out)
    session.keep(replace(draft, table=presets.keep_out(table, presets.only_with_state(state))))
    st.session_state[ONLY_STATE] = state


@whole
def reset_table() -> None:
    """Callback: the table of a first visit, with the task's own fixed elements."""
    session.change(drafts.with_fresh_table)
    st.session_state[ONLY_STATE] = None
    st.session_state[PRESETS_WANTED] = set()


def floors(draft: Draft, errors: Errors) -> None:
    """Elements of which there must be at least so much."""
    wrong = errors["floors"]
    said = f":red[{len(wrong)} to correct]" if wrong else summary.fractions(draft.floors) or "none"
    with st.expander(f"At least · {said}", key="design.floors", icon=":material/vertical_align_bottom:"):
        options = sorted(available_symbols(draft) | set(draft.floors))  # "H" before "He"
        key = shown("design.floors_of", list(draft.floors))
        st.multiselect(
            "At least so much of", options, key=key, default=list(draft.floors),
            on_change=changed, args=(key, drafts.with_floors), **style.ELEMENT_CHOICE,
            help="An element with a floor has this fraction of all atoms and may have more (x_const of KIAGO eq. 3, "
                 "and allowed in M_elem). KIAGO 3.6 searches hydrides with at least 0.40 H. To fix an amount, click "
                 "the tile.",
        )  # fmt: skip
        columns = st.columns(max(4, len(draft.floors)))
        for column, (symbol, fraction) in zip(columns, draft.floors.items(), strict=False):
            key = shown(f"design.floor.{symbol}", float(fraction))
            column.number_input(
                f"{symbol}, fraction of all atoms", value=float(fraction), step=0.05, format="%.3f", key=key,
                on_change=changed, args=(key, drafts.with_floor, symbol),
            )  # fmt: skip
        style.show_errors(wrong)


def demands(draft: Draft, problem: DesignProblem, errors: Errors) -> None:
    """Bounds of elements, groups and ratios, as rows to fill in."""
    wrong = errors["bounds"] + errors["groups"] + errors["ratios"]
    said = f":red[{len(wrong)} to correct]" if wrong else rules.in_words(problem) or "none"
    with st.expander(f"Bounds, groups, ratios · {said}", key="design.demands", icon=":material/balance:"):
        st.html(
            '<p class="quiet">One element has bounds, several have them together, a ratio ties them to each other. '
            "Fractions are of all atoms. Every step of the optimiser and every formula keeps them exactly.</p>"
        )
        key, drawn = rules_drawn(draft)
        number = {"min_value": 0.0, "max_value": 1.0, "step": 0.01, "format": "%.3f"}
        st.data_editor(
            pd.DataFrame([asdict(rule) for rule in drawn], columns=list(RULE_COLUMNS)).astype(RULE_COLUMNS),
            key=key,
            num_rows="dynamic",
            hide_index=True,
            on_change=rules_changed,
            args=(key, drawn),
            column_config={
                "elements": st.column_config.TextColumn("Elements", help="O, or several: O, F, S"),
                "least": st.column_config.NumberColumn("At least", help="Fraction of all atoms; empty: 0", **number),
                "most": st.column_config.NumberColumn("At most", help="Fraction of all atoms; empty: 1", **number),
                "ratio": st.column_config.TextColumn("Ratio", help="2:1, in the order of the elements: Ba, Y"),
            },
        )
        style.show_errors(wrong)


def rules_drawn(draft: Draft) -> tuple[str, tuple[Rule, ...]]:
    """Key of the table of rules and the rows that it was drawn with.

    What somebody types stays in the table's own state, on top of these rows: a table drawn anew would lose what is
    being typed. Only if the draft says something else than both together, it is.
    """
    key, drawn = st.session_state.get(RULES_DRAWN, (None, ()))
    edits = st.session_state.get(key) if key else None
    if key != latest("design.rules") or (rules.edited(drawn, edits) if edits else drawn) != draft.rules:
        key, drawn = renewed("design.rules"), draft.rules
        st.session_state[RULES_DRAWN] = key, drawn
    return key, drawn


@of_latest
def rules_changed(key: str, before: tuple[Rule, ...]) -> None:
    """Callback of the table of rules: the rows as they were drawn, with what was done to them."""
    after = rules.edited(before, st.session_state[key])
    session.change(lambda draft: replace(draft, rules=after))


# ---- settings ----------------------------------------------------------------------------------------------------


def settings(draft: Draft, errors: Errors) -> None:
    """Every hyperparameter, with its unit and source."""
    names = {knob.name for _, group in knobs.GROUPS for knob in group} | OTHER_SETTINGS
    wrong = [name for name in names if errors[name]]
    preset = preset_of(draft.settings, draft.floors, draft.charge_rule)
    state = preset or "changed"
    label = f"Settings · :red[{len(wrong)} to correct]" if wrong else f"Settings · {state.lower()}"
    with st.expander(label, key="design.settings", icon=":material/tune:"):
        with st.container(horizontal=True, gap="large"):
            key = shown("design.preset", preset)
            st.segmented_control("Preset", list(PRESETS), key=key, default=preset, help=knobs.PRESETS_HELP,
                                 on_change=changed, args=(key, drafts.with_preset))  # fmt: skip
            method_field(draft, errors)
        columns = st.columns(len(knobs.GROUPS), gap="medium")
        for column, (title, group) in zip(columns, knobs.GROUPS, strict=True):
            with column:
                st.markdown(f"**{title}**")
                for knob in group:
                    if errors[knob.name] or not knob.hidden(draft.settings):
                        knob_field(draft, knob, errors)
                if title == "Formula":
                    charge_rule_field(draft, errors)
                    chance_and_speed(draft, errors)
                if title == "Objective":
                    models_field(draft)


def method_field(draft: Draft, errors: Errors) -> None:
    """The gradient, or the baseline that the paper measures it against."""
    key = shown("design.method", draft.method)
    st.segmented_control(
        "Method", list(METHODS), key=key, default=draft.method, format_func=METHODS.get, required=True,
        on_change=changed, args=(key, lambda d, m: replace(d, method=m)),
        help="KIAGO moves all candidates along the gradient of Tc and formation energy. C-ES, the baseline of "
             "KIAGO 3.1, replaces elements of the base at random by others of the same oxidation state, and moves "
             "nothing: to see what the gradient is worth.",
    )  # fmt: skip
    style.show_errors(errors["method"])


def charge_rule_field(draft: Draft, errors: Errors) -> None:
    """How the screen counts charges."""
    key = shown("design.charge_rule", draft.charge_rule)
    st.selectbox(
        "Oxidation states", list(CHARGE_RULES), key=key, index=place(draft.charge_rule, list(CHARGE_RULES)),
        format_func=CHARGE_RULES.get, on_change=changed, args=(key, lambda d, rule: replace(d, charge_rule=rule)),
        help="The screen for charge neutrality. One state per element, with the anions more electronegative than the "
             "cations (SMACT, KIAGO 3.1). Or every atom by itself, so that H may be +1 and −1 in one hydride, or Fe +2 "
             "and +3 in a doped compound; electronegativities are then not asked (KIAGO 3.6).",
    )  # fmt: skip
    style.show_errors(errors["charge_rule"])


def knob_field(draft: Draft, knob: Knob, errors: Errors) -> None:
    """One setting and what is wrong with it; what is wrong can be put right even where it does not matter."""
    value = knob.get(draft.settings)
    key = shown(f"design.{knob.key}", value)
    what = {
        "key": key,
        "help": knob.help,
        "on_change": changed,
        "args": (key, with_knob, knob),
        "disabled": not (knob.matters(draft.task, draft.method) or errors[knob.name]),
    }
    if knob.choices:
        choices = list(knob.choices)
        st.selectbox(knob.label, choices, index=place(value, choices), format_func=knob.choices.get, **what)
    else:
        st.number_input(knob.label, value=value, step=knob.step, format=knob.format, **what)
    if knob.index != 0:  # the message on a pair stands under its second number
        style.show_errors(errors[knob.name])


def with_knob(draft: Draft, knob: Knob, value: float | str) -> Draft:
    """The draft with one setting changed."""
    return replace(draft, settings=knob.put(draft.settings, value))


def chance_and_speed(draft: Draft, errors: Errors) -> None:
    """What decides chance and speed, not the objective."""
    key = shown("design.seed", draft.seed)
    st.number_input("Seed", value=draft.seed, step=1, key=key,
                    on_change=changed, args=(key, lambda d, v: replace(d, seed=v)),
                    help="The same problem with the same seed on the same device gives the same result.")  # fmt: skip
    style.show_errors(errors["seed"])
    key = shown("design.device", draft.device)
    options = list(dict.fromkeys((*lookup.devices(), draft.device)))
    st.selectbox("Device", options, index=place(draft.device, options), key=key, on_change=changed,
                 args=(key, lambda d, v: replace(d, device=v)),
                 help="Auto takes the GPU if there is one.")  # fmt: skip
    style.show_errors(errors["device"])
    key = shown("design.precision", draft.precision)
    st.selectbox("Precision", PRECISIONS, index=place(draft.precision, PRECISIONS), key=key, on_change=changed,
                 args=(key, lambda d, v: replace(d, precision=v)),
                 help="Of the steps, with the networks of the papers. Auto takes bfloat16, twice as fast, where the "
                      "processor has units for it. Every value in the results is float32.")  # fmt: skip
    style.show_errors(errors["precision"])


def models_field(draft: Draft) -> None:
    """Which networks predict: the best we have, or those of the papers."""
    names = {models: MODEL_NAMES[name] for name, models in MODELS.items()}
    names.setdefault(draft.models, f"{draft.models.tc}, {draft.models.formation_energy}")  # from a file
    key = shown("design.models", draft.models)
    st.selectbox("Models", list(names), index=place(draft.models, list(names)), key=key, format_func=names.get,
                 on_change=changed, args=(key, lambda d, m: replace(d, models=m)),
                 help="Tc and formation energy as in the papers (ResNet18, ElemNet), or by models that err less on "
                      "data they never saw: see the page Models.")  # fmt: skip


# ---- summary and run ---------------------------------------------------------------------------------------------


def overview(draft: Draft, problem: DesignProblem, errors: Errors) -> None:
    """The problem in words, and as vectors for those who want to see them."""
    st.subheader("This run", anchor=False)
    if errors["base"]:
        st.html('<p class="quiet">Once the base material can be read, the run is described here.</p>')
        return
    known = available_symbols(draft)
    unsaid = {what for what, fields in UNSAID.items() if any(errors[field] for field in fields)}
    if any(errors.values()):
        unsaid.add("Work")  # there is no run yet
    st.html(style.described([row for row in summary.in_words(problem, known) if row[0] not in unsaid]))
    with st.expander("As vectors", key="design.vectors"):
        st.html(f'<pre class="vectors">{summary.x_const(problem)}\n{summary.m_elem(problem, known)}</pre>')


def run_button(problem: DesignProblem, errors: Errors) -> None:
    """Start the run, or say why it cannot start."""
    wrong = [error for found in errors.values() for error in found]
    if st.button("Run", type="primary", icon=":material/play_arrow:", width="stretch", disabled=bool(wrong)):
        try:
            run = store.create(problem)
        except InputError as error:  # it became wrong since this page was drawn
            style.show_errors([error])
            return
        lookup.executor().submit(run)
        session.open_run(run.id, "run")
    if wrong:
        places = dict.fromkeys(PLACES.get(error.field, "Settings") for error in wrong)
        st.html(f'<p class="quiet">Please correct first: {", ".join(places)}.</p>')
        style.show_errors([error for error in wrong if PLACES.get(error.field, "Settings") in FOLDED])


page()
lookup.executor().prepare()  # while the user thinks
