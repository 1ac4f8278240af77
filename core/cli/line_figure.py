"""A plot of Tc against the doping as SVG, for the command doping."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.evaluation.doping_line import DopingLine

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 46, 50
TEAL, ORANGE, GREY = "#1a918c", "#d6852a", "#8a9290"  # readable on a white and on a black background


def svg(line: DopingLine) -> str:
    """The predictions as a line with a band of one standard deviation, the measurements as points."""
    x, tc = line.predicted[line.variable].to_numpy(), line.predicted["tc_K"].to_numpy()
    std = np.nan_to_num(line.predicted["tc_std_K"].to_numpy())
    measured_x, measured = line.reported[line.variable].to_numpy(), line.reported["tc_K"].to_numpy()
    across = _Axis(x.min(), x.max(), LEFT, WIDTH - RIGHT)
    up = _Axis(0.0, max(1.0, *(tc + std), *measured), HEIGHT - BOTTOM, TOP)
    order = np.argsort(x)
    path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in zip(x[order], tc[order], strict=True))
    lower, upper = np.maximum(tc - std, 0)[order], (tc + std)[order]
    edge = [*zip(x[order], upper, strict=True), *zip(x[order][::-1], lower[::-1], strict=True)]
    band = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in edge)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
        'font-size="13">',
        *_grid(across, up, line.variable),
        f'<polygon points="{band}" fill="{TEAL}" opacity="0.18"/>',
        f'<polyline points="{path}" fill="none" stroke="{TEAL}" stroke-width="2.5"/>',
        *(f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="4" fill="{ORANGE}"/>'
          for a, b in zip(measured_x, measured, strict=True)),
        _text(LEFT, 18, f"Tc of {line.series.formula}: predicted (line), reported (points, training data)", "start"),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


class _Axis:
    """A linear axis from pixel `begin` to pixel `end`."""

    def __init__(self, low: float, high: float, begin: float, end: float):
        self.low, self.high, self.begin, self.end = float(low), float(high), begin, end

    def __call__(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """About five round values within the axis."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** np.floor(np.log10(rough))
        step = min((m * power for m in (1, 2, 5, 10)), key=lambda each: abs(each - rough))
        first = np.ceil(self.low / step - 1e-9)
        return [float(n * step) for n in np.arange(first, self.high / step + 1e-9)]


def _grid(across: _Axis, up: _Axis, variable: str) -> list[str]:
    lines = []
    for value in up.ticks():
        y = up(value)
        lines.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GREY}" opacity="0.3"/>'
        )
        lines.append(_text(LEFT - 8, y + 4, f"{value:.6g}", "end"))
    lines += [_text(across(value), HEIGHT - BOTTOM + 20, f"{value:.6g}", "middle") for value in across.ticks()]
    lines.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, variable, "middle"))
    return [*lines, _text(16, (TOP + HEIGHT - BOTTOM) / 2, "Tc (K)", "middle", turned=True)]


def _text(x: float, y: float, text: str, anchor: str, turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{GREY}"{turn}>{escape(text)}</text>'
