"""Queries on the candidates of many runs, by DuckDB in memory, without access to files or the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
# Numbers stand for formulas, runs and bases, so that hundreds of thousands of rows are grouped in milliseconds. Those
# of runs and formulas are in alphabetical order. A condition cannot name these columns.
_PREPARATION = (
    "CREATE TABLE formulas AS SELECT formula, row_number() OVER (ORDER BY formula) AS _formula, "
    "any_value(elements) AS elements FROM given GROUP BY formula",
    "CREATE TABLE contained AS SELECT _formula, unnest(elements) AS element FROM formulas",
    "CREATE TABLE runs AS SELECT run, row_number() OVER (ORDER BY run) AS _run FROM given GROUP BY run",
    "CREATE TABLE bases AS SELECT base, row_number() OVER (ORDER BY base) AS _base FROM given GROUP BY base",
    f"CREATE TABLE {TABLE} AS SELECT given.*, _formula, _run, _base, row_number() OVER () AS _row FROM given "
    "JOIN formulas USING (formula) JOIN runs USING (run) JOIN bases USING (base)",
)


@dataclass(frozen=True)
class Occurrence:
    """How often elements occur.

    compositions : number of distinct compositions
    of_element : symbol -> number of these compositions that contain it; without those of 0
    """

    compositions: int
    of_element: Mapping[str, int]


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
        for statement in _PREPARATION:
            self._connection.execute(statement)
        self._connection.unregister("given")
        self._connection.execute("SET python_enable_replacements = false")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self.columns: tuple[str, ...] = tuple(table.column_names)
        self.rows: int = table.num_rows
        self.runs: int = self._connection.execute("SELECT count(*) FROM runs").fetchall()[0][0]

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
        among: Collection[str] | None = None,
    ) -> pa.Table:
        """The rows that meet a condition, the highest of one column first, missing values last, then by formula.

        where : see `core.campaigns.condition`
        order : a column
        most : at most so many rows
        each_composition_once : only the first row of each formula, with FOUND_COLUMNS: the number of runs that found
            it among the rows that meet the condition, and their bases
        columns : the columns of the result; empty: all
        among : only candidates with one of these formulas; None: all

        Raises InputError for a wrong condition or an unknown column.
        """
        for name in (order, *columns):
            if name not in self.columns:
                raise InputError("column", name, "the candidates have no such column",
                                 f"Choose {', '.join(self.columns)}")  # fmt: skip
        shown = ", ".join(f'"{name}"' for name in columns or self.columns)
        limit = "" if most is None else f" LIMIT {most:d}"
        by = f'"{order}" DESC NULLS LAST, formula, run, rank'
        if not each_composition_once:
            return self._answer(f"SELECT {shown} FROM {TABLE} WHERE {{where}} ORDER BY {by}{limit}", where, among)
        # The names of the bases and the other columns are looked up only for the rows of the answer.
        query = f"""
            WITH meeting AS MATERIALIZED (
                SELECT _formula, _run, _base, _row, rank, "{order}" AS value FROM {TABLE} WHERE {{where}}
            ), best AS (
                SELECT _formula, max(value) AS value FROM meeting GROUP BY _formula
                ORDER BY value DESC NULLS LAST, _formula{limit}
            ), found AS (
                SELECT _formula, arg_min(_row, (value IS NULL, -value, _run, rank)) AS _row,
                    count(DISTINCT _run) AS found_in_runs
                FROM meeting SEMI JOIN best USING (_formula) GROUP BY _formula
            ), named AS (
                SELECT _formula, string_agg(base, ', ' ORDER BY base) AS found_from_bases
                FROM (SELECT DISTINCT _formula, _base FROM meeting SEMI JOIN best USING (_formula))
                JOIN bases USING (_base) GROUP BY _formula
            )
            SELECT {shown}, found_in_runs, found_from_bases
            FROM found JOIN named USING (_formula) JOIN {TABLE} USING (_row) ORDER BY {by}"""
        return self._answer(query, where, among)

    def occurrence(self, where: str = EVERYTHING, among: Collection[str] | None = None) -> Occurrence:
        """The compositions of the rows that meet a condition, and their elements. Arguments and errors as `select`."""
        query = f"""
            WITH meeting AS MATERIALIZED (SELECT DISTINCT _formula FROM {TABLE} WHERE {{where}})
            SELECT '' AS element, count(*) AS n FROM meeting
            UNION ALL SELECT element, count(*) FROM meeting JOIN contained USING (_formula) GROUP BY element"""
        found = {row["element"]: row["n"] for row in self._answer(query, where, among).to_pylist()}
        return Occurrence(found.pop(""), found)

    def _answer(self, query: str, where: str, among: Collection[str] | None) -> pa.Table:
        """The answer to a query with "{where}" in the place of its condition. Raises InputError for a wrong one."""
        import duckdb

        connection = self._connection.cursor()  # of this query: pages of several users ask at the same time
        condition = f"({checked_condition(where, self.columns, connection)}\n)"
        if among is not None:
            condition += " AND formula IN (SELECT unnest($among))"
        try:
            given = None if among is None else {"among": sorted(among)}
            return connection.sql(query.replace("{where}", condition), params=given).to_arrow_table()
        except duckdb.Error as error:
            raise InputError("where", where, f"this condition cannot be evaluated ({str(error).splitlines()[0]})",
                             "Compare numbers with numbers and text with text") from None  # fmt: skip
