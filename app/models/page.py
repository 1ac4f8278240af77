"""The models page: what each model is, its training data, its held-out errors, and the limits of its numbers."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import blocks
from app.charts import CHART_CONFIG
from app.models.card_text import (
    BY_PART,
    SYSTEMS,
    file_rows,
    group_row,
    group_tables,
    intervals,
    intervals_before,
    metric_text,
    metrics_of,
    new_systems_text,
    samples_text,
    value_text,
    with_links,
)
from app.models.charts import errors_figure, reliability_figure
from app.models.descriptions import LIMITS, NAMES
from app.models.known import known_compounds
from core.paths import CHECKPOINTS
from core.predictors.checkpoint import CheckpointError, read_card

LINK = "query-params"  # the chosen model is in the link
MOST_METRICS = 4  # in large type
COUNTS = ("n", "n_superconductors", "n_cod", "formulas", "metals")  # metrics that are no errors
# Groups of held-out metrics that are drawn: key -> (heading, metric, title of the axis).
DRAWN = {
    "by_distance_to_training": ("Error by distance to the training data", "tc_mae_K", "MAE (K)"),
    "by_family": ("Error by family", "tc_mae_K", "MAE (K)"),
    "by_number_of_elements": ("Error by number of elements", "formation_energy_mae_eV_per_atom", "MAE (eV/atom)"),
}


def page() -> None:
    """Every model in one table; one of them in full; predictions for well-known compounds."""
    st.title("Models", anchor=False)
    st.markdown(
        "All numbers in Tc Studio are predictions of the models below. They rank ideas; they do not replace a "
        "calculation or an experiment."
    )
    cards = stored_cards()
    if not cards:
        st.error("There are no models in checkpoints/. Restore them from the repository.", icon=":material/error:")
        return
    st.dataframe(
        overview(cards), hide_index=True, height="content", alt="All models, with their main figure on held-out data"
    )
    # One section at a time: a reader looks for one model, and all charts together take more than a second to draw.
    chosen = st.pills(
        "Model in full",
        list(cards),
        key="model",
        default=next(iter(cards)),
        required=True,
        format_func=lambda name: NAMES.get(name, name),
        bind=LINK,
    )
    card = cards[chosen]
    if isinstance(card, CheckpointError):
        blocks.error(str(card))
    else:
        section(chosen, card)
    known_compounds()


def stored_cards() -> dict[str, Mapping | CheckpointError]:
    """The card of each model in checkpoints/, or the error of reading it, in the order of `NAMES`."""
    order = list(NAMES)
    names = sorted(
        (path.stem for path in CHECKPOINTS.glob("*.json")),
        key=lambda name: (order.index(name) if name in order else len(order), name),
    )
    cards: dict[str, Mapping | CheckpointError] = {}
    for name in names:
        try:
            cards[name] = read_card(name, CHECKPOINTS)
        except CheckpointError as error:
            cards[name] = error
    return cards


def overview(cards: Mapping[str, Mapping | CheckpointError]) -> pd.DataFrame:
    """One row for each model: its name, what it predicts, its first error on held-out data, the date of its weights."""
    rows = []
    for name, card in cards.items():
        if isinstance(card, CheckpointError):
            rows.append({"Model": NAMES.get(name, name), "Predicts": "The file is damaged."})
            continue
        errors = [
            metric_text(key, value)
            for key, value in metrics_of(card).items()
            if isinstance(value, int | float) and key not in COUNTS
        ]
        rows.append(
            {
                "Model": NAMES.get(name, name),
                "Predicts": card.get("what") or f"Architecture: {card.get('architecture', 'not stated')}",
                "On held-out data": " ".join(errors[0]) if errors else "",
                "Date": card.get("date") or "",
            }
        )
    return pd.DataFrame(rows)


def section(name: str, card: Mapping) -> None:
    """One model: description, metrics, data, limits."""
    metrics = metrics_of(card)
    st.header(NAMES.get(name, name), anchor=False)
    st.markdown(card.get("what") or f"Architecture: {card.get('architecture', 'not stated')}")
    if card.get("interim"):
        st.warning("These weights are interim: the training is not finished.", icon=":material/hourglass_empty:")
    headline(metrics)
    if text := samples_text(card.get("samples") or {}):
        st.caption(text)
    if SYSTEMS in metrics:
        st.markdown(new_systems_text(metrics))
    pictures(name, metrics)
    groups(name, metrics)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Data**")
        st.markdown("\n".join(f"- {with_links(text)}" for text in (card.get("data") or {}).values()) or "Not stated.")
        for paper in card.get("papers") or []:
            st.caption(with_links(paper))
    with right:
        if name in LIMITS:
            st.markdown("**Limits**")
            st.markdown(LIMITS[name])
    details(name, card)


def headline(metrics: Mapping) -> None:
    """The first metrics in large type, the others in one line."""
    if not metrics:
        st.caption("No metrics on held-out data.")
        return
    items = [metric_text(key, value) for key, value in metrics.items() if isinstance(value, int | float)]
    for cell, (label, value) in zip(st.columns(MOST_METRICS), items, strict=False):
        cell.metric(label, value)
    if len(items) > MOST_METRICS:
        st.caption(" · ".join(f"{label}: {value}" for label, value in items[MOST_METRICS:]))
    st.caption("On held-out data: compositions that were not used in training.")


def pictures(name: str, metrics: Mapping) -> None:
    """Errors by group, and the coverage of the expected errors."""
    drawn = [
        (heading, errors_figure({group: values[metric] for group, values in metrics[key].items()}, axis))
        for key, (heading, metric, axis) in DRAWN.items()
        if key in metrics
    ]
    if inside := intervals(metrics):
        drawn.append(("Reliability of the expected errors", reliability_figure(inside)))
    if (BY_PART in metrics or SYSTEMS in metrics) and (before := intervals_before(name)):
        drawn.append(("Reliability before", reliability_figure(before)))
    for first in range(0, len(drawn), 2):
        for column, (heading, figure) in zip(st.columns(2), drawn[first : first + 2], strict=False):
            column.markdown(f"**{heading}**")
            text = f"{heading}: {NAMES.get(name, name)}"
            column.plotly_chart(figure, key=f"{name}: {heading}", config=CHART_CONFIG, alt=text)


@st.fragment
def groups(name: str, metrics: Mapping) -> None:
    """The metrics by group, one table for each way of grouping, drawn when they are opened."""
    tables = group_tables(metrics)
    if not tables:
        return
    box = st.expander("Errors by group", key=f"groups-{name}", on_change="rerun")
    if not box.open:
        return
    with box:
        for key, rows in tables.items():
            st.markdown(f"**{metric_text(key, 0)[0]}**")
            st.table(pd.DataFrame([group_row(*row) for row in rows.items()]).set_index(" "), border="horizontal")


@st.fragment
def details(name: str, card: Mapping) -> None:
    """Cleaning, split, settings and checksum, drawn when they are opened."""
    box = st.expander("Cleaning, split, settings, checksum", key=f"details-{name}", on_change="rerun")
    if not box.open:
        return
    with box:
        left, right = st.columns(2, gap="large")
        with left:
            listing("Cleaning", card.get("cleaning"))
            listing("Excluded as known errors", card.get("known_errors"))
        with right:
            listing("Split", card.get("split"))
            listing("Training", card.get("settings"))
            listing("Files", file_rows(card))


def listing(heading: str, pairs: Mapping | None) -> None:
    """Pairs as a plain table; nothing if there are none."""
    if not pairs:
        return
    st.markdown(f"**{heading}**")
    rows = [(str(key).replace("_", " "), value_text(value)) for key, value in pairs.items()]
    st.table(pd.DataFrame(rows, columns=["", " "]).set_index(""), border="horizontal")
