"""The table of a query, some formulas at a time, so that a page can show the progress. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from app.predict.query import MOST_FORMULAS, Query, ReadQuery
from core.evaluation.csv_export import to_csv
from core.evaluation.formula_csv import with_other_columns
from core.evaluation.user_formulas import Assessor, UserFormula

_Key = tuple[str, str | None]  # of a formula: as given and as read


@dataclass
class Assessment:
    """The rows of a query, assessed once for each distinct formula; what is done stays when the page is redrawn."""

    query: Query
    read: ReadQuery
    _tables: list[pd.DataFrame] = field(default_factory=list)
    _places: dict[_Key, int] = field(default_factory=dict)  # in these tables, one after another

    def continued(self, query: Query, read: ReadQuery) -> Assessment:
        """The assessment of another query, with the rows that are the same; none for other models or rules."""
        same = (query.models, query.charge_rule) == (self.query.models, self.query.charge_rule)
        if not same or len(self._places) > MOST_FORMULAS:
            return Assessment(query, read)
        return Assessment(query, read, list(self._tables), dict(self._places))

    @property
    def total(self) -> int:
        """Number of rows of the whole table."""
        return len(self.read.formulas)

    def pending(self) -> list[UserFormula]:
        """The distinct formulas that are not assessed yet."""
        return list({_key(f): f for f in self.read.formulas if _key(f) not in self._places}.values())

    def advance(self, assessor: Assessor, formulas: Sequence[UserFormula]) -> None:
        """Assess some of the pending formulas."""
        table = assessor.screen(formulas)
        self._places |= {_key(formula): len(self._places) + place for place, formula in enumerate(formulas)}
        self._tables.append(table)

    def table(self) -> pd.DataFrame:
        """The columns of `core.evaluation.user_formulas.screen`, one row per formula; none may be pending."""
        places = [self._places[_key(formula)] for formula in self.read.formulas]
        return pd.concat(self._tables, ignore_index=True).iloc[places].reset_index(drop=True)

    def csv(self) -> str:
        """The table as `python -m core screen` writes it, with the other columns of the file."""
        return to_csv(with_other_columns(self.table(), self.read.formulas, self.read.rows, self.read.others))


def _key(formula: UserFormula) -> _Key:
    return formula.text, None if formula.reading is None else formula.reading.read_as
