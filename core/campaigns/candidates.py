"""The candidates of all runs of a folder as one typed table: a Parquet file, made from the tables of the runs.

The file can be deleted at any time. It names the runs that it holds, so that only new and changed runs are read.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.campaigns.folder import CAMPAIGN, RUNS
from core.chemistry import elements
from core.chemistry.composition import compositions
from core.chemistry.families import families
from core.errors import InputError
from core.evaluation.candidate_table import read
from core.evaluation.columns import COLUMNS, Column
from core.evaluation.headline import control_disagrees
from core.evaluation.ranking import tc_minus_error_K
from core.files import write_atomically
from core.runs import layout
from core.runs.damage import DamageError
from core.runs.run import Run
from core.runs.status import WITH_RESULT

TABLE = "candidates.parquet"
_HELD, _SCHEMA = b"tc_studio_runs", 1
RUN_COLUMNS = (
    Column("run", "str", "Run", "Folder of the run"),
    Column("campaign", "str", "Campaign", "Folder of the campaign; empty for a run outside a campaign"),
    Column("base", "str", "Base", "Base material of the run"),
    Column("method", "str", "Method", "Method of the run"),
    Column("seed", "int64", "Seed", "Seed of the run"),
)
FURTHER_COLUMNS = (
    Column("new", "bool", "New", "No known superconductor has this composition"),
    Column("tc_minus_error_K", "float64", "Tc − error (K)", "Predicted Tc minus its expected error", 2),
    Column("control_disagrees", "boolean", "Control differs", "The control model's Tc differs by more than the error"),
    Column("family", "str", "Family", "Cuprate, iron-based, hydride or other"),
    Column("elements", "list", "Elements", "Symbols of the elements, by atomic number"),
)
ALL_COLUMNS = (*RUN_COLUMNS, *COLUMNS, *FURTHER_COLUMNS)
_TYPES = {"str": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(), "boolean": pa.bool_(),
          "list": pa.list_(pa.string())}  # fmt: skip
_TOGETHER = 100  # runs whose tables are read together, which bounds the memory


def candidates_of(folders: Sequence[Path]) -> pa.Table:
    """The candidates of all runs with a result in these folders, with the columns ALL_COLUMNS.

    folders : each a campaign, or a folder of runs

    Damaged runs are left out; `python -m core doctor` lists them. Raises InputError for a folder without runs.
    """
    return pa.concat_tables([compacted(Path(folder).absolute()) for folder in folders])


def state_of(folders: Sequence[Path]) -> str:
    """Text that changes whenever `candidates_of` these folders may change. Raises InputError as `candidates_of`."""
    return json.dumps({str(folder): _stamps(_runs_of(Path(folder).absolute())[0]) for folder in folders})


def compacted(folder: Path) -> pa.Table:
    """The candidates of one folder, from its compacted file and the runs that are new or have changed since."""
    runs, campaign = _runs_of(folder)
    stored = _read_compacted(folder / TABLE)
    now = _stamps(runs)
    before = _held(stored)
    fresh = [run for run in runs if run.id in now and before.get(run.id) != now[run.id]]
    if stored is not None and not fresh and before.keys() == now.keys():
        return stored.replace_schema_metadata(None)
    parts = [] if stored is None else [_only(stored, {run for run in now if before.get(run) == now[run]})]
    parts += [_of_runs(fresh[first : first + _TOGETHER], campaign) for first in range(0, len(fresh), _TOGETHER)]
    table = pa.concat_tables([part.replace_schema_metadata(None) for part in parts] or [_empty()])
    table = table.sort_by([("run", "ascending"), ("rank", "ascending")])
    with suppress(OSError):  # without write permission the runs are read again next time
        _write(folder / TABLE, table.replace_schema_metadata({_HELD: json.dumps([_SCHEMA, now]).encode()}))
    return table


def _runs_of(folder: Path) -> tuple[list[Run], str]:
    """The runs of a folder, and the name of its campaign. Raises InputError if it holds neither."""
    campaign = (folder / CAMPAIGN).is_file()
    place = folder / RUNS if campaign else folder
    if not place.is_dir() or (folder / layout.PROBLEM).is_file():
        raise InputError("folder", folder, "this is neither a campaign nor a folder of runs", "Name one")
    return [Run(f) for f in sorted(place.iterdir()) if layout.is_run(f)], folder.name if campaign else ""


def _stamps(runs: Sequence[Run]) -> dict[str, list[int]]:
    """Run id -> size and time of its table, of the runs with a result."""
    return {run.id: stamp for run in runs if (stamp := _stamp(run)) is not None}


def _stamp(run: Run) -> list[int] | None:
    try:
        found = (run.folder / layout.TABLE).stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns] if run.stored_status().phase in WITH_RESULT else None


def _of_runs(runs: Sequence[Run], campaign: str) -> pa.Table:
    """The candidates of some runs with the columns ALL_COLUMNS, without those of damaged runs.

    Tables of the same columns, those of one version, are joined before anything is computed: every step on 50 columns
    of a small table costs as much as on a large one.
    """
    alike: dict[pa.Schema, list[pa.Table]] = {}
    for run in runs:
        table = _stored(run, campaign)
        if table is not None:
            alike.setdefault(table.schema, []).append(table)
    whole: list[pa.Table] = [_empty()]
    for tables in alike.values():
        try:
            whole.append(_completed(pa.concat_tables(tables)))
        except (KeyError, ValueError, TypeError, pa.ArrowException):  # of a damaged table: the others one by one
            for table in tables if len(tables) > 1 else ():
                with suppress(KeyError, ValueError, TypeError, pa.ArrowException):
                    whole.append(_completed(table))
    return pa.concat_tables(whole)


def _stored(run: Run, campaign: str) -> pa.Table | None:
    """The stored table of a run with the columns RUN_COLUMNS; None if the run is damaged."""
    try:
        problem, table = run.problem(), run.arrow_candidates()
    except (DamageError, OSError):
        return None
    about = (run.id, campaign, problem.base, problem.method, problem.seed)
    for column, value in zip(RUN_COLUMNS, about, strict=True):
        kind = _TYPES[column.dtype]
        table = table.append_column(pa.field(column.name, kind), pa.repeat(pa.scalar(value, kind), table.num_rows))
    return table.replace_schema_metadata(None)


def _completed(stored: pa.Table) -> pa.Table:
    """Stored tables with RUN_COLUMNS -> the columns ALL_COLUMNS. Raises KeyError, ValueError for damaged ones."""
    frame = stored.to_pandas()
    table = read(frame)
    formulas = pd.unique(table["formula"])  # other seeds and bases have found many of them too
    x = compositions(formulas)
    symbols = np.array(elements.symbols())
    inside = pd.Series([symbols[row > 0].tolist() for row in x], index=formulas, dtype=object)
    further = {
        **{column.name: frame[column.name] for column in RUN_COLUMNS},
        "new": ~table["known"].to_numpy(),
        "tc_minus_error_K": tc_minus_error_K(table),
        "control_disagrees": control_disagrees(table),
        "family": table["formula"].map(pd.Series(families(x), index=formulas)),
        "elements": table["formula"].map(inside),
    }
    return pa.Table.from_pandas(table.assign(**further), schema=_schema(), preserve_index=False)


def _schema() -> pa.Schema:
    return pa.schema([(column.name, _TYPES[column.dtype]) for column in ALL_COLUMNS])


def _empty() -> pa.Table:
    return _schema().empty_table()


def _read_compacted(path: Path) -> pa.Table | None:
    """The compacted file; None if there is none, or it is not one of this version."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException):
        return None
    return table if _held(table) and table.schema.remove_metadata() == _schema() else None


def _held(table: pa.Table | None) -> dict[str, list[int]]:
    """Run id -> stamp of the runs in a compacted table; empty without a readable list."""
    try:
        schema, held = json.loads(((table.schema.metadata or {}) if table is not None else {})[_HELD])
    except (KeyError, ValueError, TypeError):
        return {}
    return held if schema == _SCHEMA else {}


def _only(table: pa.Table, runs: set[str]) -> pa.Table:
    return table.filter(pc.field("run").isin(pa.array(sorted(runs), pa.string())))


def _write(path: Path, table: pa.Table) -> None:
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    write_atomically(path, content.getvalue(), private=True)


def as_frame(table: pa.Table) -> pd.DataFrame:
    """The table as pandas, with lists of elements as text: "La Fe As O"."""
    frame = table.to_pandas()
    if "elements" in frame:
        frame["elements"] = [" ".join(symbols) for symbols in frame["elements"]]
    return frame
