"""Families left out of the training of the Tc model, one by one: is the model wrong without saying so?"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, cached
from core.paths import CHECKPOINTS
from core.predictors.interface import estimate_in_batches
from core.predictors.tc.ensemble import TcEnsemble
from core.training import data, metrics, tc
from core.training.families_held_out import FAMILIES, Family, fit_without, load
from core.training.tc_reliability import NOMINAL, HeldOut, intervals


def families(options: Options) -> Outcome:
    """For each of FAMILIES a fit without it, in about 4 minutes of a core; finished families are in the cache.

    bases of the options : names of families; empty: all. Raises InputError if the raw data are missing.
    """
    predictor, (tables, _) = load(options.models.tc, CHECKPOINTS), tc.read_tables(data.data_folder(), 0)
    chosen = [family for family in FAMILIES if not options.bases or family.name in options.bases]
    rows = []
    for family in chosen:
        name = family.name.replace(" ", "-").replace("%", "")

        def make(family: Family = family, name: str = name) -> dict:
            build = options.cache / "families" / name
            found = asdict(fit_without(family, tables, predictor, CHECKPOINTS, build))
            return {key: values.tolist() for key, values in found.items()}

        stored = cached(["families", family.name], options, make)
        rows.append(
            {"family": family.name, **described(HeldOut(**{k: np.array(v) for k, v in stored.items()}), predictor)}
        )
    table = pd.DataFrame(rows)
    figure = figures.bars(table.assign(method="here"), "family", "flagged_or_inside", "method", "flagged or inside")
    return Outcome(table, sentences(table, flagged_at_random(predictor, tables)), figure, options.about())


def described(members: HeldOut, predictor: TcEnsemble) -> dict[str, float]:
    """Errors of the members of a family, and shares that are flagged as extrapolating or inside their 90% interval."""
    predicted = members.tc_K(predictor.gate)
    low, high = intervals(predicted, members.error_K(predictor.gate, predictor.reliability.error))
    flagged = members.distance - predictor.kernel.shape.soft > predictor.reliability.familiar_distance
    inside = (members.measured >= low) & (members.measured <= high)
    return {
        "members": len(predicted),
        "measured_tc_K": float(members.measured.mean()),
        "predicted_tc_K": float(predicted.mean()),
        "tc_mae_K": metrics.mean_absolute_error(predicted, members.measured),
        "mean_width_K": float((high - low).mean()),
        "flagged": float(flagged.mean()),
        "inside": float(inside.mean()),
        "flagged_or_inside": float((flagged | inside).mean()),
    }


def flagged_at_random(predictor: TcEnsemble, tables: tc.Tables) -> float:
    """Share of the superconductors of the random test part that are flagged as extrapolating."""
    table, parts = tables[0]
    x = torch.from_numpy(table.compositions[parts[2]]).float()
    return float(estimate_in_batches(predictor, x).extrapolating.mean())


def sentences(table: pd.DataFrame, at_random: float) -> tuple[str, ...]:
    """The shares by family, and the share that is flagged on the random test part."""
    by_family = (
        f"Without {row['family']} ({row['members']:.0f} compositions): {row['flagged_or_inside']:.0%} are flagged "
        f"as extrapolating or inside their {NOMINAL:.0%} interval; mean error {row['tc_mae_K']:.1f} K."
        for _, row in table.iterrows()
    )
    return (*by_family, f"On the random test part {at_random:.1%} of the superconductors are flagged.")
