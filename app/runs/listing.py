"""Which past runs are listed, and in which order. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.runs.index import Entry

NEWEST, OLDEST, HIGHEST, MOST_PASSING, BY_NAME = "newest", "oldest", "highest", "passing", "name"
ORDERS = {
    NEWEST: "Newest first", OLDEST: "Oldest first", HIGHEST: "Highest Tc", MOST_PASSING: "Most passing",
    BY_NAME: "Name, then base",
}  # fmt: skip


def listed(entries: Sequence[Entry], names: Mapping[str, str], text: str, order: str) -> list[Entry]:
    """The entries that contain every word of a text in name, base or id, in this order; missing values come last.

    entries : newest first; names : id -> name; order : key of ORDERS
    """
    words = text.lower().split()

    def matches(entry: Entry) -> bool:
        searched = f"{names.get(entry.id, '')} {entry.base} {entry.id}".lower()
        return all(word in searched for word in words)

    found = [entry for entry in entries if matches(entry)]
    keys: dict[str, Callable[[Entry], object]] = {
        OLDEST: lambda entry: entry.created,
        HIGHEST: lambda entry: -entry.best_tc_K if entry.best_tc_K is not None else float("inf"),
        MOST_PASSING: lambda entry: -entry.n_passing if entry.n_passing is not None else float("inf"),
        BY_NAME: lambda entry: (entry.id not in names, names.get(entry.id, "").lower(), entry.base),
    }
    return sorted(found, key=keys[order]) if order in keys else found
