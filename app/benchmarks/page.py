"""The benchmarks page: the experiments of the papers, repeated. It shows the results stored in the repository."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.benchmarks.columns import FORMULAS, LABELS
from app.benchmarks.protocols import BENCHMARKS, Benchmark
from app.charts import CHART_CONFIG, stored_figure
from app.text.formatting import formula_text
from core.benchmarks.harness import Outcome, read
from core.paths import ASSETS
from core.predictors.checkpoint import CheckpointError, read_card
from core.predictors.registry import MODELS

FOLDER = ASSETS / "benchmarks"
VARIANTS = {  # suffix of the stored files -> heading
    "": "With our best models",
    "-published": "With the models of the paper, retrained",
    "-2-per-element-set": "At most two formulas of the same elements",
    "-against-60-s": "Compared with a genetic search of 60 s",
}
BOTH_IN_ONE = ("speed", "gpu")  # benchmarks with both sets of models in one table
LINK = "query-params"
_MINUS = re.compile(r"(?<!\w)-(?=\d)")  # not a hyphen


def page() -> None:
    """Every benchmark in one table, and one of them in full."""
    st.title("Benchmarks", anchor=False)
    st.markdown(
        "The experiments of the papers, repeated with the models of this app. The papers' Tc are predictions of their "
        "own model, so their values in kelvin and ours cannot be compared directly: compare which method is ahead, and "
        "by what share of the total."
    )
    stored = {benchmark.name: outcomes_of(benchmark) for benchmark in BENCHMARKS}
    st.dataframe(
        overview(stored), hide_index=True, height="content", alt="All benchmarks, with their first conclusion",
        column_config={"Benchmark": st.column_config.TextColumn(width=290)},
    )  # fmt: skip
    # One section at a time: a reader looks for one benchmark, and all charts together take a second to draw.
    titles = {benchmark.name: benchmark.title for benchmark in BENCHMARKS}
    first = next((name for name, outcomes in stored.items() if outcomes), next(iter(titles)))
    chosen = st.pills("Benchmark in full", list(titles), key="benchmark", default=first, required=True,
                      format_func=lambda name: titles.get(name, name), bind=LINK)  # fmt: skip
    section(next(each for each in BENCHMARKS if each.name == chosen), stored[chosen])


def outcomes_of(benchmark: Benchmark) -> dict[str, Outcome]:
    """Heading -> stored outcome, for each set of models that has one."""
    found = {heading: read(benchmark.name + suffix, FOLDER) for suffix, heading in VARIANTS.items()}
    return {heading: outcome for heading, outcome in found.items() if outcome is not None}


def overview(stored: Mapping[str, Mapping[str, Outcome]]) -> pd.DataFrame:
    """One row for each benchmark: its title, and the first conclusion of its first outcome."""
    first = {name: next(iter(outcomes.values())).sentences[0] for name, outcomes in stored.items() if outcomes}
    return pd.DataFrame(
        {
            "Benchmark": [benchmark.title for benchmark in BENCHMARKS],
            "First conclusion": [_MINUS.sub("−", first.get(each.name, "no results yet")) for each in BENCHMARKS],
        }
    )


def section(benchmark: Benchmark, outcomes: Mapping[str, Outcome]) -> None:
    """The protocol, and the results for each set of models; without results, the command that computes them."""
    st.header(benchmark.title, anchor=False)
    st.caption(f"Source: {benchmark.source}" if benchmark.source else "Not in the papers")
    st.markdown(benchmark.protocol.strip())
    if not outcomes:
        st.info(
            f"There are no results of this benchmark. `python -m core benchmark {benchmark.name}` computes them; at "
            "the size of the paper this takes many hours on a CPU, less on a GPU.", icon=":material/info:",
        )  # fmt: skip
    variants = st.container(key=f"variants-{benchmark.name}")  # side by side on a wide screen
    for place, (heading, outcome) in enumerate(outcomes.items()):
        key = f"{benchmark.name}-{place}"
        with variants.container(key=key):
            if benchmark.name not in BOTH_IN_ONE:
                st.markdown(f"**{heading}**")
            title = benchmark.title if benchmark.name in BOTH_IN_ONE else f"{benchmark.title}: {heading}"
            results(key, title, outcome)


def results(key: str, title: str, outcome: Outcome) -> None:
    """Sentences, figure, table, and the conditions. title : of the benchmark, with what varies if it has variants"""
    st.markdown("\n".join(f"- {_MINUS.sub('−', sentence)}" for sentence in outcome.sentences))
    st.plotly_chart(stored_figure(outcome.figure), key=f"plot-{key}", config=CHART_CONFIG, alt=title)
    all_values(key, outcome.table)
    st.caption(conditions_text(outcome.about))
    if changed := changed_checkpoints(outcome.about):
        st.caption(f":orange[Computed with other weights of {', '.join(changed)} than those installed now.]")


@st.fragment
def all_values(key: str, values: pd.DataFrame) -> None:
    """The table, drawn when it is opened."""
    box = st.expander("All values", key=f"values-{key}", on_change="rerun")
    if box.open:
        with box:
            table(values)


def table(values: pd.DataFrame) -> None:
    """The values with readable headings, without empty columns."""
    shown = values.dropna(axis=1, how="all")
    for name in set(FORMULAS) & set(shown):
        shown = shown.assign(**{name: shown[name].map(formula_text, na_action="ignore")})
    config = {}
    for name in shown:
        label, digits = LABELS.get(name, (name, 2))
        is_number = pd.api.types.is_numeric_dtype(shown[name]) and digits is not None
        config[name] = (
            st.column_config.NumberColumn(label, format=f"%.{digits}f")
            if is_number
            else st.column_config.TextColumn(label)
        )
    st.dataframe(shown, hide_index=True, column_config=config)


def conditions_text(about: Mapping) -> str:
    """Size and models of a benchmark in one line."""
    steps = " + ".join(f"{n:,}" for n in about.get("steps", ()))
    parts = [
        f"{about['candidates']:,} candidates" if "candidates" in about else "",
        f"{steps} steps" if steps else "",
        ("one seed" if about["seeds"] == 1 else f"{about['seeds']} seeds") if "seeds" in about else "",
        "SuperDiff: {candidates:,} samples, {steps} steps".format(**about["diffusion"]) if "diffusion" in about else "",
        f"κ = {about['risk_aversion']:g}" if about.get("risk_aversion") else "",
        f"on {about['device']}" if about.get("device", "auto") != "auto" else "",
        f"{about['threads']} threads" if "threads" in about else "",
        f"processor: {about['processor']}" if "processor" in about else "",
        f"card: {about['card']['name']}" if "card" in about else "",
        about.get("note", ""),
    ]
    models = MODELS[about["predictor"]] if about.get("predictor") in MODELS else None
    if models:
        parts.append(f"models {models.tc} and {models.formation_energy}")
    return " · ".join(part for part in parts if part)


def changed_checkpoints(about: Mapping) -> list[str]:
    """Names of the checkpoints that have changed since the benchmark was computed."""
    return [name for name, sha256 in about.get("checkpoints", {}).items() if _current_checksum(name) != sha256]


def _current_checksum(name: str) -> str | None:
    """None if the checkpoint is not installed."""
    try:
        return read_card(name)["sha256"]
    except CheckpointError:
        return None
