"""SuperDiff's own figures: samples of each class without a base, beside those that the authors report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome
from core.benchmarks.paper import SUPERDIFF, rows
from core.chemistry import elements
from core.chemistry.composition import compositions
from core.generation.diffusion.settings import MOST_ELEMENTS, UNCONDITIONED
from core.generation.diffusion.settings import SUPERDIFF as RULE
from core.problem.problem import DesignProblem
from core.reference_data.references import load_references

SAME = 0.0005  # half of the third digit: largest difference in a fraction between two equal compositions
DECIMALS = 2  # of the amounts of the samples, to which those that were learned are rounded too
EXAMPLES = {"cuprate": "YBa2Cu3O7", "iron-based": "LaFeAsO", "other": "MgB2"}  # a problem needs a base


def claims(options: Options) -> Outcome:
    """Share that survives the filter; of these, distinct, charge neutral, novel and bound; mean and highest Tc.

    Bound and Tc are of the formulas whose elements the models know. Novel: neither learned by the network nor a known
    superconductor, see `known_compositions`.
    """
    lines = []
    for row in rows("superdiff"):
        posed = problem(row["class"], options)
        samples = diffusion.sampled(posed, options, (RULE,))[RULE]
        lines.append({"class": row["class"], **of_samples(samples, known_compositions(row["class"])), **_printed(row)})
    table = pd.DataFrame(lines)
    views = {"here": "survivors", "paper": "paper_survivors"}
    shown = pd.concat(
        table.assign(what=f"survive the filter, {view}", shown=table[name]) for view, name in views.items()
    )
    valid = {"here": "valid", "paper": "paper_valid"}
    shown = pd.concat(
        [shown, *(table.assign(what=f"neutral of these, {view}", shown=table[name]) for view, name in valid.items())]
    )
    figure = figures.bars(shown, "class", "shown", "what", "share")
    return Outcome(table, sentences(table), figure, diffusion.about_alone(options, EXAMPLES.values()))


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `claims`."""

    def shares(name: str) -> str:
        return " / ".join(f"{value:.0%}" for value in table[name])

    return (
        f"The filter leaves {shares('survivors')} of the samples ({' / '.join(table['class'])}); the authors' "
        f"{shares('paper_survivors')}.",
        f"Of these {shares('valid')} are charge neutral and pass the Pauling test; in the paper "
        f"{shares('paper_valid')}.",
        f"{shares('novel')} of the distinct formulas are new by fractions rounded to 3 digits, where the "
        "authors report 100% by comparing numbers of different precision.",
    )


def problem(of_class: str, options: Options) -> DesignProblem:
    """Samples of a class, with the authors' filter."""
    posed = diffusion.problem(EXAMPLES[of_class], SUPERDIFF, 0, options)
    own = {**posed.method_settings, "scale_factors": UNCONDITIONED, "formulas": RULE, "of_class": of_class}
    settings = replace(posed.settings, max_elements=MOST_ELEMENTS[of_class])
    return replace(posed, settings=settings, method_settings=own)


def known_compositions(of_class: str) -> np.ndarray:
    """The compositions (n, 118) that the network of a class has learned, and those of known superconductors.

    Raises InputError if the raw data are missing.
    """
    from core.training.data import data_folder
    from core.training.superdiff_data import read_amounts

    learnt = read_amounts(data_folder(), of_class).amounts.round(DECIMALS)
    fractions = np.zeros((len(learnt), elements.N_ELEMENTS))
    fractions[:, : learnt.shape[1]] = learnt / learnt.sum(1, keepdims=True)
    return np.concatenate([fractions, load_references().known_compositions])


def novel(compositions: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether compositions (n, 118) differ from all known ones (m, 118) by more than SAME in some fraction: (n,) bool.

    A distance instead of rounded fractions, which differ where two equal ones lie at either side of a limit.
    """
    return np.array([not (np.abs(known - each).max(1) <= SAME).any() for each in compositions], dtype=bool)


def of_samples(samples: diffusion.Samples, known: np.ndarray) -> dict:
    """Figures of the samples of one class; shares of the distinct formulas but for `survivors` and `distinct`."""
    table, survivors = samples.table, int(samples.table["times_found"].sum())
    line = {"samples": samples.samples, "survivors": survivors / samples.samples, "sampling_s": samples.seconds}
    if table.empty:
        return line | dict.fromkeys(("distinct", "valid", "novel", "bound", "tc_K", "highest_tc_K"), float("nan"))
    return line | {
        "distinct": len(table) / survivors,
        "valid": float((table["charge_neutral"] & table["pauling_ok"]).mean()),
        "novel": float(novel(compositions(table["formula"]), known).mean()),
        "bound": float((table["formation_energy_eV_per_atom"].dropna() < 0).mean()),
        "tc_K": float(table["tc_K"].mean()),
        "highest_tc_K": float(table["tc_K"].max()),
    }


def _printed(row: dict) -> dict:
    """The authors' figures; their share of distinct formulas is divided by the survivors, not by all samples."""
    return {
        "paper_survivors": row["survivors"] / row["samples"],
        "paper_distinct": 1 - row["repeats"] / row["survivors"],
        "paper_valid": row["valid"] / row["survivors"],
        "paper_novel": row["novel"],
        "paper_tc_K": row["tc_K"],
        "paper_highest_tc_K": row["highest_tc_K"],
    }
