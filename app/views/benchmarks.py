"""The papers' experiments made again: what is asked, our figures, the paper's figures. Shows what is committed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app import plots
from app.style import formula_text
from core.benchmarks.harness import Outcome, read
from core.paths import ASSETS
from core.predictors.checkpoint import CheckpointError, read_card
from core.problem.problem import MODELS

NEGATIVE = re.compile(r"(?<!\w)-(?=\d)")  # a minus, not a hyphen
FOLDER = ASSETS / "benchmarks"
VARIANTS = {"": "With our best models", "-published": "With the models of the paper, trained again"}
BOTH_IN_ONE = ("speed",)  # one table has both sets of models


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: its name on the command line, where it is printed, and what it asks."""

    name: str
    title: str
    printed: str
    protocol: str


KIAGO_PAPER = "KIAGO (Fujii *et al.*, [doi:10.1039/d5dd00250h](https://doi.org/10.1039/d5dd00250h))"
GDMCD_PAPER = "GDMCD (Fujii *et al.*, *Efficient exploration of high-Tc superconductors …*)"
BENCHMARKS = (
    Benchmark("table2", "Higher Tc from known superconductors", f"{KIAGO_PAPER}, table 2", """
KIAGO starts many candidates (4,096 in the paper) from each known superconductor and moves them for 1,000 steps. C-ES,
the baseline, draws as many by replacing elements of the same superconductor at random by others of the same oxidation
state, and moves nothing. All pass through the same screens. The figure is the mean predicted Tc of the best 30, less
that of the base.
The judge is another model and had no say in it: what it does not see of a gain is likely to be an error of the model
that was climbed."""),
    Benchmark("exploitation", "How much of the gain a judge sees", f"the bases of {KIAGO_PAPER}, table 2", """
The same runs by KIAGO: the gain of the best 30 as the model claims it that was climbed, as the judge sees it, and as
the other model of Tc sees it that could be chosen: for our best models the published network, ResNet18 on the picture
of the periodic table. The judge is more accurate than the network, but made of trees as our model is; the network
shares nothing with it but the data. The paper has no such figure."""),
    Benchmark("neutral", "Neutral by construction", f"the bases of {KIAGO_PAPER}, table 2", """
The same runs by KIAGO, whose compositions become formulas in two ways: rounded to the nearest one, as in the paper, or,
where that one fails charge neutrality or the Pauling test, to the best of its neighbours that pass both. The share is
of the distinct formulas."""),
    Benchmark("table1", "What whole numbers of atoms cost", f"{KIAGO_PAPER}, table 1", """
Candidates that were optimised without integers are made integer formulas of at most so many atoms, in two ways: by
stage 2, where the integer loss draws them to the grid while Tc is still watched, and by the rule of rounding each
ratio times the largest number of atoms. The figure is the mean change in Tc, so nearer to 0 (or above) is better. We
add two ways: stage 2 with steps that shrink to 0, and rounding to the nearest formula of any size up to the largest.
The paper does not name its 15 materials; ours are those of its tables 2 and 5."""),
    Benchmark("gdmcd-table2", "Whole numbers, with two elements exempt", f"{GDMCD_PAPER}, table 2", """
Known superconductors are optimised towards 300 K without integers and made formulas of exactly N atoms: by the rule of
rounding each ratio times N, by the integer loss, and by the integer loss with the two elements exempt that lie farthest
from the grid, which stay fractional as in doping. Mean change in Tc; nearer to 0 is better."""),
    Benchmark("table5-7", "One element substituted", f"{KIAGO_PAPER}, tables 5 to 7", """
One element of a known superconductor is replaced by any mixture of elements that can have its oxidation state; all else
is kept. A substitution succeeds if each element that is kept has its fraction within 1%, and the new ones together that
of the old one. KIAGO moves the mixture along the gradient, without whole numbers; C-ES draws it at random. The gain is
that of the best 30 that succeed and pass the screens."""),
    Benchmark("table8", "The best substitutions, and the best known ones", f"{KIAGO_PAPER}, table 8", """
The best proposal of the runs above, beside the known superconductor with the same substitution whose Tc our model
predicts highest: all else kept within 1%, something else in the place of the element. *Reported* is what was
measured."""),
    Benchmark("table9-10", "Hydrides", f"{KIAGO_PAPER}, tables 9 and 10", """
At least two atoms of hydrogen in five, at most three elements and 15 atoms; every atom may take its own oxidation
state. The figure is the mean predicted Tc of the best five, and the share of formulas that keeps to the conditions.
Here C-ES keeps the hydrogen of the base."""),
    Benchmark("figure3", "Where to start from", f"{KIAGO_PAPER}, figure 3", """
Stage 1 alone, slowly (learning rate 0.001), from LaNiAsO mutated and perturbed, and from mixtures of four random
elements. Lines are medians over the candidates, bands hold 90% of them."""),
    Benchmark("speed", "Speed", "the speed that a user meets; no paper has a figure of it", """
A candidate-step is one candidate moved by one step. *Plain* is the method as one would write it down: the networks as
they were trained, evaluated whole in one loop, in float32. *Ours* is what the app does with the same weights; where the
processor has units for bfloat16 it takes the steps of the papers' networks in it, and every value in the results is
predicted in float32 again. Both run in turn in one process, and the fastest of three repeats counts."""),
    Benchmark("time-to-quality", "Time to quality", "a plain run as in KIAGO 3.1, 4,096 candidates × 1,000 steps", """
How soon are thirty formulas as good as the best thirty of the plain run, by the objective that both climb? Ours works
in small rounds with a new seed each, and stops as soon as it is as good. Time spent on looking is not counted."""),
)  # fmt: skip

LABELS = {  # column -> (label, digits)
    "base": ("Base", None), "precision": ("Steps in", None), "method": ("Method", None), "start": ("Start", None),
    "step": ("Step", 0),
    "max_atoms": ("Atoms, at most", 0), "base_tc_K": ("Tc of the base (K)", 1),
    "seeds_with_result": ("Seeds with a result", 0), "gain_K": ("Gain (K)", 2), "gain_spread_K": ("± seeds (K)", 2),
    "gain_judge_K": ("Gain, judge (K)", 2), "gain_judge_spread_K": ("± judge (K)", 2),
    "passing": ("Passing", 0), "passing_share": ("Share passing", 2), "neutral_share": ("Share neutral", 2),
    "gain_other_K": ("Gain, other model (K)", 2), "gain_other_spread_K": ("± other (K)", 2),
    "share_unseen": ("Share not seen by the judge", 2), "paper_gain_K": ("Paper (K)", 2),
    "integer_loss_K": ("Integer loss (K)", 2), "integer_loss_spread_K": ("± seeds (K)", 2),
    "integer_loss_judge_K": ("Integer loss, judge (K)", 2), "shrinking_K": ("Shrinking steps (K)", 2),
    "shrinking_spread_K": ("± seeds (K)", 2), "shrinking_judge_K": ("Shrinking steps, judge (K)", 2),
    "rule_K": ("Rule (K)", 2),
    "rule_spread_K": ("± seeds (K)", 2), "rule_judge_K": ("Rule, judge (K)", 2), "nearest_K": ("Nearest (K)", 2),
    "nearest_spread_K": ("± seeds (K)", 2), "nearest_judge_K": ("Nearest, judge (K)", 2),
    "atoms": ("Atoms", 0), "rule_std_K": ("± candidates (K)", 1), "integer_loss_std_K": ("± candidates (K)", 1),
    "exempt_K": ("Two exempt (K)", 2), "exempt_spread_K": ("± seeds (K)", 2), "exempt_std_K": ("± candidates (K)", 1),
    "exempt_judge_K": ("Two exempt, judge (K)", 2), "paper_exempt_K": ("Two exempt, paper (K)", 2),
    "rounding": ("Rounding", None), "replaced": ("Replaced", None),
    "success": ("Success", 2), "neutral": ("Neutral", 2),
    "paper_success": ("Success, paper", 2), "paper_neutral": ("Neutral, paper", 2), "fulfils": ("Keeps to them", 2),
    "paper_fulfils": ("Keeps to them, paper", 2), "proposed": ("Proposed", None), "known": ("Best known", None),
    "paper_known": ("Best known, paper", None), "proposed_tc_K": ("Tc (K)", 1),
    "proposed_tc_judge_K": ("Tc, judge (K)", 1), "known_tc_K": ("Its Tc (K)", 1),
    "known_tc_judge_K": ("Its Tc, judge (K)", 1), "known_reported_tc_K": ("Its Tc, reported (K)", 1),
    "paper_proposed_tc_K": ("Tc proposed, paper (K)", 1), "paper_known_tc_K": ("Its Tc, paper (K)", 1),
    "tc_K": ("Tc of the best 5 (K)", 1), "tc_spread_K": ("± seeds (K)", 1), "tc_judge_K": ("… by the judge (K)", 1),
    "paper_tc_K": ("Paper (K)", 2),
    "models": ("Models", None), "candidates": ("Candidates", 0),
    "plain_candidate_steps_per_s": ("Plain (candidate-steps/s)", 0),
    "ours_candidate_steps_per_s": ("Ours (candidate-steps/s)", 0), "ratio": ("Times as fast", 1),
    "largest_tc_difference_mK": ("Largest difference in Tc (mK)", 3),
    "largest_energy_difference_meV_per_atom": ("… in Ef (meV/atom)", 4), "plain_peak_MB": ("Memory, plain (MB)", 0),
    "ours_peak_MB": ("Memory, ours (MB)", 0), "plain_s": ("Plain (s)", 0), "ours_s": ("Ours (s)", 0),
    "plain_objective_K": ("Objective, plain (K)", 1), "ours_objective_K": ("Objective, ours (K)", 1),
    "ours_rounds": ("Rounds", 0), "reached": ("As good", None),
    "paper_integer_loss_K": ("Integer loss, paper (K)", 2), "paper_rule_K": ("Rule, paper (K)", 2),
}  # fmt: skip
FORMULAS = ("base", "proposed", "known", "paper_known")


def page() -> None:
    """One section for each benchmark."""
    st.title("Benchmarks", anchor=False)
    st.markdown(
        "The papers' experiments, made again with the models of this app. Their Tc are predictions of their own model, "
        "so their kelvins and ours are not the same kelvins: what can be compared is which method is ahead, and by "
        "how much of the whole."
    )
    for benchmark in BENCHMARKS:
        st.divider()
        section(benchmark)


def section(benchmark: Benchmark) -> None:
    """What it asks, and what came out with each set of models; or how to make it."""
    st.subheader(benchmark.title, anchor=False)
    st.caption(f"After {benchmark.printed}")
    st.markdown(benchmark.protocol.strip())
    found = {label: read(benchmark.name + ending, FOLDER) for ending, label in VARIANTS.items()}
    there = {label: outcome for label, outcome in found.items() if outcome is not None}
    if not there:
        st.info(
            f"There are no results of this one. `python -m core benchmark {benchmark.name}` makes them; at the "
            "paper's size that takes many hours on a processor, less on a GPU.", icon=":material/info:",
        )  # fmt: skip
    for place, (label, outcome) in enumerate(there.items()):
        with st.container(key=f"{benchmark.name}-{place}"):
            if benchmark.name not in BOTH_IN_ONE:
                st.markdown(f"**{label}**")
            results(f"{benchmark.name}-{place}", outcome)


def results(key: str, outcome: Outcome) -> None:
    """Sentences, plot, table, and how they were made."""
    st.markdown("\n".join(f"- {NEGATIVE.sub('−', sentence)}" for sentence in outcome.sentences))
    st.plotly_chart(plots.stored_figure(outcome.figure), key=f"plot-{key}", config=plots.CHART_CONFIG)
    with st.expander("All figures"):
        table(outcome.table)
    st.caption(how(outcome.about))
    changed = outdated(outcome.about)
    if changed:
        st.caption(f":orange[Made with other weights of {', '.join(changed)} than those that are here now.]")


def table(figures: pd.DataFrame) -> None:
    """The figures with readable headings; columns that are empty are left out."""
    shown = figures.dropna(axis=1, how="all")
    for name in set(FORMULAS) & set(shown):
        shown = shown.assign(**{name: shown[name].map(formula_text, na_action="ignore")})
    config = {}
    for name in shown:
        label, digits = LABELS.get(name, (name, 2))
        number = pd.api.types.is_numeric_dtype(shown[name]) and digits is not None
        config[name] = (
            st.column_config.NumberColumn(label, format=f"%.{digits}f")
            if number
            else st.column_config.TextColumn(label)
        )
    st.dataframe(shown, hide_index=True, column_config=config)


def how(about: dict) -> str:
    """Size and models of a benchmark, in a line."""
    steps = " + ".join(f"{n:,}" for n in about.get("steps", ()))
    parts = [
        f"{about['candidates']:,} candidates" if "candidates" in about else "",
        f"{steps} steps" if steps else "",
        ("one seed" if about["seeds"] == 1 else f"{about['seeds']} seeds") if "seeds" in about else "",
        f"κ = {about['caution']:g}" if about.get("caution") else "",
        f"on {about['device']}" if about.get("device", "auto") != "auto" else "",
        f"{about['threads']} threads" if "threads" in about else "",
        f"processor: {about['processor']}" if "processor" in about else "",
    ]
    models = MODELS[about["predictor"]] if about.get("predictor") in MODELS else None
    if models:
        parts.append(f"models {models.tc} and {models.formation_energy}")
    return " · ".join(part for part in parts if part)


def outdated(about: dict) -> list[str]:
    """Names of the checkpoints that are others now than those that the figures were made with."""
    return [name for name, sha256 in about.get("checkpoints", {}).items() if current(name) != sha256]


def current(name: str) -> str | None:
    """Checksum of a checkpoint as it is now; None if it is gone."""
    try:
        return read_card(name)["sha256"]
    except CheckpointError:
        return None


page()
