"""What a user asks on the page Predict, and its link. No Streamlit here.

A link names each formula or series (`?formula=MgB2&formula=YBCO`) and the settings that are not the default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.chemistry.formula_lists import split_formulas
from core.errors import InputError
from core.evaluation.formula_csv import FormulaCsv, Row
from core.evaluation.user_formulas import UserFormula, read_texts
from core.predictors.registry import MODELS, Models
from core.problem.settings import CHARGE_RULES, ONE_STATE

BEST = next(iter(MODELS))
LONGEST_LINK = 1500  # characters of formulas; longer links break in mail and chat programs
MOST_FORMULAS = 20_000  # on the page; the command line has no limit


@dataclass(frozen=True)
class Query:
    """Formulas to assess.

    text : formulas as typed or pasted
    file : name and content of a CSV file, which is read instead of the text if it is not None
    replaced : for a file: text of a formula -> the proposal that the user accepted
    models : key of `core.predictors.registry.MODELS`
    charge_rule : of the papers' screen, see `core.screening.charge_neutrality`
    undetermined_as_zero : read YBa2Cu3O7-d as YBa2Cu3O7
    """

    text: str = ""
    file: tuple[str, bytes] | None = None
    replaced: Mapping[str, str] = field(default_factory=dict)
    models: str = BEST
    charge_rule: str = ONE_STATE
    undetermined_as_zero: bool = False

    @property
    def model_names(self) -> Models:
        """The models of Tc and formation energy."""
        return MODELS[self.models]


@dataclass(frozen=True)
class ReadQuery:
    """The formulas of a query as they were understood; a series is expanded.

    texts : formulas and series as given, or why a row is unclear
    others : names of the other columns of the file
    """

    texts: tuple[str | InputError, ...]
    formulas: tuple[UserFormula, ...]
    rows: tuple[Row, ...] = ()
    others: tuple[str, ...] = ()


def read_query(query: Query) -> ReadQuery:
    """Read all formulas. Raises InputError for a file that cannot be read, and for more than MOST_FORMULAS."""
    rows: tuple[Row, ...] = ()
    others: tuple[str, ...] = ()
    if query.file is None:
        texts = tuple(split_formulas(query.text))
    else:
        name, content = query.file
        with FormulaCsv(Path(name), content) as file:
            rows, others = tuple(file.rows()), file.others
        texts = tuple(row.formula for row in rows)
    _check_count(len(texts), query)
    formulas = tuple(
        found
        for source, text in enumerate(texts)
        for found in _read(source, text, query.replaced.get(given_text(text)), query.undetermined_as_zero)
    )
    _check_count(len(formulas), query)
    return ReadQuery(texts, formulas, rows, others)


def _read(source: int, text: str | InputError, proposal: str | None, undetermined_as_zero: bool) -> list[UserFormula]:
    """The formulas of one text; of the accepted proposal, if there is one, under the text as given."""
    meant = [text] if proposal is None else split_formulas(proposal)
    found = read_texts(meant, undetermined_as_zero)
    return [replace(each, source=source, text=each.text if proposal is None else given_text(text)) for each in found]


def _check_count(count: int, query: Query) -> None:
    if count > MOST_FORMULAS:
        given = "the text" if query.file is None else query.file[0]
        rule = f"these are {count:,} formulas, and this page takes {MOST_FORMULAS:,}"
        raise InputError("formulas", given, rule, "Use python -m core screen --csv, which has no limit")


def given_text(text: str | InputError) -> str:
    """A text of `ReadQuery.texts` as given."""
    return str(text.value) if isinstance(text, InputError) else text


def with_proposals(query: Query, accepted: Mapping[str, str]) -> Query:
    """The query with proposals in place of these texts: in the text, which then has one formula per line, or noted
    for the rows of the file."""
    if query.file is not None:
        return replace(query, replaced={**query.replaced, **accepted})
    lines = map(given_text, split_formulas(query.text))
    return replace(query, text="\n".join(accepted.get(line, line) for line in lines))


# ---- link --------------------------------------------------------------------------------------------------------


def to_link(query: Query) -> dict[str, list[str]]:
    """Query parameters; none for a file, and none for a text that is too long for a link."""
    if query.file is not None or len(query.text) > LONGEST_LINK:
        return {}
    link = {"formula": [given_text(text) for text in split_formulas(query.text)]}
    if query.models != BEST:
        link["models"] = [query.models]
    if query.charge_rule != ONE_STATE:
        link["charge_rule"] = [query.charge_rule]
    if query.undetermined_as_zero:
        link["undetermined"] = ["zero"]
    return link if link["formula"] else {}


def from_link(link: Mapping[str, Sequence[str]]) -> Query:
    """The inverse of `to_link`; unknown parameters and values are ignored."""
    models, charge_rule = (link.get(name, [""])[-1] for name in ("models", "charge_rule"))
    return Query(
        text="\n".join(link.get("formula", ())),
        models=models if models in MODELS else BEST,
        charge_rule=charge_rule if charge_rule in CHARGE_RULES else ONE_STATE,
        undetermined_as_zero=link.get("undetermined", [""])[-1] == "zero",
    )
