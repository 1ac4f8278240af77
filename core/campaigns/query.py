"""Queries on the candidates of many runs, by DuckDB in memory, without access to files or the network."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from core.campaigns.condition import TABLE, checked_condition
from core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

EVERYTHING = "true"
DEFAULT_ORDER = "tc_minus_error_K"
# Of candidates with the same composition: the row that comes first, how often and from which bases it was found.
FOUND_COLUMNS = ("found_in_runs", "found_from_bases")


class CandidateQueries:
    """A read-only database of one table of candidates. Use it in a with-statement, or `close` it.

    A query cannot read files, load extensions, attach databases or change this configuration.
    """

    def __init__(self, table: pa.Table):
        """table : as `core.campaigns.candidates.candidates_of` returns it"""
        import duckdb

        offline: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        self._connection = duckdb.connect(":memory:", config=offline)
        self._connection.register("given", table)
        self._connection.execute(f"CREATE TABLE {TABLE} AS SELECT * FROM given")
        self._connection.unregister("given")
        self._connection.execute("SET python_enable_replacements = false")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self.columns: tuple[str, ...] = tuple(table.column_names)
        self.rows: int = table.num_rows

    def __enter__(self) -> CandidateQueries:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free the database."""
        self._connection.close()

    def check(self, condition: str) -> None:
        """Raises InputError for a wrong condition, see `core.campaigns.condition`."""
        checked_condition(condition, self.columns, self._connection.cursor())

    def select(
        self,
        where: str = EVERYTHING,
        order: str = DEFAULT_ORDER,
        most: int | None = None,
        each_composition_once: bool = False,
        columns: Sequence[str] = (),
    ) -> pa.Table:
        """The rows that meet a condition, the highest of one column first, missing values last, then by formula.

        where : see `core.campaigns.condition`
        order : a column
        most : at most so many rows
        each_composition_once : only the first row of each formula, with FOUND_COLUMNS: the number of runs that found
            it among the rows that meet the condition, and their bases
        columns : the columns of the result; empty: all

        Raises InputError for a wrong condition or an unknown column.
        """
        import duckdb

        connection = self._connection.cursor()  # of this query: pages of several users ask at the same time
        condition = checked_condition(where, self.columns, connection)
        for name in (order, *columns):
            if name not in self.columns:
                raise InputError("column", name, "the candidates have no such column",
                                 f"Choose {', '.join(self.columns)}")  # fmt: skip
        by = f'"{order}" DESC NULLS LAST, formula, run, rank'
        further = ""
        if each_composition_once:
            further = ", count(DISTINCT run) OVER same AS found_in_runs"
            further += ", array_to_string(list_sort(list_distinct(list(base) OVER same)), ', ') AS found_from_bases"
            further += f", row_number() OVER (PARTITION BY formula ORDER BY {by}) AS place"
        rows = f"SELECT *{further} FROM {TABLE} WHERE ({condition}\n)"
        if each_composition_once:
            rows += " WINDOW same AS (PARTITION BY formula)"
        shown = ", ".join(f'"{name}"' for name in columns or self.columns)
        shown += "".join(f", {name}" for name in FOUND_COLUMNS) if each_composition_once else ""
        query = f"SELECT {shown} FROM ({rows})" + (" WHERE place = 1" if each_composition_once else "")
        query += f" ORDER BY {by}" + ("" if most is None else f" LIMIT {most:d}")
        try:
            return connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise InputError("where", where, f"this condition cannot be evaluated ({str(error).splitlines()[0]})",
                             "Compare numbers with numbers and text with text") from None  # fmt: skip
