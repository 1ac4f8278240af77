"""Tables -> plotly figures as plain data, so that nothing here needs plotly: {"data": [...], "layout": {...}}.

Colours and markers are those of the app's charts (app/plots.py), which adds the rest of its look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

COLOURS = ("#1a918c", "#d6852a", "#3f82c4", "#9a70be", "#8a9290")
GREY = "#8a9290"
# What comes after the comma in a name -> hatching of bars, dash of lines: the same in all figures.
KINDS = {"here": ("", "solid"), "ours": ("", "solid"), "here, by the judge": ("/", "dash"), "paper": (".", "dot"),
         "plain": ("/", "dash")}  # fmt: skip


def kinds(names: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Name -> colour, hatching, dash: "KIAGO, paper" has the colour of all "KIAGO" and the hatching of all "paper".

    Raises ValueError if there are more names than can be told apart.
    """
    firsts = list(dict.fromkeys(_parts(name)[0] for name in names))
    if len(firsts) > len(COLOURS):
        raise ValueError(f"too many to be told apart: {', '.join(names)}")
    colours = dict(zip(firsts, COLOURS, strict=False))
    return {
        name: (colours[first], *KINDS.get(second, KINDS["here"])) for name in names for first, second in [_parts(name)]
    }


def _parts(name: str) -> tuple[str, str]:
    first, _, second = name.partition(", ")
    return (first, second) if second in KINDS else (name, "")


def bars(table: pd.DataFrame, x: str, y: str, by: str, axis: str, spread: str | None = None) -> dict:
    """Bars of column y beside each other, one group for each x, one kind (see `kinds`) for each value of `by`."""
    data = []
    for name, (colour, hatching, _) in kinds(table[by].unique()).items():
        rows = table[table[by] == name]
        marker = {"color": colour, "pattern": {"shape": hatching, "fillmode": "replace"}}
        trace = {"type": "bar", "name": name, "x": rows[x].tolist(), "y": numbers(rows[y]), "marker": marker}
        if spread is not None and rows[spread].notna().any():
            error = {"type": "data", "array": numbers(rows[spread]), "thickness": 1.2, "width": 3, "color": GREY}
            trace["error_y"] = error
        data.append(trace)
    return {"data": data, "layout": {"barmode": "group", **axes(None, axis)}}


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x_title: str, y_title: str, log: bool = False
) -> dict:
    """One line with markers for each name -> (x, y), coloured and dashed as `bars`; log: both axes logarithmic."""
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
    """For each name a median line in its band; courses have the columns step, low, median, high."""
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
    """Titles of the two axes."""
    return {"xaxis": {"title": {"text": x_title}} if x_title else {}, "yaxis": {"title": {"text": y_title}}}


def numbers(values: Sequence[float]) -> list[float | None]:
    """Numbers as JSON has them: a missing one is null."""
    return [None if v is None or v != v else round(float(v), 6) for v in values]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
