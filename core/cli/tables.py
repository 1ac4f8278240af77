"""The best candidates as aligned text, and single figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

BEST_COLUMNS = {
    "rank": "Rank",
    "formula": "Formula",
    "tc_K": "Tc (K)",
    "tc_std_K": "± (K)",
    "tc_gain_K": "Gain (K)",
    "formation_energy_eV_per_atom": "Ef (eV/atom)",
    "energy_above_hull_eV_per_atom": "Above hull",
    "passes": "Passes",
    "nearest_known": "Nearest known",
}
LEFT_ALIGNED = ("formula", "passes", "nearest_known")


def best_text(candidates: pd.DataFrame, count: int = 10) -> str:
    """The first `count` rows of a candidate table as aligned text, with the columns of BEST_COLUMNS."""
    rows = [list(BEST_COLUMNS.values())]
    for record in candidates.head(count).to_dict("records"):
        rows.append([_cell(name, record[name]) for name in BEST_COLUMNS])
    columns = [_aligned(column, name in LEFT_ALIGNED) for name, *column in zip(BEST_COLUMNS, *rows, strict=True)]
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))


def _cell(name: str, value: object) -> str:
    """A value as text: a number with the digits of its column, a dash for a missing value."""
    from core.evaluation.columns import BY_NAME

    if value != value or value == "":
        return "-"
    if name == "passes":
        return "yes" if value else "no"
    digits = BY_NAME[name].digits
    return f"{value:.{digits}f}" if digits is not None else str(value)


def _aligned(cells: list[str], left: bool) -> list[str]:
    width = max(map(len, cells))
    return [cell.ljust(width) if left else cell.rjust(width) for cell in cells]


def figure_text(value: float | None) -> str:
    """A float with four significant digits, an integer in full, "nothing" for None."""
    return "nothing" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
