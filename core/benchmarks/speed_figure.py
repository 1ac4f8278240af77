"""A line plot with two logarithmic axes as SVG, for the README."""

from __future__ import annotations

import math
from html import escape

WIDTH, HEIGHT = 730, 400
LEFT, RIGHT, TOP, BOTTOM = 78, 260, 20, 52
DASHES = {"solid": "", "dash": "7 5", "dot": "2 4"}
GREY = "#8a9290"  # readable on a white and on a black background


def log_log(figure: dict) -> str:
    """The scatter traces of a figure (see `core.benchmarks.figures.lines`) as SVG. All values are above 0."""
    x_axis = _Axis([v for t in figure["data"] for v in t["x"]], LEFT, WIDTH - RIGHT)
    y_axis = _Axis([v for t in figure["data"] for v in t["y"]], HEIGHT - BOTTOM, TOP)
    parts = [_grid(x_axis, y_axis)]
    for place, trace in enumerate(figure["data"]):
        parts.append(_line(trace, x_axis, y_axis, place))
    layout = figure["layout"]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, layout["xaxis"]["title"]["text"], "middle"))
    turned = f' transform="rotate(-90 16 {middle:.0f})"'
    parts.append(_text(16, middle, layout["yaxis"]["title"]["text"], "middle", turned))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    head += ' font-size="13">'
    return "\n".join([head, *parts, "</svg>"]) + "\n"


class _Axis:
    """A logarithmic axis from pixel `begin` to pixel `end`, limited by round values around all `values`."""

    def __init__(self, values: list[float], begin: float, end: float):
        self.begin, self.end = begin, end
        self.low, self.high = _round_down(min(values)), _round_up(max(values))

    def __call__(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """The tick values: 1, 2 and 5 times powers of ten within the axis."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        marks = [m * 10.0**p for p in powers for m in (1, 2, 5)]
        return [m for m in marks if self.low * (1 - 1e-9) <= m <= self.high * (1 + 1e-9)]


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max(m * power for m in (1, 2, 5) if m * power <= value * (1 + 1e-9))


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return min(m * power for m in (2, 5, 10) if m * power > value)


def _grid(x_axis: _Axis, y_axis: _Axis) -> str:
    lines = []
    for x in x_axis.ticks():
        lines.append(_text(x_axis(x), HEIGHT - BOTTOM + 19, f"{x:,.0f}", "middle"))
    for y in y_axis.ticks():
        lines.append(f'<path d="M{LEFT} {y_axis(y):.1f}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-opacity="0.3"/>')
        lines.append(_text(LEFT - 8, y_axis(y) + 4, f"{y:,.0f}", "end"))
    return "\n".join(lines)


def _line(trace: dict, x_axis: _Axis, y_axis: _Axis, place: int) -> str:
    """One line with its points, and its entry in the legend; place : index in the legend."""
    points = [(x_axis(x), y_axis(y)) for x, y in zip(trace["x"], trace["y"], strict=True)]
    style = f'stroke="{trace["line"]["color"]}" stroke-width="2" stroke-dasharray="{DASHES[trace["line"]["dash"]]}"'
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{trace["line"]["color"]}"/>' for x, y in points)
    at, height = WIDTH - RIGHT + 16, TOP + 14 + 22 * place
    legend = f'<path d="M{at} {height - 4}h26" {style}/>' + _text(at + 34, height, trace["name"], "start")
    return f'<path d="{path}" fill="none" {style}/>{dots}{legend}'


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{GREY}"{more}>{escape(words)}</text>'
