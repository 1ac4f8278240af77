"""The only wiring: a problem becomes a task, the task is optimised, what comes out is rounded, screened and placed.

`design` does it all in one call. Whoever must be able to stop and resume (see `core.runs.store`) uses the same three
parts: `prepare`, `optimise`, `conclude`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, formula_of_counts
from core.chemistry.families import families
from core.errors import InputError
from core.evaluation.funnel import MAX_SCREENED_ELEMENTS, first_failed, funnel
from core.evaluation.predictions import PREDICTED, predicted
from core.evaluation.stability_and_novelty import stability_and_novelty
from core.evaluation.table import DesignResult, hydrogen_rich, screens, typed
from core.generation import substitution
from core.generation.gradient import optimiser
from core.generation.gradient.batch_parallel import SideBySide
from core.generation.gradient.constraint_projection import limits_of
from core.generation.gradient.optimiser import Report, State, Task
from core.generation.gradient.simplex_map import Constraints
from core.generation.initialization import MIXTURE, GuessMaker, completed
from core.generation.rounding import Rounded, round_compositions
from core.generation.search.neutral_neighbors import Grid, Search, best_on_grid
from core.predictors.control_model import load_judge
from core.predictors.device import resolve_device, resolve_precision
from core.predictors.interface import Predictor, in_bfloat16
from core.predictors.registry import known_elements, load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import ANY_FAMILY, BFLOAT16, INTERPOLATED, KNOWN, NEAREST, RAISE_TC, SUBSTITUTION
from core.reference_data.references import load_references
from core.screening.charge_neutrality import charge_balance
from core.screening.neutrality_filter import balanced_compounds, passes_at_once

FROM_KNOWN = (KNOWN, INTERPOLATED)
PREDICTED_AT_ONCE = 1024  # compositions, to bound the memory
MOVED_AT_ONCE = 512  # candidates for each core, likewise
NEAREST_POINT = Search(radii=(0.03, 0.06, 0.12, 0.24, 0.48, 1.0), choices=1)
ADDED = 1  # tells the random stream of what is added to a guess from that of the guess
NOT_PLACED = {"f": np.nan, "b": False, "O": ""}  # by kind of the column
UNSTABLE_K = 1e6  # added to the loss of what fails the screen of the formation energy

OnStep = Callable[[State, Report], bool]
Load = Callable[[str], Predictor]


def known_by(problem: DesignProblem) -> dict[str, frozenset[str]]:
    """Which elements each predictor of this problem knows, by the name that messages call it."""
    return {
        "Tc model": known_elements(problem.tc_predictor),
        "formation-energy model": known_elements(problem.formation_energy_predictor),
    }


def check(problem: DesignProblem) -> list[InputError]:
    """Everything that is wrong with a problem, the same for page, command line and engine; empty if it can run."""
    known = known_by(problem)
    wrong = problem.check(known)
    if not wrong:
        wrong = _check_start(problem)
    if problem.method == SUBSTITUTION and not wrong:
        return substitution.check(problem, frozenset.intersection(*known.values()))
    return wrong


def _check_start(problem: DesignProblem) -> list[InputError]:
    """A start from known superconductors needs some."""
    settings = problem.course()
    if problem.task != RAISE_TC or settings.start not in FROM_KNOWN or len(starting_materials(problem)):
        return []
    family = "" if settings.start_family == ANY_FAMILY else f"{settings.start_family} "
    return [
        InputError("start_above_K", settings.start_above_K, f"no known {family}superconductor above this Tc is made of "
                   "elements that may be there", "Lower the Tc, take another family, or allow more elements")
    ]  # fmt: skip


def starting_materials(problem: DesignProblem) -> np.ndarray:
    """The known superconductors (m, 118) that the problem may start from: of the family, above the Tc, and with no
    element that may not be there."""
    references, settings = load_references(), problem.settings
    usable = {*problem.allowed_symbols(frozenset.intersection(*known_by(problem).values())), *problem.fixed_fractions()}
    other = np.array([symbol not in usable for symbol in elements.symbols()])
    chosen = (references.known_tc_K > settings.start_above_K) & ~references.known_compositions[:, other].any(1)
    if settings.start_family != ANY_FAMILY:
        chosen &= families(references.known_compositions) == settings.start_family
    return references.known_compositions[chosen]


def prepare(problem: DesignProblem, load: Load = load_predictor) -> tuple[Task, torch.device]:
    """Load predictors and build constraints and guesses. Raises InputError for the first thing that is wrong.

    load : name of a checkpoint -> predictor
    """
    for error in check(problem):
        raise error
    device = resolve_device(problem.device)
    predictors = [load(name).to(device) for name in (problem.tc_predictor, problem.formation_energy_predictor)]
    faster = resolve_precision(problem.precision, device) == BFLOAT16
    known = set.intersection(*(set(symbols) for symbols in known_by(problem).values()))
    fixed = np.zeros(elements.N_ELEMENTS)
    for symbol, fraction in problem.least_fractions().items():
        fixed[elements.element(symbol).index] = fraction
    rooms, allowed = _free_parts(problem, known)
    demands = problem.demands(known)
    makers = [_guess_maker(problem, mask, fixed * mask, part) for part, mask in enumerate(allowed)]

    def guess(candidate: int, restart: int) -> torch.Tensor:
        parts = [maker.guess(candidate, restart) for maker in makers]
        if demands is not None:
            random = np.random.default_rng([problem.seed, candidate, restart, ADDED])
            parts = [completed(parts[0], demands, allowed[0], random)]
        return torch.from_numpy(np.concatenate(parts)).float().to(device)

    task = Task(
        tc=predictors[0],
        formation_energy=predictors[1],
        constraints=Constraints(
            torch.from_numpy(fixed).float(),
            torch.from_numpy(allowed.ravel()),
            torch.tensor(rooms) if len(rooms) > 1 else None,
            demands and limits_of(demands),
        ).to(device),
        settings=problem.course(),
        atom_counts=torch.tensor(problem.atom_counts(), dtype=torch.float32, device=device),
        guess=guess,
        cores=SideBySide(torch.get_num_threads(), MOVED_AT_ONCE) if device.type == "cpu" else SideBySide(),
        climbs=tuple(map(in_bfloat16, predictors)) if faster else None,
    )
    return task, device


def _free_parts(problem: DesignProblem, known: Collection[str]) -> tuple[tuple[float, ...], np.ndarray]:
    """Fraction of all atoms in each free part, and M_elem (parts, 118); a random substitution draws a single part."""
    rooms = tuple(room for _, room in problem.free_parts())
    symbols = [problem.allowed_symbols(known, part) for part in range(len(rooms))]
    if problem.method == SUBSTITUTION:
        rooms, symbols = (sum(rooms),), [problem.allowed_symbols(known)]
    allowed = np.zeros((len(rooms), elements.N_ELEMENTS), dtype=bool)
    for mask, names in zip(allowed, symbols, strict=True):
        mask[[elements.element(symbol).index for symbol in names]] = True
    return rooms, allowed


def _guess_maker(
    problem: DesignProblem, allowed: np.ndarray, floors: np.ndarray, part: int
) -> GuessMaker | substitution.Substituter:
    """What draws the first composition of each candidate: to start from, or all there is to a substitution."""
    if problem.method == SUBSTITUTION:
        return substitution.substituter(problem, allowed)
    settings = problem.settings
    start = settings.start if problem.task == RAISE_TC else MIXTURE
    return GuessMaker(
        start=start,
        base=composition_vector(problem.base_fractions()),
        allowed=allowed,
        floors=floors,
        room=1 - sum(problem.least_fractions().values()),
        frequencies=load_references().frequencies,
        mutate_probability=settings.mutate_probability,
        perturb_ratio=settings.perturb_ratio,
        added_elements=settings.added_elements,
        seed=problem.seed,
        part=part,
        known=starting_materials(problem) if start in FROM_KNOWN else None,
    )


def optimise(task: Task, state: State | None = None, on_step: OnStep | None = None) -> tuple[State, str]:
    """Run both stages from `state` (or the start). Returns the last state and "finished" or "cancelled".

    on_step(state, report) is called after every step with the state reached and what was seen before the move; it
    returns False to cancel.
    """
    state = optimiser.init(task) if state is None else state
    while int(state.step) < sum(task.settings.steps):
        state, report = optimiser.step(task, state)
        if on_step is not None and not on_step(state, report):
            return state, "cancelled"
    return state, "finished"


def design(problem: DesignProblem, on_step: OnStep | None = None) -> DesignResult:
    """Solve a problem in this process. Raises InputError if it cannot be run as it is."""
    task, device = prepare(problem)
    state, status = optimise(task, on_step=on_step)
    return conclude(problem, task, state, status, device)


def conclude(problem: DesignProblem, task: Task, state: State, status: str, device: torch.device) -> DesignResult:
    """Round, evaluate the integer formulas again, screen, place on the hull, compare with what is known."""
    report = optimiser.evaluate(task, state)
    alive = task.constraints.alive(state.x_base, state.max_mask).cpu().numpy()
    composition = report.composition.cpu().numpy().astype(np.float64)
    chosen = np.flatnonzero(alive)
    with torch.no_grad():
        parts = task.constraints.parts(state.x_base, state.max_mask).cpu().numpy().astype(np.float64)
    rounded, whole, moved = _rounded(problem, task, composition[chosen], parts[chosen])
    lost = {
        "nothing positive was left in the last step": int((~alive).sum()),
        "no whole atoms near it keep the bounds, groups and ratios": len(chosen) - len(whole),
    }
    chosen = chosen[whole]
    first, times = _distinct(rounded)
    table = _described(_Found(rounded, report, chosen, first, times), task, problem.charge_rule)
    base_composition = composition_vector(problem.base_fractions())[None]
    said = predicted(task.tc, task.formation_energy, _on_device(task, base_composition))
    base = {name: said[name] for name in PREDICTED} | {"tc_judge_K": load_judge().tc_K(base_composition)}
    table["tc_gain_K"] = table["tc_K"] - base["tc_K"][0]
    order = np.lexsort((table["formula"], -table["tc_K"], ~table["passes"]))
    table = table.iloc[order].reset_index(drop=True)
    table["rank"] = np.arange(1, len(table) + 1)
    return DesignResult(
        problem=problem,
        status=status,
        base={name: float(values[0]) for name, values in base.items()},
        candidates=typed(table),
        funnel=funnel(table, len(alive), lost, moved, screens(problem.charge_rule)),
        restarts=int(state.restarts.sum()),
        device=str(device),
    )


def _rounded(
    problem: DesignProblem, task: Task, compositions: np.ndarray, parts: np.ndarray
) -> tuple[Rounded, np.ndarray, int]:
    """The integer formulas of compositions (n, 118) with their free parts (n, parts, 118); which compositions have one
    that keeps all demands, ascending; and how many are not the nearest one.

    What passes the charge screens as rounded stays. So no formula that plain rounding would have proposed is lost.
    Several sites keep their own numbers of atoms, and with them the total charge: there the nearest formula stays too.
    """
    kept, floors = (x.cpu().numpy().astype(np.float64) for x in (task.constraints.kept, task.constraints.floors))
    grid = _grid(problem, kept, floors)
    demands = problem.demands(elements.symbols())
    whole = np.arange(len(compositions))
    if demands is None:
        exempt = task.settings.exempt_elements
        rounded = round_compositions(compositions, kept, grid.atom_counts, floors, exempt, parts)
    else:
        whole, counts = best_on_grid(compositions, grid, demands.met, _all_equal, NEAREST_POINT)
        rounded = Rounded(counts, counts)
    if task.settings.rounding == NEAREST or parts.shape[1] > 1:
        return rounded, whole, 0

    def balanced(counts: np.ndarray) -> np.ndarray:
        fine = (counts > 0).sum(1) <= MAX_SCREENED_ELEMENTS
        fine = fine if demands is None else fine & demands.met(counts)
        return fine & balanced_compounds(counts, problem.charge_rule)

    failing = np.flatnonzero(~(passes_at_once(rounded.counts) | balanced(rounded.counts)))
    owner, counts = best_on_grid(compositions[whole[failing]], grid, balanced, partial(_loss, task))
    moved = failing[owner]
    return rounded.exchanged(moved, counts), whole, len(moved)


def _grid(problem: DesignProblem, kept: np.ndarray, floors: np.ndarray) -> Grid:
    """The integer formulas that keep what is fixed, all floors and the bounds of single elements."""
    least, most = floors.copy(), np.ones_like(floors)
    for symbol, (low, high) in problem.bounds.items():
        column = elements.element(symbol).index
        least[column], most[column] = max(least[column], low), high
    return Grid(problem.atom_counts(), kept, least, most)


def _all_equal(compositions: np.ndarray) -> np.ndarray:
    return np.zeros(len(compositions))


@dataclass(frozen=True)
class _Found:
    """The distinct formulas: rows `first` of `rounded`, reached `times` times; `chosen` are candidate numbers."""

    rounded: Rounded
    report: Report
    chosen: np.ndarray
    first: np.ndarray
    times: np.ndarray


def _distinct(rounded: Rounded) -> tuple[np.ndarray, np.ndarray]:
    """Row of the first occurrence of each formula, ascending, and how often it occurs."""
    if len(rounded.counts) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    _, first, times = np.unique(rounded.counts, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return first[order], times[order]


def _described(found: _Found, task: Task, charge_rule: str) -> pd.DataFrame:
    """Every column but rank and gain, one row per distinct formula."""
    counts = found.rounded.counts[found.first]
    compositions = found.rounded.compositions[found.first]
    candidates = found.chosen[found.first]
    amounts = found.rounded.amounts[found.first]
    balances = charge_balance(counts, charge_rule, list(counts.sum(1) / amounts.sum(1)))
    table = pd.DataFrame({"formula": [formula_of_counts(a) for a in amounts]}, dtype="str")
    for name, values in predicted(task.tc, task.formation_energy, _on_device(task, compositions)).items():
        table[name] = values
    table["tc_judge_K"] = load_judge().tc_K(compositions)
    table["hydrogen_rich"] = hydrogen_rich(compositions)
    table["n_elements"] = (counts > 0).sum(1)
    table["n_atoms"] = np.round(amounts.sum(1)).astype(np.int64)
    table["charge_neutral"] = np.array([b.charge_neutral for b in balances], dtype=bool)
    table["pauling_ok"] = np.array([b.pauling_ok for b in balances], dtype=bool)
    table["reason"] = [b.reason for b in balances]
    table["oxidation_states"] = [b.written for b in balances]
    table["failed_screen"] = first_failed(table)
    table["passes"] = table["failed_screen"] == ""
    for name, tensor in (
        ("tc_before_rounding_K", found.report.tc_K),
        ("formation_energy_before_rounding_eV_per_atom", found.report.formation_energy_eV_per_atom),
        ("integer_loss", found.report.integer_loss),
    ):
        table[name] = tensor.cpu().numpy().astype(np.float64)[candidates]
    optimised = found.report.composition.cpu().numpy().astype(np.float64)[candidates]
    table["rounding_distance"] = np.abs(compositions - optimised).sum(1) / 2
    table["times_found"] = found.times
    table["candidate"] = candidates
    _place(table, compositions, task.formation_energy)
    return table


def _loss(task: Task, compositions: np.ndarray) -> np.ndarray:
    """L_1 (n,) in K of compositions (n, 118), larger than any other where the formation energy is not below zero."""
    with torch.no_grad():
        parts = [
            optimiser.first_loss(task.settings, x, task.tc, task.formation_energy)
            for x in _on_device(task, compositions).split(PREDICTED_AT_ONCE)
        ]
    loss, _, energy = (torch.cat(column).cpu().numpy().astype(np.float64) for column in zip(*parts, strict=True))
    return np.where(energy < 0, loss, loss + UNSTABLE_K)


def _on_device(task: Task, compositions: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(compositions).float().to(task.constraints.fixed.device)


def _place(table: pd.DataFrame, compositions: np.ndarray, formation_energy: Predictor) -> None:
    """Add the columns of `stability_and_novelty` for the rows that pass; empty for the others."""
    passing = np.flatnonzero(table["passes"])
    energies = table["formation_energy_eV_per_atom"].to_numpy()[passing]
    for name, values in stability_and_novelty(formation_energy, compositions[passing], energies).items():
        column = np.full(len(table), NOT_PLACED[values.dtype.kind], dtype=values.dtype)
        column[passing] = values
        table[name] = column
