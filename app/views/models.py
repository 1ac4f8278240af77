"""What the models are, what they were trained on, how good they are, and what their numbers are not."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import plots, style
from core.paths import CHECKPOINTS
from core.predictors.checkpoint import CheckpointError, read_card
from core.predictors.control_model import NAME as JUDGE
from core.problem.problem import BEST, PUBLISHED

ORDER = (BEST.tc, BEST.formation_energy, JUDGE, PUBLISHED.tc, PUBLISHED.formation_energy, "references")
NAMES = {
    BEST.tc: "Critical temperature",
    BEST.formation_energy: "Formation energy",
    JUDGE: "Judge",
    PUBLISHED.tc: "Critical temperature, as published",
    PUBLISHED.formation_energy: "Formation energy, as published",
    "references": "Reference tables",
}
UNITS = {"_eV_per_atom": " eV/atom", "_K": " K"}
WORDS = {"mae": "MAE", "r2": "R²", "tc": "Tc", "cod": "COD", "mp": "MP", "oqmd": "OQMD"}
COUNTS = {
    "n": "Held-out compositions",
    "n_superconductors": "Held-out superconductors",
    "n_cod": "Held-out COD compositions",
}
SYSTEMS, INTERVALS, BY_SPREAD = "systems_held_out", "inside_intervals", "by_spread"
SAID = ("50%", "90%")  # of the intervals
# What is drawn: figures by group -> (in words, which error, the same on the axis).
DRAWN = {
    "by_distance_to_training": ("Error by distance to the training data", "tc_mae_K", "MAE (K)"),
    "by_family": ("Error by family", "tc_mae_K", "MAE (K)"),
    "by_number_of_elements": ("Error by number of elements", "formation_energy_mae_eV_per_atom", "MAE (eV/atom)"),
}
MOST_METRICS = 4  # in large type
_TC_LIMITS = """
- **A composition has no structure.** Diamond and graphite are the same to this model, and so are all phases of one
  formula.
- **Tc of a new composition is extrapolation.** The figures on this page hold for compositions like those in the data.
  The optimiser leaves them on purpose, and looks for what this model overrates.
- **No pressure.** The high Tc of SuperCon's hydrides were measured under very high pressure; the model cannot tell.
- **“Not a superconductor” is an assumption.** Compounds of the COD count as 0 K, although most were never tested.
"""
_ENERGY_LIMITS = """
- **The data are calculated** (density-functional theory at 0 K), and the model adds its own error.
- **A composition has no structure:** the model learns the energy of the best known structure of each composition.
- **Elements that it does not know** cannot be used at all.
"""
LIMITS = {
    BEST.tc: _TC_LIMITS
    + """- **Near known superconductors it interpolates,** and follows their doping series. Away from them it carries
  over what such elements did elsewhere, and cannot promise much more than was ever seen.
- **A report that all others contradict counts little.** That keeps errors of the data out; a discovery that stands
  alone looks the same. Hydrides under pressure stay known, and hardly teach anything about other compounds.
""",
    BEST.formation_energy: _ENERGY_LIMITS,
    JUDGE: """
- **It is asked, never climbed.** The optimiser knows nothing of it; where it does not see the gain that was predicted,
  the gain is likely to be an error of the model that was climbed.
- **It learnt from the same measurements,** so it shares their errors and their gaps. It has trees too, though others:
  sharp ones, that see the fractions in another way.
""",
    PUBLISHED.tc: _TC_LIMITS,
    PUBLISHED.formation_energy: _ENERGY_LIMITS,
    "references": """
- **The hull has the energies of the model that is chosen**, so that candidates and competing phases err in the same
  way. Its distances are not those of the Materials Project.
- **The ± of a distance is an error to expect**, from how much the models of the ensemble disagree about the distance,
  where what is wrong with a candidate and its competitors alike cancels. It is fitted on half of the held-out
  compounds; the table holds it to the other half, beside the same from the formation energy alone. On these
  compounds, the two know about equally much.
- **The hull is only as complete as its phases.** An unknown competing phase makes a candidate look better than it
  is.
- **“New” means: not in this list.** It holds SuperCon and a few more, not the whole literature.
""",
}


def page() -> None:
    """One section for each card in checkpoints/."""
    st.title("Models", anchor=False)
    st.markdown(
        "All numbers in Tc Studio come from the models below. They rank ideas; they do not replace a calculation or an "
        "experiment."
    )
    names = sorted(
        (path.stem for path in CHECKPOINTS.glob("*.json")),
        key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name),
    )
    if not names:
        st.error("There is no model in checkpoints/. Restore it from the repository.", icon=":material/error:")
    for name in names:
        st.divider()
        try:
            section(name, read_card(name))
        except CheckpointError as error:
            st.error(str(error), icon=":material/error:")


def section(name: str, card: Mapping) -> None:
    """One model: what it is, figures, data, limits."""
    st.subheader(NAMES.get(name, name), anchor=False)
    st.markdown(card.get("what") or f"Architecture: {card.get('architecture', 'not stated')}")
    if card.get("interim"):
        st.warning("These weights are interim: the training is not finished.", icon=":material/hourglass_empty:")
    figures(card.get("metrics_held_out") or {})
    systems(card.get("metrics_held_out") or {})
    pictures(name, card.get("metrics_held_out") or {})
    groups(card.get("metrics_held_out") or {})
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Data**")
        st.markdown("\n".join(f"- {linked(text)}" for text in (card.get("data") or {}).values()) or "Not stated.")
        for paper in card.get("papers") or []:
            st.caption(linked(paper))
    with right:
        if name in LIMITS:
            st.markdown("**What its numbers are not**")
            st.markdown(LIMITS[name])
    details(card)


def figures(metrics: Mapping) -> None:
    """Held-out figures: the first few in large type, all others in a line."""
    if not metrics:
        st.caption("No held-out figures.")
        return
    items = [figure(key, value) for key, value in metrics.items() if isinstance(value, int | float)]
    for cell, (label, value) in zip(st.columns(MOST_METRICS), items, strict=False):
        cell.metric(label, value)
    if len(items) > MOST_METRICS:
        st.caption(" · ".join(f"{label}: {value}" for label, value in items[MOST_METRICS:]))
    st.caption("On held-out data: compositions that the training never saw.")


def groups(metrics: Mapping) -> None:
    """The held-out figures by group, a table for each way of grouping."""
    elsewhere = (SYSTEMS, INTERVALS)
    tables = {key: rows for key, rows in metrics.items() if key not in elsewhere and isinstance(rows, Mapping)}
    if not tables:
        return
    with st.expander("Where it errs, and by how much"):
        for key, rows in tables.items():
            st.markdown(f"**{figure(key, 0)[0]}**")
            st.table(pd.DataFrame([grouped(*row) for row in rows.items()]).set_index(" "), border="horizontal")


def systems(metrics: Mapping) -> None:
    """Figures on whole chemical systems that were held out: nearer to what a design asks."""
    if found := metrics.get(SYSTEMS):
        half, most = (found[INTERVALS][promised] for promised in ("50%", "90%"))
        ambient, near = found["without_hydrides_under_pressure"], metrics[INTERVALS]
        st.markdown(
            f"**On new chemical systems** ({found['folds']} folds, no compound of the same elements in training; the "
            f"regression alone): MAE {found['tc_mae_K']:.2f} K, R² {found['tc_r2']:.3f}; without "
            f"{found['n'] - ambient['n']} hydrides that were measured under a megabar R² {ambient['tc_r2']:.3f}. The "
            f"interval that it promises for half of the compounds holds {half:.0%} of them, that for nine in ten "
            f"{most:.0%}; of superconductors drawn at random, whose neighbours it knows, {near['50%']:.0%} and "
            f"{near['90%']:.0%}."
        )


def pictures(name: str, metrics: Mapping) -> None:
    """Errors against the distance to the training data, and how far the promised errors can be relied on."""
    inside = intervals(metrics)
    drawn = [
        (text, plots.errors_figure({group: figures[error] for group, figures in metrics[key].items()}, axis))
        for key, (text, error, axis) in DRAWN.items()
        if key in metrics
    ]
    if inside:
        drawn.append(("Can the errors that it expects be relied on?", plots.reliability_figure(inside)))
    for column, (text, figure) in zip(st.columns(max(len(drawn), 2)), drawn, strict=False):
        column.markdown(f"**{text}**")
        column.plotly_chart(figure, key=f"{name}: {text}", config=plots.CHART_CONFIG)


def intervals(metrics: Mapping) -> Mapping | None:
    """How many errors are inside the intervals promised: of new systems, of the whole, or of the first group."""
    groups = [metrics.get(SYSTEMS, {}), metrics, *metrics.get(BY_SPREAD, {}).values()]
    return next((group[INTERVALS] for group in groups if INTERVALS in group), None)


def grouped(name: str, figures: Mapping) -> dict[str, str]:
    """One row of a table by group."""
    labelled = [figure(key, value) for key, value in figures.items() if key != INTERVALS]
    labelled += [(f"In the {p} interval", f"{figures[INTERVALS][p]:.0%}") for p in SAID if INTERVALS in figures]
    return {" ": name} | {"Compositions" if label == COUNTS["n"] else label: value for label, value in labelled}


def figure(key: str, value: float) -> tuple[str, str]:
    """A metric's key and value -> label and value with its unit: tc_mae_K, 4.93 -> ("Tc MAE", "4.93 K")."""
    unit = ""
    for ending, written in UNITS.items():
        if re.search(rf"{ending}(_|$)", key) and not key.endswith("_with_cod"):
            unit, key = written, re.sub(rf"{ending}(?=_|$)", "", key, count=1)
            break
    label = COUNTS.get(key) or " ".join(WORDS.get(word, word) for word in key.split("_"))
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"
    return label[:1].upper() + label[1:], style.minus(shown) + unit


def linked(text: str) -> str:
    """Text with its DOIs as links."""
    return re.sub(r"doi:(10\.\S*[^\s.,;)])", r"[doi:\1](https://doi.org/\1)", str(text))


def details(card: Mapping) -> None:
    """Cleaning, split, settings and checksum, folded away."""
    with st.expander("Cleaning, split, settings, checksum"):
        left, right = st.columns(2, gap="large")
        with left:
            listing("Cleaning", card.get("cleaning"))
            listing("Left out as known errors", card.get("known_errors"))
        with right:
            listing("Split", card.get("split"))
            listing("Training", card.get("settings"))
            known = card.get("known_elements")
            about = {
                "architecture": card.get("architecture"),
                "knows": f"{len(known)} elements" if known else None,
                "networks begun with": ", ".join(card.get("networks_begun_with", ())) or None,
                "energies of the hull from": ", ".join(card.get("hull_predictors_sha256", ())) or None,
                "date": card.get("date"),
                "SHA-256": f"{card['sha256'][:16]}…" if card.get("sha256") else None,
            }
            listing("Files", {key: value for key, value in about.items() if value})


def listing(heading: str, pairs: Mapping | None) -> None:
    """Pairs as a plain table; nothing if there are none."""
    if not pairs:
        return
    st.markdown(f"**{heading}**")
    rows = [(str(key).replace("_", " "), written(value)) for key, value in pairs.items()]
    st.table(pd.DataFrame(rows, columns=["", " "]).set_index(""), border="horizontal")


def written(value: object) -> str:
    """Numbers with separators, lists with commas, settings within settings by their names."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "all"
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {written(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        return "; ".join(map(written, value))
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


page()
