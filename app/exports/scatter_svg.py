"""Tc against energy above hull of the candidates of a run as an SVG file with a caption, on white. Pure functions."""

from __future__ import annotations

import math
import textwrap
from html import escape

import numpy as np
import pandas as pd

from core.evaluation.ranking import pareto_front

WIDTH, HEIGHT = 760, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 20, 130  # the caption stands at the bottom
INK, QUIET, LINE = "#1b211f", "#58625f", "#dcdfdd"
POINT, FRONT = "#3f82c4", "#1a918c"
NAMED = 5  # candidates with their formula beside the point
_CAPTION_CHARACTERS = 112  # of a line


def scatter_svg(table: pd.DataFrame, base: tuple[str, float], caption: str) -> str:
    """The candidates that have an energy above hull, with their Pareto front as steps and the Tc of the base dashed.

    table : rows of the candidate table by rank, at least one with an energy above hull; the first NAMED are named
    base : formula as plain text, and predicted Tc (K)
    """
    table = table[table["energy_above_hull_eV_per_atom"].notna()]
    x, y = table["energy_above_hull_eV_per_atom"].to_numpy(float), table["tc_K"].to_numpy(float)
    across = _Axis(min(0.0, x.min()), max(0.1, x.max()), LEFT, WIDTH - RIGHT)
    up = _Axis(0.0, max(1.0, y.max(), base[1]) * 1.05, HEIGHT - BOTTOM, TOP)
    parts = [_grid(across, up), *_base_line(up, *base)]
    parts += [
        f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="3.5" fill="{"none" if known else POINT}" '
        f'stroke="{POINT}" fill-opacity="0.7"/>'
        for a, b, known in zip(x, y, table["known"], strict=True)
    ]
    parts.append(_front(across, up, x, y))
    for a, b, formula in zip(x[:NAMED], y[:NAMED], table["formula"], strict=False):
        parts.append(_text(across(a) + 6, up(b) - 5, escape(formula), size=11))
    lines = textwrap.wrap(caption, _CAPTION_CHARACTERS)[:4]
    parts += [_text(LEFT, HEIGHT - 62 + 17 * i, escape(line), size=12.5, fill=QUIET) for i, line in enumerate(lines)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
    head += f'font-family="sans-serif"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    return "\n".join([head, *parts, "</svg>"]) + "\n"


class _Axis:
    """A linear axis from pixel `begin` to pixel `end`, widened to whole ticks."""

    def __init__(self, low: float, high: float, begin: float, end: float):
        self.step = _round_step((high - low) / 6)
        self.low, self.high = math.floor(low / self.step) * self.step, math.ceil(high / self.step) * self.step
        self.begin, self.end = begin, end

    def __call__(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """The multiples of the step within the axis."""
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]


def _round_step(rough: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is at least this."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))


def _grid(across: _Axis, up: _Axis) -> str:
    lines = []
    for value in up.ticks():
        lines.append(f'<path d="M{LEFT} {up(value):.1f}H{WIDTH - RIGHT}" stroke="{LINE}"/>')
        lines.append(_text(LEFT - 8, up(value) + 4, f"{value:g}", "end"))
    for value in across.ticks():
        lines.append(_text(across(value), HEIGHT - BOTTOM + 18, f"{value + 0.0:.4g}", "middle"))
    zero = across(0.0)
    lines.append(f'<path d="M{zero:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{QUIET}" stroke-width="0.8"/>')
    lines.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, "Energy above hull (eV/atom)", "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f' transform="rotate(-90 18 {middle:.0f})"'
    lines.append(_text(18, middle, "Predicted Tc (K)", "middle", more=turned))
    return "\n".join(lines)


def _base_line(up: _Axis, formula: str, tc_K: float) -> list[str]:
    y = f"{up(tc_K):.1f}"
    return [
        f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{QUIET}" stroke-dasharray="6 4"/>',
        _text(WIDTH - RIGHT, up(tc_K) - 5, escape(f"base {formula}: {tc_K:.1f} K"), "end", fill=QUIET),
    ]


def _front(across: _Axis, up: _Axis, x: np.ndarray, y: np.ndarray) -> str:
    front = pareto_front(y, x)
    if not len(front):
        return ""
    steps = "".join(f"H{across(x[i]):.1f}V{up(y[i]):.1f}" for i in front[1:])
    first = f"M{across(x[front[0]]):.1f} {up(y[front[0]]):.1f}"
    return f'<path d="{first}{steps}H{across(x.max()):.1f}" fill="none" stroke="{FRONT}" stroke-width="2"/>'


def _text(
    x: float, y: float, text: str, anchor: str = "start", size: float = 13, fill: str = INK, more: str = ""
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="{fill}"{more}>{text}</text>'
    )
