"""The look of all pages, and the small pieces of HTML that they share."""

from __future__ import annotations

import html
import re

import streamlit as st

from core.errors import InputError
from core.paths import ASSETS

# For choices of elements: typed "H", Enter takes H, and not all that have an h.
ELEMENT_CHOICE = {"placeholder": "elements", "filter_mode": "prefix", "select_all": False}
_AMOUNT = re.compile(r"(?<=[A-Za-z)\]}])(\d+(?:\.\d*)?|\.\d+)")
_SUBSCRIPTS = str.maketrans("0123456789.", "₀₁₂₃₄₅₆₇₈₉.")


def apply() -> None:
    """Add the style sheet to the page."""
    st.html(ASSETS / "style.css")


def formula_html(formula: str) -> str:
    """A formula with its amounts as subscripts: HTML, safe whatever the text is."""
    lowered = _AMOUNT.sub(r"<sub>\1</sub>", html.escape(formula, quote=True))
    return f'<span class="formula">{lowered}</span>'


def formula_text(formula: str) -> str:
    """A formula for places without HTML: whole amounts as Unicode subscripts, others as they are."""
    if re.search(r"\d\.\d|\.\d", formula):
        return formula
    return _AMOUNT.sub(lambda match: match.group().translate(_SUBSCRIPTS), formula)


def error_html(error: InputError) -> str:
    """A message for the place under its widget; the character at fault is marked where there is one."""
    shown = ""
    if error.position is not None:
        text, place = str(error.value), error.position
        before, at, after = text[:place], text[place : place + 1] or " ", text[place + 1 :]
        shown = f"<code>{html.escape(before)}<mark>{html.escape(at)}</mark>{html.escape(after)}</code>"
    return f'<div class="wrong" role="alert">{shown}<span>{html.escape(error.message)}</span></div>'


def show_errors(errors: list[InputError]) -> None:
    """Messages under a widget; nothing if there are none."""
    if errors:
        st.html("".join(dict.fromkeys(error_html(error) for error in errors)))


def signed(state: int) -> str:
    """An oxidation state as chemists write it: +3, −2."""
    return f"+{state}" if state > 0 else f"−{abs(state)}"


def minus(number: str) -> str:
    """A number with a proper minus sign."""
    return number.replace("-", "−")


def fact(label: str, value: str, note: str = "") -> str:
    """A number with its name above and a remark below; label and value are HTML."""
    return (
        f'<div class="fact"><div class="label">{label}</div><div class="value">{value}</div>'
        f'<div class="note">{html.escape(note)}</div></div>'
    )


def described(rows: list[tuple[str, str]]) -> str:
    """Pairs of (what, HTML) as a list of two columns."""
    return '<dl class="described">' + "".join(f"<dt>{what}</dt><dd>{text}</dd>" for what, text in rows) + "</dl>"
