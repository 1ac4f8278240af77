"""Tables -> plotly figures as plain data, {"data": [...], "layout": {...}}; plotly itself is not needed.

Colours and patterns are those of the app's charts (app/charts.py), which adds fonts and margins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

COLOURS = ("#1a918c", "#d6852a", "#3f82c4", "#9a70be", "#8a9290")
GREY = "#8a9290"
# The part of a name after the comma -> pattern of bars, dash of lines; the same in all figures.
KINDS = {
    "here": ("", "solid"),
    "ours": ("", "solid"),
    "here, by the control model": ("/", "dash"),
    "paper": (".", "dot"),
    "reference": ("/", "dash"),
}


def kinds(names: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Name -> colour, pattern, dash: "KIAGO, paper" has the colour of all "KIAGO" and the pattern of all "paper".

    Raises ValueError for more than len(COLOURS) different first parts.
    """
    firsts = list(dict.fromkeys(_parts(name)[0] for name in names))
    if len(firsts) > len(COLOURS):
        raise ValueError(f"more series than colours: {', '.join(names)}")
    colours = dict(zip(firsts, COLOURS, strict=False))
    return {
        name: (colours[first], *KINDS.get(second, KINDS["here"])) for name in names for first, second in [_parts(name)]
    }


def _parts(name: str) -> tuple[str, str]:
    first, _, second = name.partition(", ")
    return (first, second) if second in KINDS else (name, "")


def bars(table: pd.DataFrame, x: str, y: str, by: str, axis: str, spread: str | None = None) -> dict:
    """Grouped bars of column y: one group for each x, one colour and pattern (see `kinds`) for each value of `by`.

    axis : title of the y axis
    spread : column of the error bars
    """
    data = []
    for name, (colour, pattern, _) in kinds(table[by].unique()).items():
        rows = table[table[by] == name]
        marker = {"color": colour, "pattern": {"shape": pattern, "fillmode": "replace"}}
        trace = {"type": "bar", "name": name, "x": rows[x].tolist(), "y": numbers(rows[y]), "marker": marker}
        if spread is not None and rows[spread].notna().any():
            error = {"type": "data", "array": numbers(rows[spread]), "thickness": 1.2, "width": 3, "color": GREY}
            trace["error_y"] = error
        data.append(trace)
    return {"data": data, "layout": {"barmode": "group", **axes(None, axis)}}


def here_and_paper(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A table of methods in long form for `bars`: our column and the paper's (paper_`column`).

    Adds the columns what ("METHOD, here" or "METHOD, paper") and shown (the value).
    """
    columns = {"here": column, "paper": f"paper_{column}"}
    return pd.concat(
        table.assign(what=table["method"] + f", {where}", shown=table[name]) for where, name in columns.items()
    )


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x_title: str, y_title: str, log: bool = False
) -> dict:
    """One line with markers for each name -> (x, y), colour and dash as in `kinds`; log: both axes logarithmic."""
    styles, data = kinds(list(series)), []
    for name, (x, y) in series.items():
        colour, _, dash = styles[name]
        data.append({"type": "scatter", "mode": "lines+markers", "name": name, "x": numbers(x), "y": numbers(y),
                     "line": {"color": colour, "dash": dash, "width": 2}})  # fmt: skip
    layout = axes(x_title, y_title)
    if log:
        for axis in layout.values():
            axis["type"] = "log"
    return {"data": data, "layout": layout}


def bands(courses: Mapping[str, pd.DataFrame], x_title: str, y_title: str) -> dict:
    """For each name the line of the median in a band from low to high.

    courses : name -> table with the columns step, low, median, high
    """
    data = []
    for (name, course), colour in zip(courses.items(), COLOURS, strict=False):
        x, group = numbers(course["step"]), {"legendgroup": name, "type": "scatter", "mode": "lines"}
        edge = {**group, "x": x, "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": _faint(colour)}
        data += [
            {**edge, "y": numbers(course["low"])},
            {**edge, "y": numbers(course["high"]), **fill},
            {**group, "name": name, "x": x, "y": numbers(course["median"]), "line": {"color": colour, "width": 2}},
        ]
    return {"data": data, "layout": axes(x_title, y_title)}


def axes(x_title: str | None, y_title: str) -> dict:
    """Plotly layout with the titles of both axes; x_title None: no title."""
    return {"xaxis": {"title": {"text": x_title}} if x_title else {}, "yaxis": {"title": {"text": y_title}}}


def numbers(values: Sequence[float]) -> list[float | None]:
    """Values as JSON numbers to six decimals; None for a missing value."""
    return [None if v is None or v != v else round(float(v), 6) for v in values]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
