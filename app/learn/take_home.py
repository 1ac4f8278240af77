"""Symbols and exercises: the table of symbols, the printable sheet, and the tasks with their answers."""

from __future__ import annotations

import streamlit as st

from app.learn.exercises import exercises, sheet
from app.learn.symbols import symbols
from app.text.html import table_html
from core.problem.settings import OptimiserSettings


def take_home() -> None:
    """The section."""
    tasks, table = st.tabs(["Exercises", "Symbols"])
    with tasks:
        st.download_button(
            "Exercise sheet to print (HTML)", lambda: sheet().encode("utf-8"), "tc-studio-exercises.html", "text/html",
            icon=":material/print:", key="learn_sheet", on_click="ignore", type="primary",
            help="Three tasks with space to write, their answers and the symbols on pages of their own",
        )  # fmt: skip
        for number, task in enumerate(exercises(), 1):
            st.subheader(f"{number}. {task.title}", anchor=False)
            st.html(task.question)
            with st.expander("Answer"):
                st.html(f'<div class="compare">{task.answer}</div>')
    with table:
        head = ("Symbol", "Meaning", "Unit", "Default", "In the app")
        st.html(f'<div class="compare">{table_html(head, symbols(OptimiserSettings()))}</div>')
