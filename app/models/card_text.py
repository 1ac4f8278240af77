"""The content of a model card as text: metrics with units, settings, references. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from app.text.formatting import with_minus
from core.paths import ASSETS

_UNITS = {"_eV_per_atom": " eV/atom", "_K": " K"}
_WORDS = {"mae": "MAE", "mse": "MSE", "r2": "R²", "tc": "Tc", "cod": "COD", "mp": "MP", "oqmd": "OQMD"}
_COUNTS = {
    "n": "Held-out compositions",
    "n_superconductors": "Held-out superconductors",
    "n_cod": "Held-out COD compositions",
}
# Keys of the held-out metrics of a card.
SYSTEMS, INTERVALS, BY_SPREAD = "systems_held_out", "inside_intervals", "by_spread"
BY_PART = "by_held_out_part"
# Parts of the held-out formation energies that are drawn, all on the references of the Materials Project.
PARTS = {"mp_val": "MP", "oqmd_compositions_on_mp": "OQMD, compositions", "oqmd_systems_on_mp": "OQMD, systems"}
# Parts of the held-out Tc that are drawn.
TC_PARTS = ("new systems", "new systems, below 1 K", "drawn at random")
EARLIER = ASSETS / "models" / "reliability-before.json"
SUPERCONDUCTOR_K = 1.0  # Tc above which the cards count a compound as a superconductor
_COVERAGES = ("50%", "90%")  # of the intervals


def metrics_of(card: Mapping) -> dict:
    """The metrics of a card: of what it draws, if it is that of a generator, then those on held-out data."""
    return _of_samples(card.get("samples") or {}) | (card.get("metrics_held_out") or {})


def _of_samples(samples: Mapping) -> dict[str, float]:
    """The shares of samples of a generator of crystals: valid ones, and held-out formulas with a match."""
    found = {}
    if free := samples.get("unconditional"):
        found |= {f"samples_with_a_{name}": free[name] for name in ("valid_structure", "valid_composition")}
    for part, which in (("held_out_formulas", ""), ("held_out_formulas_symmetric", ", symmetric")):
        for name, value in samples.get(part, {}).items():
            if name.startswith("match_at_") and name.removeprefix("match_at_").isdigit():
                found[f"held-out_formulas_with_a_{name}{which}"] = value
    if near := samples.get("coverage"):
        found |= {f"coverage_{name}": near[name] for name in ("recall", "precision")}
    return found


def samples_text(samples: Mapping) -> str:
    """What the shares of samples are of; empty without samples."""
    if not samples:
        return ""
    free, given, sampler = (samples[name] for name in ("unconditional", "held_out_formulas", "sampler"))
    return (
        f"Of {free['n']:,} samples of any formula, drawn in {sampler['steps']} steps, and of {given['n']} formulas "
        "that are in no training: a match at k is one among the first k samples that is a known structure."
        f"{_symmetric_text(samples)}{_coverage_text(samples.get('coverage'))}"
    )


def _symmetric_text(samples: Mapping) -> str:
    """What symmetric samples are; empty without them."""
    if "held_out_formulas_symmetric" not in samples:
        return ""
    return (
        " Symmetric samples have the space group and the Wyckoff positions of prototypes, drawn by how many compounds "
        "these have and how similar they are, those of these formulas left out: which structure it is comes mostly "
        "from the prototype."
    )


def _coverage_text(near: Mapping | None) -> str:
    """What coverage is; empty without it."""
    if not near:
        return ""
    return (
        " Coverage of crystals that are in no training, by valid samples: recall, their share with a sample near in "
        "structure and composition; precision, the share of samples near one of them. Other real crystals have "
        f"{near['real_recall']:.3f} and {near['real_precision']:.3f}."
    )


def metric_text(key: str, value: float) -> tuple[str, str]:
    """Key and value of a metric -> label and value with its unit: tc_mae_K, 4.93 -> ("Tc MAE", "4.93 K")."""
    unit = ""
    for ending, written in _UNITS.items():
        if re.search(rf"{ending}(_|$)", key) and not key.endswith("_with_cod"):
            unit, key = written, re.sub(rf"{ending}(?=_|$)", "", key, count=1)
            break
    label = _COUNTS.get(key) or " ".join(_WORDS.get(word, word) for word in key.split("_"))
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"
    return label[:1].upper() + label[1:], with_minus(shown) + unit


def group_row(name: str, metrics: Mapping) -> dict[str, str]:
    """The metrics of one group (of a family, say) as a row of a table: column -> text."""
    cells = [metric_text(key, value) for key, value in metrics.items() if key != INTERVALS]
    if INTERVALS in metrics:
        cells += [(f"In the {p} interval", f"{metrics[INTERVALS][p]:.0%}") for p in _COVERAGES]
    return {" ": name} | {"Compositions" if label == _COUNTS["n"] else label: value for label, value in cells}


def group_tables(metrics: Mapping) -> dict[str, Mapping]:
    """The metrics that are given by group: name -> group -> metrics."""
    new = metrics.get(SYSTEMS, {})
    found = {key: rows for key, rows in metrics.items() if key != SYSTEMS} | {
        f"new_systems,_{key.replace('interval_90', '90%_intervals')}": new[key]
        for key in ("interval_90", "interval_90_of_one_constant_width")
        if key in new
    }
    found |= {f"new_systems,_{key}": rows for key, rows in new.get("superconducting_probability", {}).items()}
    return {
        key: rows
        for key, rows in found.items()
        if isinstance(rows, Mapping) and all(isinstance(row, Mapping) for row in rows.values())
    }


def intervals(metrics: Mapping) -> dict[str, Mapping]:
    """Part of the held-out data -> nominal coverage -> share inside; only PARTS if they are on the card.

    Of a model of Tc on TC_PARTS. Otherwise of all held-out data, else of the first group.
    """
    parts = metrics.get(BY_PART, {})
    if any(INTERVALS in part for part in parts.values()):
        return {label: parts[part][INTERVALS] for part, label in PARTS.items() if INTERVALS in parts.get(part, {})}
    if SYSTEMS in metrics:
        new, low = metrics[SYSTEMS], f"{INTERVALS}_predicted_below_1_K"
        return dict(zip(TC_PARTS, (new[INTERVALS], new[low], metrics[INTERVALS]), strict=True))
    places = [metrics, *metrics.get(BY_SPREAD, {}).values()]
    return next(({"held out": place[INTERVALS]} for place in places if INTERVALS in place), {})


def intervals_before(name: str) -> dict[str, Mapping]:
    """The `intervals` of the earlier weights of a model, on the same parts; empty if there is no record of them."""
    record = json.loads(EARLIER.read_text(encoding="utf-8")).get(name)
    labels = PARTS | dict(zip(TC_PARTS, TC_PARTS, strict=True))
    return {labels[part]: inside for part, inside in record[INTERVALS].items()} if record else {}


def new_systems_text(metrics: Mapping) -> str:
    """The errors on chemical systems that were held out as a whole, which are closest to those in a design."""
    found, near = metrics[SYSTEMS], metrics[INTERVALS]
    inside, ambient = found[INTERVALS], found["without_hydrides_under_pressure"]
    low = found["interval_90"][f"predicted below {SUPERCONDUCTOR_K:g} K"]
    return (
        f"**On new chemical systems** ({found['folds']} folds, no compound of the same elements in training; the "
        f"regression alone): MAE {found['tc_mae_K']:.2f} K, R² {found['tc_r2']:.3f}; without the "
        f"{found['n'] - ambient['n']} hydrides measured under high pressure, R² {ambient['tc_r2']:.3f}. The interval "
        f"with a nominal coverage of 50% contains {inside['50%']:.0%} of the compounds, the 90% interval "
        f"{inside['90%']:.0%}; for held-out superconductors drawn at random, which have neighbours in the training "
        f"data, {near['50%']:.0%} and {near['90%']:.0%}. Of the superconductors that the model takes for none, below "
        f"{SUPERCONDUCTOR_K:g} K, the 90% interval contains {low['share_inside']:.0%}; it is "
        f"{low['mean_width_K']:.0f} K wide on average."
    )


def with_links(text: str) -> str:
    """Text with its DOIs as links (markdown)."""
    return re.sub(r"doi:(10\.\S*[^\s.,;)])", r"[doi:\1](https://doi.org/\1)", str(text))


def value_text(value: object) -> str:
    """A value of a card: numbers with separators, lists with commas, nested settings with their names."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "all"
        case int():
            return f"{value:,}"
        case Mapping():
            return ", ".join(f"{key.replace('_', ' ')} {value_text(inner)}" for key, inner in value.items())
        case [Mapping(), *_]:
            return "; ".join(map(value_text, value))
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def file_rows(card: Mapping) -> dict[str, str]:
    """What identifies the files of a model: name -> text."""
    known = card.get("known_elements")
    rows = {
        "architecture": card.get("architecture"),
        "known elements": f"{len(known)}" if known else None,
        "networks initialised with": ", ".join(card.get("networks_begun_with", ())),
        "energies of the hull from": ", ".join(card.get("hull_predictors_sha256", ())),
        "date": card.get("date"),
        "SHA-256": f"{card['sha256'][:16]}…" if card.get("sha256") else None,
    }
    return {name: text for name, text in rows.items() if text}
