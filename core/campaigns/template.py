"""One problem for many bases, seeds and methods, as a campaign."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.campaigns.axes import (
    BASE,
    LIST_FIELDS,
    LIST_SETTINGS,
    METHOD,
    METHOD_SETTINGS,
    SEED,
    SETTINGS,
    Axis,
    read_axes,
)
from core.campaigns.bases import read_bases
from core.campaigns.campaign import Campaign
from core.errors import InputError
from core.problem.problem import DesignProblem

LARGEST_SEED = 2**32 - 1


def for_many(
    problem: DesignProblem, bases: Any, seeds: int, methods: Sequence[str] = (), folder: Path = Path()
) -> Campaign:
    """The campaign of this problem with other bases, seeds and methods.

    bases : see `core.campaigns.bases.read_bases`, with `folder`
    seeds : number of seeds, from that of the problem on
    methods : names; empty: that of the problem. Settings that only one method reads are kept for the method of the
        problem, and have their default values for others

    Raises InputError as `read_bases`, `Campaign` and `Axis`, and for a number of seeds below 1 or a seed that is too
    large. The problems themselves are checked by `planned_runs`.
    """
    content = json.loads(problem.to_json())
    content.pop("schema")
    own = content.pop(METHOD_SETTINGS)
    names = tuple(methods) or (problem.method,)
    content[BASE] = list(read_bases(bases, folder))
    content[SEED] = list(_seeds(problem.seed, seeds))
    content[METHOD] = [{"name": name, "settings": own} if name == problem.method and own else name for name in names]
    # A list with one entry that is a list itself is one value.
    content |= {name: [content[name]] for name in LIST_FIELDS & content.keys()}
    content[SETTINGS] |= {name: [content[SETTINGS][name]] for name in LIST_SETTINGS & content[SETTINGS].keys()}
    return Campaign(read_axes(content))


def with_more_seeds(campaign: Campaign, more: int) -> Campaign:
    """The campaign with `more` further seeds, each one above the largest. Raises InputError as `for_many`."""
    (present,) = [axis.values for axis in campaign.axes if axis.name == SEED] or [(DesignProblem.seed,)]
    seeds = Axis(SEED, (*present, *_seeds(max(present) + 1, more)))
    others = tuple(axis for axis in campaign.axes if axis.name != SEED)
    return Campaign((*others, seeds), campaign.keep, campaign.limits, campaign.threads)


def _seeds(first: int, number: int) -> range:
    if number < 1 or first + number - 1 > LARGEST_SEED:
        raise InputError(SEED, number, f"the number of seeds must be 1 or more, and the largest seed {LARGEST_SEED:,}",
                         "Write 3")  # fmt: skip
    return range(first, first + number)
