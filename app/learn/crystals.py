"""Diffusion of crystals and its guidance in five steps, with stored crystals on their way from noise."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import streamlit as st

from app.components.structure_viewer.component import structure_animation
from app.learn.show import presenting
from app.structures.listed import space_group_text
from app.text.formatting import formula_text, with_minus
from core.benchmarks.harness import read
from core.chemistry.structure import Structure
from core.paths import ASSETS
from core.structures.diffusion.blocks import unpacked

FOLDER = ASSETS / "benchmarks"
EXAMPLE = "crystal-example"
TEXT = """
1. **Noise.** A crystal is a lattice, the positions of its atoms in the cell, and their elements. Over many steps, noise
   is added to lattice and positions, and one element after the other is hidden, until nothing of the crystal is left.
2. **Learning.** A network in which every atom hears of every other learns, from known crystals, to tell the noise and
   the hidden elements at any of these steps.
3. **Making.** From pure noise, the network takes away a little noise at a time, and settles one element after the
   other. What is left is a crystal that nobody has drawn; most of such crystals are not new, or do not hold.
4. **Towards a Tc.** The network is trained on with the calculated Tc of some crystals as a further input. With a weight
   w the difference that the Tc makes is exaggerated: (1 + w) noise(Tc) − w noise(). At w = −1 the Tc plays no part.
5. **Screening.** Unique, new, relaxed by an interatomic potential, bound, a metal, Tc by structure, near the hull: few
   are left, and only a calculation of the phonons, then a furnace, decides about them.
"""
# As read from afar: the steps without their explanations.
HEADINGS = "\n".join(line.rpartition("**")[0] + "**" for line in TEXT.splitlines() if "**" in line)


def is_there(folder: Path = FOLDER) -> bool:
    """Whether the crystals are stored."""
    return (folder / f"{EXAMPLE}.csv").exists()


def crystals() -> None:
    """The section."""
    outcome = read(EXAMPLE, FOLDER)
    if outcome is None:
        st.info(f"The example is missing. `python -m core benchmark {EXAMPLE}` computes it.", icon=":material/info:")
        return
    table = outcome.table
    left, right = st.columns([1, 1.15], gap="large")
    with left:
        st.markdown(HEADINGS if presenting() else TEXT)
        weight = st.select_slider("Weight w of the Tc, here 10 K", sorted(table["weight"].unique()), value=2.0,
                                  key="learn_crystals_weight", format_func=lambda w: with_minus(f"{w:g}"))  # fmt: skip
        sample = st.select_slider("Crystal", list(table["sample"].unique()), key="learn_crystals_sample")
    way = table[(table["sample"] == sample) & (table["weight"] == weight)].sort_values("step")
    with right:
        _way(way)
    st.caption(
        "The same noise with every weight: what differs is the guidance. An "
        "atom whose element is not settled has the likeliest one. As made, not relaxed. " + outcome.sentences[0]
    )


def _way(way: pd.DataFrame) -> None:
    """One crystal on its way, and what it becomes."""
    last = way.iloc[-1]
    cells = st.columns(3)
    cells[0].metric("Crystal", formula_text(last["formula"]))
    cells[1].metric("Space group", space_group_text(int(last["space_group"])))
    cells[2].metric("Tc by structure (K)", f"{last['tc_K']:.1f}" if last["metal"] else "no metal")
    structure_animation(moments(way), f"{last['formula']} on its way from noise to a crystal",
                        f"{last['formula']}-way", "learn_crystals_way")  # fmt: skip


def moments(way: pd.DataFrame) -> list[tuple[str, Structure]]:
    """What is said of each moment, and its structure. way : rows of one crystal in the order of the steps"""
    end = way["step"].max()
    return [
        (f"Step {row['step']} of {end}: {row['formula']}", unpacked(json.loads(row["structure"])))
        for _, row in way.iterrows()
    ]
