"""Pieces of HTML that several pages share. Pure functions; the classes are those of assets/style.css."""

from __future__ import annotations

import html
from collections.abc import Iterable

from app.text.formatting import AMOUNT
from core.errors import InputError

TC = "<i>T</i><sub>c</sub>"


def formula_html(formula: str) -> str:
    """A formula with its amounts as subscripts; any text is escaped."""
    lowered = AMOUNT.sub(r"<sub>\1</sub>", html.escape(formula, quote=True))
    return f'<span class="formula">{lowered}</span>'


def error_html(error: InputError) -> str:
    """An error message for the place under its widget; the character at fault is marked if it is known."""
    marked = ""
    if error.position is not None:
        text, place = error.excerpt()
        before, at, after = text[:place], text[place : place + 1] or " ", text[place + 1 :]
        marked = f"<code>{html.escape(before)}<mark>{html.escape(at)}</mark>{html.escape(after)}</code>"
    return f'<div class="wrong" role="alert">{marked}<span>{html.escape(error.message)}</span></div>'


def fact_html(label: str, value: str, note: str = "") -> str:
    """A number with its name above and a remark below; label and value are HTML."""
    return (
        f'<div class="fact"><div class="label">{label}</div><div class="value">{value}</div>'
        f'<div class="note">{html.escape(note)}</div></div>'
    )


def definition_list_html(rows: Iterable[tuple[str, str]]) -> str:
    """Pairs of (term, HTML) as a list of two columns."""
    return '<dl class="described">' + "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in rows) + "</dl>"


def table_html(head: Iterable[str], rows: Iterable[Iterable[str]], foot: Iterable[str] = (), css: str = "") -> str:
    """A plain table; cells are HTML."""
    header = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    footer = _cells(foot)
    footer = f"<tfoot><tr>{footer}</tr></tfoot>" if footer else ""
    return (
        f'<table class="{f"plain {css}".strip()}"><thead><tr>{header}</tr></thead><tbody>{body}</tbody>{footer}</table>'
    )


def _cells(row: Iterable[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in row)
