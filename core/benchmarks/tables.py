"""The benchmarks by name, as the command line calls them."""

from __future__ import annotations

from collections.abc import Callable

from core.benchmarks import integers, raise_tc, starts
from core.benchmarks.bench import Options, Outcome

TABLES: dict[str, Callable[[Options], Outcome]] = {
    "table1": integers.table1,
    "table2": raise_tc.table2,
    "figure3": starts.figure3,
    "exploitation": raise_tc.exploitation,
}
