"""The title of a design problem: one line, as text or HTML. Pure functions."""

from __future__ import annotations

from app.text.formatting import charge_text, formula_text, replacement_text
from app.text.html import TC, formula_html
from core.generation.registry import generator_of, registration
from core.problem.problem import DesignProblem
from core.problem.settings import (
    ANY_FAMILY,
    ENUMERATED,
    INTERPOLATED,
    KNOWN,
    RAISE_TC,
    TARGET,
    OptimiserSettings,
)
from core.problem.substitution_sites import EMPTY, Site


def effective_settings(problem: DesignProblem) -> OptimiserSettings:
    """The settings as the generator of the problem carries them out."""
    return generator_of(problem).effective_settings(problem)


def title(problem: DesignProblem) -> str:
    """What a problem asks for, with its constraints: "Raise Tc of LaFeAsO with Fe, As fixed"."""
    base = formula_text(problem.base)
    if problem.task != RAISE_TC:
        return f"{_substitution(problem, base)}{_method(problem)}"
    fixed = ", ".join(problem.fixed or ())
    parts = [f"{fixed} fixed"] if fixed else []
    parts += [f"{symbol} at least {x:.0%}" for symbol, x in problem.floors.items()]
    constraints = f" with {', '.join(parts)}" if parts else ""
    return f"Raise Tc{_goal(problem, base)}{constraints}{_method(problem)}"


def title_html(problem: DesignProblem) -> str:
    """What a problem asks for, without its constraints, with subscripts."""
    base = formula_html(problem.base)
    if problem.task != RAISE_TC:
        return f"{_substitution(problem, base)}{_method(problem)}"
    return f"Raise {TC}{_goal(problem, base)}{_method(problem)}"


def settings_text(problem: DesignProblem) -> str:
    """The size of a problem in one line."""
    schedule, method = generator_of(problem).schedule(problem), registration(problem.method)
    steps = " + ".join(f"{stage.steps:,}" for stage in schedule.stages) + f" {method.steps_are}"
    return (
        f"{schedule.candidates:,} {method.candidates_are} · {steps if method.optimises else 'drawn once'} · "
        f"at most {problem.settings.max_elements} elements · seed {problem.seed}"
    )


def has_target(problem: DesignProblem) -> bool:
    """Whether the objective is a target Tc instead of the highest Tc."""
    return problem.settings.objective == TARGET and "objective" in registration(problem.method).settings


def family_text(problem: DesignProblem) -> str:
    """The family of known superconductors to start from: " (cuprate)"; empty if any family is allowed."""
    family = problem.settings.start_family
    return "" if family == ANY_FAMILY else f" ({family})"


def replaced_atoms(site: Site) -> str:
    """The atoms that a site gives up: "La", "1 O"."""
    return site.element if site.atoms is None else f"{site.atoms:g} {site.element}"


def _goal(problem: DesignProblem, base: str) -> str:
    """Of what and how far Tc is raised: " of LaFeAsO", " to 300 K from known superconductors (cuprate)"."""
    settings = effective_settings(problem)
    target = f" to {settings.target_tc_K:g} K" if has_target(problem) else ""
    if settings.start in (KNOWN, INTERPOLATED):
        return f"{target} from known superconductors{family_text(problem)}"
    if settings.start == ENUMERATED:
        return f"{target} from every element and every pair"
    return f"{target} of {base}"


def _substitution(problem: DesignProblem, base: str) -> str:
    """What is replaced: "Replace La in LaFeAsO by +3", "Replace La (+3) by +2 and O (−2) by −1 in LaFeAsO"."""
    if len(problem.sites) == 1 and problem.sites[0].by is None:
        (site,) = problem.sites
        after = site.replacements()
        return f"Replace {replaced_atoms(site)} in {base}" + (f" by {replacement_text(after)}" if after else "")
    return f"Replace {' and '.join(map(_site_text, problem.sites)) or '…'} in {base}"


def _site_text(site: Site) -> str:
    state = f" ({charge_text(site.state)})" if site.state else ""
    after = site.replacements()
    by = "nothing" if site.replacement == EMPTY else replacement_text(after) if after else "…"
    return f"{replaced_atoms(site)}{state} by {by}"


def _method(problem: DesignProblem) -> str:
    """The method, if it is not the default one."""
    title_ = registration(problem.method).title
    return f" {title_}" if title_ else ""
