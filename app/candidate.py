"""One candidate in detail, beside the scatter of the results page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pandas as pd
import streamlit as st

from app import lookup, pieces, plots, session
from app.style import formula_html, signed
from core.chemistry.composition import composition_vector, formula_of, whole_counts
from core.chemistry.elements import N_ELEMENTS, element
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import SAME_COMPOSITION
from core.predictors.checkpoint import CheckpointError, read_card
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, ONE_STATE, SUBSTITUTION
from core.runs.run import Run
from core.screening.charge_neutrality import ChargeBalance, charge_balance
from core.screening.registry import find_screen

ON_THE_HULL = 5e-4  # eV/atom; shown as 0.000
FAR_EXCHANGE = 0.1  # of the atoms, by rounding; from here on it is said
OFTEN_MADE = 0.067  # eV/atom; 90% of the known metastable phases are within it (10.1126/sciadv.1600225)

HULL_STD = "energy_above_hull_std_eV_per_atom"
CANCELLING = (
    " ± is the standard deviation to expect of the distance, from how much the models of the ensemble disagree about "
    "it: what they get wrong for the candidate and its competitors alike cancels."
)
RULES = {
    ONE_STATE: "One oxidation state per element (SMACT's smact14 set).",
    EVERY_ATOM: "Every atom may take any oxidation state of its element (smact14 set, KIAGO 3.6); no Pauling test.",
}


def panel(run: Run, problem: DesignProblem, row: pd.Series, summary: dict) -> None:
    """Everything known about the chosen candidate, in four tabs of about the scatter's height."""
    with st.container(border=True, key="candidate"):
        failed = find_screen(row["failed_screen"])
        verdict = f"fails: {failed.label.lower()}" if failed else "passes every screen"
        st.html(
            f'<h2 class="candidate-name">{formula_html(row["formula"])}</h2>'
            f'<p class="under">Rank {row["rank"]:,} · {verdict} · found {times(row["times_found"])}</p>'
        )
        overview_tab, charges_tab, stability_tab, course_tab = st.tabs(["Overview", "Charges", "Stability", "Course"])
        with overview_tab:
            overview(problem, row, summary)
        with charges_tab:
            charges(row, problem)
        with stability_tab:
            stability(row, problem)
        with course_tab:
            course(run, problem, row)


def times(count: int) -> str:
    """Once, twice, 5 times."""
    return {1: "once", 2: "twice"}.get(int(count), f"{count:,} times")


def overview(problem: DesignProblem, row: pd.Series, summary: dict) -> None:
    """Predictions before and after rounding, the nearest known, cautions, and what can be done with it."""
    st.html(predictions_html(row, summary))
    if pd.notna(row["tc_judge_K"]):
        st.html(judge_html(row, summary))
    if row["nearest_known"]:
        st.html(nearest_html(row))
    for text in cautions(row):
        st.html(f'<p class="caution">{text}</p>')
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use as new base", icon=":material/replay:", key="use_as_base"):
            session.use_as_base(row["formula"], problem)
        st.code(row["formula"], language=None, width="content")


def predictions_html(row: pd.Series, summary: dict) -> str:
    """Tc and formation energy of base, composition as optimised, and integer formula."""
    base, number = summary["base"], pieces.signed_number
    tc, energy = "tc_before_rounding_K", "formation_energy_before_rounding_eV_per_atom"
    of_formula = (
        f"{row['tc_K']:.1f}{deviation(row['tc_std_K'], 1)}",
        number(row["formation_energy_eV_per_atom"], 3) + deviation(row["formation_energy_std_eV_per_atom"], 3),
    )
    lines = (
        ("Base", f"{base['tc_K']:.1f}", number(base["formation_energy_eV_per_atom"], 3)),
        ("Before rounding", f"{row[tc]:.1f}", number(row[energy], 3)),
        ("This formula", *of_formula),
    )
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line)}</tr>" for line in lines)
    head = "<th>Predicted</th><th>Tc (K)</th><th>Ef (eV/atom)</th>"
    return f'<table class="plain last"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def deviation(std: float, digits: int) -> str:
    """The standard deviation to expect, if the model can say: " ± 12.1"."""
    return "" if pd.isna(std) else f" ± {std:.{digits}f}"


def judge_html(row: pd.Series, summary: dict) -> str:
    """What the judge says, and how much of the gain it sees."""
    base = summary["base"]
    claimed, judged = row["tc_K"] - base["tc_K"], row["tc_judge_K"] - base["tc_judge_K"]
    number = pieces.signed_number
    return (
        f"<p>The judge, a model that the optimiser never sees: {row['tc_judge_K']:.1f} K, a gain of "
        f"{number(judged, 1)} K where {number(claimed, 1)} K is predicted.</p>"
    )


def nearest_html(row: pd.Series) -> str:
    """The nearest known superconductor in a sentence."""
    name = formula_html(row["nearest_known"])
    if row["known"]:
        return f"<p>Known: {name}, reported Tc {row['nearest_known_tc_K']:.1f} K.</p>"
    return (
        f"<p>Not in our list of superconductors. The nearest: {name}, Tc {row['nearest_known_tc_K']:.1f} K, "
        f"at a distance of {row['distance_to_known']:.2f}.</p>"
    )


def cautions(row: pd.Series) -> list[str]:
    """What a reader of these numbers should not overlook."""
    said = []
    if row["hydrogen_rich"]:
        said.append("Rich in hydrogen: the high Tc that the model knows of such hydrides were measured under very high "
                    "pressure. Do not read this one as a Tc at ambient pressure.")  # fmt: skip
    if row["rounding_distance"] > FAR_EXCHANGE:
        said.append(f"Rounding exchanged {row['rounding_distance']:.0%} of the atoms: this is a relative of the "
                    "composition that was optimised.")  # fmt: skip
    if pd.notna(row["extrapolating"]) and row["extrapolating"]:
        said.append("Farther from all compounds that Tc was learnt from than 95 in 100 compounds of new chemical "
                    "systems are: this Tc is a guess.")  # fmt: skip
    elif row["nearest_known"] and not row["known"]:
        said.append("Tc of a new composition is extrapolated, and the optimiser looks for what this model overrates.")
    return said


def charges(row: pd.Series, problem: DesignProblem) -> None:
    """The balance of charges, or why there is none."""
    balance = balance_of(row["formula"], problem.charge_rule)
    if balance.oxidation_states:
        if "." in row["formula"]:
            cell = formula_of(whole_counts(parse_formula(row["formula"])))
            st.html(f"<p>Counted in {formula_html(cell)}, the smallest cell with whole atoms.</p>")
        st.html(pieces.charges_html(balance.oxidation_states, balance.atoms))
        if unusual := unusual_text(balance.oxidation_states):
            st.html(f'<p class="caution">{unusual}</p>')
        st.caption(RULES[problem.charge_rule] + ("" if balance.pauling_ok else f" But: {balance.reason}."))
    else:
        st.html(f"<p>{balance.reason[:1].upper()}{balance.reason[1:]}.</p>")


def unusual_text(states: Iterable[tuple[str, int]]) -> str:
    """What a chemist would object to in a balance of (symbol, oxidation state); empty if nothing."""
    found = []
    for symbol, state in states:
        usual = element(symbol).usual_oxidation_states
        if usual and state not in usual:
            found.append(f"{symbol} {signed(state)} (usually {' or '.join(map(signed, usual))})")
    if not found:
        return ""
    return (
        f"Unusual: {', '.join(found)}. The screen of the papers allows it, few compounds have it: doubt this "
        "balance, or think of an element in two oxidation states at once."
    )


@cache
def balance_of(formula: str, rule: str) -> ChargeBalance:
    """The charge balance of the smallest cell of a formula that has whole atoms."""
    amounts = parse_formula(formula)
    counts = whole_counts(amounts)
    cell = (composition_vector(counts) * sum(counts.values())).round().reshape(1, N_ELEMENTS)
    return charge_balance(cell, rule, [sum(counts.values()) / sum(amounts.values())])[0]


def stability(row: pd.Series, problem: DesignProblem) -> None:
    """Energy above hull, what it means, and what competes."""
    above = row["energy_above_hull_eV_per_atom"]
    if pd.isna(above):
        st.caption("Only formulas that pass every screen are placed on the hull.")
        return
    st.html(f"{above_html(row)}<p>{meaning(row)}</p>")
    st.html(pieces.phases_html(pieces.phases_of(row["decomposition"])))
    error = typical_error(problem.formation_energy_predictor)
    st.caption(
        "Competing phases with their share of the atoms, at 0 K. All energies come from a model that sees only "
        f"the composition{f', with a mean error of {error:.2f} eV/atom' if error else ''}."
        f"{'' if pd.isna(row[HULL_STD]) else CANCELLING}"
    )


def above_html(row: pd.Series) -> str:
    """The energy above hull, with what it may be off by if the model can say."""
    above = pieces.signed_number(row["energy_above_hull_eV_per_atom"], 3)
    return f'<p><b class="big">{above}{deviation(row[HULL_STD], 3)} eV/atom</b> above the hull</p>'


def meaning(row: pd.Series) -> str:
    """An energy above hull in words."""
    above = row["energy_above_hull_eV_per_atom"]
    if abs(above) < ON_THE_HULL:
        phases = pieces.phases_of(row["decomposition"])
        if len(phases) == 1 and same_composition(phases[0][0], row["formula"]):
            return "On the hull, and known: this composition is itself one of the reference phases."
        return "On the hull: by the model it is as stable as a mixture of these phases."
    if -row[HULL_STD] < above < 0:
        return "On the hull, as far as the model can tell: the distance is smaller than what it may be off by."
    if above < 0:
        return ("Below the hull: by the model it is more stable than every mixture of these phases. "
                "That is either a new stable phase or an error of the model.")  # fmt: skip
    if above <= OFTEN_MADE:
        return "Near the hull: nine in ten of the metastable compounds that have been made are within 0.067 eV/atom."
    return "It gains energy by decomposing into these phases; the farther above the hull, the harder to make."


def same_composition(one: str, other: str) -> bool:
    """Whether two formulas have the same fractions."""
    a, b = (composition_vector(parse_formula(formula)) for formula in (one, other))
    return bool(abs(a - b).max() < SAME_COMPOSITION)


@cache
def typical_error(predictor: str) -> float | None:
    """Mean absolute error of the formation energies on held-out data, from the card; None if it does not say."""
    try:
        return read_card(predictor).get("metrics_held_out", {}).get("formation_energy_mae_eV_per_atom")
    except CheckpointError:
        return None


def course(run: Run, problem: DesignProblem, row: pd.Series) -> None:
    """How this candidate moved during the run."""
    trajectory = run.trajectory(int(row["candidate"]))
    trajectory = plots.averaged(trajectory, lookup.turns(problem.tc_predictor, problem.formation_energy_predictor))
    if trajectory.empty:
        st.caption("The course of this run was not recorded.")
        return
    if problem.method == SUBSTITUTION:
        st.caption("It was drawn at random and stayed where it is.")
        return
    for quantity in plots.QUANTITIES:
        figure = plots.trajectory_figure(trajectory, quantity, problem.settings.steps, height=150)
        st.plotly_chart(figure, key=f"course-{quantity}", config=plots.CHART_CONFIG)
