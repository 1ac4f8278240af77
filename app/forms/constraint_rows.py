"""Bounds, groups and ratios as rows of a small table: parsed into a problem, written from one. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.chemistry.composition import format_amount
from core.errors import InputError
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem


@dataclass(frozen=True)
class ConstraintRow:
    """One row, possibly unfinished.

    elements : "O" or "O, F, S"; least, most : fractions of all atoms, None for no limit; ratio : "2:1" or empty
    """

    elements: str = ""
    least: float | None = None
    most: float | None = None
    ratio: str = ""


@dataclass(frozen=True)
class ParsedRows:
    """The fields of a problem that rows stand for, and the errors of rows that cannot be read."""

    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    ratios: tuple[Mapping[str, float], ...] = ()
    errors: tuple[InputError, ...] = ()


def parse_rows(rows: Sequence[ConstraintRow]) -> ParsedRows:
    """The rows as bounds (one element), groups (several elements) and ratios; empty rows are ignored."""
    bounds: dict[str, tuple[float, float]] = {}
    groups: list[Group] = []
    ratios: list[Mapping[str, float]] = []
    errors: list[InputError] = []
    for row in rows:
        if row == ConstraintRow():
            continue
        try:
            names = _names(row)
            limits = _limits_of(row)
            if row.ratio.strip():
                ratios.append(dict(zip(names, _parts(row.ratio, names), strict=True)))
            elif limits is None:
                raise InputError("bounds", ", ".join(names), "the row sets no limit", "Give a limit or a ratio")
            if limits is None:
                continue
            if len(names) > 1:
                groups.append(Group(names, *limits))
            elif names[0] in bounds:
                raise InputError("bounds", names[0], "another row has bounds for it", "Write both into one row")
            else:
                bounds[names[0]] = limits
        except InputError as error:
            errors.append(error)
    return ParsedRows(bounds, tuple(groups), tuple(ratios), tuple(errors))


def _names(row: ConstraintRow) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[\s,;:+]+", row.elements) if name)
    if not names:
        raise InputError("bounds", "", "a row names no element", "Enter one or several, or delete the row")
    return names


def _limits_of(row: ConstraintRow) -> tuple[float, float] | None:
    """Least and most fraction of all atoms; None if the row gives neither."""
    if row.least is None and row.most is None:
        return None
    return (row.least if row.least is not None else 0.0, row.most if row.most is not None else 1.0)


def _parts(ratio: str, names: Sequence[str]) -> list[float]:
    try:
        parts = [float(part) for part in ratio.split(":")]
    except ValueError:
        raise InputError("ratios", ratio, "a ratio consists of numbers and colons", "Write 2:1") from None
    if len(parts) != len(names) or len(set(names)) < len(names):
        raise InputError("ratios", f"{', '.join(names)} = {ratio}", "a ratio needs one number per element",
                         "Write Ba, Y and 2:1")  # fmt: skip
    return parts


def rows_of(problem: DesignProblem) -> tuple[ConstraintRow, ...]:
    """The rows that stand for the constraints of this problem."""
    rows = [ConstraintRow(symbol, *_cells(low, high)) for symbol, (low, high) in problem.bounds.items()]
    rows += [ConstraintRow(", ".join(group.elements), *_cells(group.low, group.high)) for group in problem.groups]
    for ratio in problem.ratios:
        rows.append(ConstraintRow(", ".join(ratio), ratio=":".join(f"{x:g}" for x in ratio.values())))
    return tuple(rows)


def _cells(low: float, high: float) -> tuple[float | None, float | None]:
    if (low, high) == (0, 1):
        return 0.0, None
    return low or None, (None if high == 1 else high)


def with_edits(rows: Sequence[ConstraintRow], edits: Mapping) -> tuple[ConstraintRow, ...]:
    """The rows after the edits of the user, in the form in which `st.data_editor` reports them."""
    changed = list(rows)
    for place, cells in edits["edited_rows"].items():
        changed[int(place)] = _with_cells(changed[int(place)], cells)
    changed += [_with_cells(ConstraintRow(), cells) for cells in edits["added_rows"]]
    deleted = set(edits["deleted_rows"])
    return tuple(row for place, row in enumerate(changed) if place not in deleted)


def _with_cells(row: ConstraintRow, cells: Mapping) -> ConstraintRow:
    texts = {name: cells[name] or "" for name in ("elements", "ratio") if name in cells}
    return replace(row, **texts, **{name: cells[name] for name in ("least", "most") if name in cells})


def tile_limits(floors: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> dict[str, tuple[str, str]]:
    """Symbol -> the limit that floors and bounds (fractions of all atoms) set: for the tile ("≥40%"), and in full."""
    combined = dict(bounds)
    for symbol, floor in floors.items():
        low, high = combined.get(symbol, (0.0, 1.0))
        combined[symbol] = (max(low, floor), high)
    limits = {symbol: limit for symbol, limit in combined.items() if limit != (0, 1)}
    return {symbol: (_tile_text(*limit), f"{_range_text(*limit)} of all atoms") for symbol, limit in limits.items()}


def constraints_text(problem: DesignProblem) -> str:
    """All constraints in one line: "O 0.3 to 0.5; O + F at least 0.4; Ba:Y = 2:1"."""
    limits: list[tuple[tuple[str, ...], float, float]] = [
        *(((symbol,), low, high) for symbol, (low, high) in problem.bounds.items()),
        *((group.elements, group.low, group.high) for group in problem.groups),
    ]
    texts = [f"{' + '.join(names)} {_range_text(low, high)}" for names, low, high in limits]
    texts += [f"{':'.join(ratio)} = {':'.join(f'{x:g}' for x in ratio.values())}" for ratio in problem.ratios]
    return "; ".join(texts)


def _tile_text(low: float, high: float) -> str:
    least, most = (f"{100 * x:.3g}" for x in (low, high))
    if high >= 1:
        return f"≥{least}%"
    return f"{least}–{most}%" if low > 0 else f"≤{most}%"


def _range_text(low: float, high: float) -> str:
    least, most = (format_amount(x, 3) or "1" for x in (low, high))
    if high >= 1:
        return f"at least {least}"
    return f"{least} to {most}" if low > 0 else f"at most {most}"
