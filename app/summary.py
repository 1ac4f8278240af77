"""What a problem says, in words and as vectors. Pure functions; HTML where formulas need subscripts."""

from __future__ import annotations

from collections.abc import Collection

from app import rules
from app.style import formula_html, formula_text, signed
from core.chemistry import elements
from core.chemistry.composition import format_amount
from core.chemistry.tolerances import ROUNDING_ERROR
from core.generation.initialization import BINARY_ATOMS, count_enumerated
from core.generation.registry import generator_of
from core.problem.problem import DesignProblem
from core.problem.settings import (
    ANY_FAMILY,
    BASE,
    ENUMERATED,
    EVERY_ATOM,
    INTERPOLATED,
    KNOWN,
    NEUTRAL,
    RAISE_TC,
    RANDOM,
    SUBSTITUTION,
    TARGET,
    OptimiserSettings,
)
from core.problem.substitution_sites import EMPTY, Site, takers

STEPS_PER_SECOND = 2_000  # candidate-steps with the best models on two cores, start and screens included


def effective_settings(problem: DesignProblem) -> OptimiserSettings:
    """The settings as the problem's generator carries them out."""
    return generator_of(problem).effective_settings(problem)


def title(problem: DesignProblem) -> str:
    """One line of text without HTML: what this problem is about."""
    if problem.task == RAISE_TC:
        kept = ", ".join(problem.fixed or ())
        parts = [f"{kept} fixed"] if kept else []
        parts += [f"{symbol} at least {x:.0%}" for symbol, x in problem.floors.items()]
        what = f" with {', '.join(parts)}" if parts else ""
        return f"Raise Tc{raised(problem, formula_text(problem.base))}{what}{by_method(problem)}"
    return f"{replaced(problem, formula_text(problem.base))}{by_method(problem)}"


def replaced(problem: DesignProblem, base: str) -> str:
    """What a substitution replaces: "Replace La in LaFeAsO by +3", "Replace La (+3) by +2 and O (−2) by −1 in …"."""
    if len(problem.sites) == 1 and problem.sites[0].by is None:
        (site,) = problem.sites
        return f"Replace {_what(site)} in {base}" + (f" by {signed(site.state)}" if site.state else "")
    return f"Replace {' and '.join(map(_site_text, problem.sites)) or '…'} in {base}"


def _what(site: Site) -> str:
    return site.element if site.atoms is None else f"{site.atoms:g} {site.element}"


def _site_text(site: Site) -> str:
    own = f" ({signed(site.state)})" if site.state else ""
    by = "nothing" if site.replacement == EMPTY else signed(site.replacement) if site.replacement else "…"
    return f"{_what(site)}{own} by {by}"


def raised(problem: DesignProblem, base: str) -> str:
    """Whose Tc is raised, and to where: " of LaFeAsO", " to 300 K from known superconductors (cuprate)"."""
    settings = effective_settings(problem)
    target = f" to {settings.target_tc_K:g} K" if _aimed(problem) else ""
    if settings.start in (KNOWN, INTERPOLATED):
        return f"{target} from known superconductors{_of_family(problem)}"
    if settings.start == ENUMERATED:
        return f"{target} from every element and every pair"
    return f"{target} of {base}"


def _aimed(problem: DesignProblem) -> bool:
    return problem.settings.objective == TARGET and problem.method != SUBSTITUTION


def _of_family(problem: DesignProblem) -> str:
    family = problem.settings.start_family
    return "" if family == ANY_FAMILY else f" ({family})"


def by_method(problem: DesignProblem) -> str:
    """What the title of a problem says of its method: nothing of the usual one."""
    return " by random substitution" if problem.method == SUBSTITUTION else ""


def in_words(problem: DesignProblem, known: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of (what, HTML) that together say the whole problem. Its base must be readable."""
    fixed = problem.fixed_fractions()
    rows = [
        ("Start", _start(problem, known)),
        ("Aim", _aim_in_words(problem)),
        ("Fixed", _fixed(fixed)),
        ("At least", fractions(problem.floors)),
        ("Kept", rules.in_words(problem)),
        ("Free", _free(problem, known)),
        ("Size", _size(problem)),
        ("Charges", _charges(problem)),
        ("Work", _work(problem)),
    ]
    return [(what, text) for what, text in rows if text]


def fractions(amounts: dict[str, float]) -> str:
    """Amounts of any scale -> "Fe 0.25, As 0.25"."""
    return ", ".join(f"{symbol} {_short(x)}" for symbol, x in amounts.items())


def x_const(problem: DesignProblem) -> str:
    """The vector of fixed fractions, compactly."""
    fixed = fractions(problem.least_fractions())
    return f"x_const = ({fixed}, 0 elsewhere)" if fixed else "x_const = 0"


def m_elem(problem: DesignProblem, known: Collection[str]) -> str:
    """The mask of each free part as ones and zeros, one row per period."""
    parts = problem.free_parts()
    texts = []
    for part, (state, room) in enumerate(parts):
        allowed = set(problem.allowed_symbols(known, part))
        of = f" for {room:.4g} of the atoms, {signed(state)}" if len(parts) > 1 and state else ""
        rows = [f"M_elem{of}, period by period ="]
        for period in range(1, 8):
            members = [e for e in elements.all_elements() if e.period == period]
            rows.append(f"{period} " + "".join("1" if e.symbol in allowed else "0" for e in members))
        texts.append("\n".join(rows))
    return "\n".join(texts)


def seconds_text(problem: DesignProblem) -> str:
    """How long the optimisation takes on a small computer, roughly."""
    seconds = problem.settings.candidates * sum(effective_settings(problem).steps) / STEPS_PER_SECOND
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _aim_in_words(problem: DesignProblem) -> str:
    """The objective where it is not simply the highest Tc."""
    if not _aimed(problem):
        return ""
    return f"a Tc of {problem.settings.target_tc_K:g} K; above it nothing is gained"


def _charges(problem: DesignProblem) -> str:
    """The rule of the screen where it is not the usual one."""
    return "every atom may take its own oxidation state" if problem.charge_rule == EVERY_ATOM else ""


def _start(problem: DesignProblem, known: Collection[str]) -> str:
    settings, base = problem.settings, formula_html(problem.base)
    low, high = settings.added_elements
    added = f"{low} to {high} elements" if low != high else _counted(low)
    if problem.method == SUBSTITUTION:
        sites = " and ".join(site.element for site in problem.sites) or "…"
        what = "a random choice of its elements" if problem.task == RAISE_TC else sites
        return f"{base} with {what} replaced by {added} each of the same oxidation state, drawn at random"
    if problem.task == RAISE_TC:
        chance, known_ones = f"{settings.mutate_probability:.0%}", _known(problem)
        starts = {
            BASE: f"{base} with each element replaced with a chance of {chance} and {added} added",
            RANDOM: f"random mixtures of as many elements as {base} has",
            KNOWN: f"{known_ones}, compared with {base}",
            INTERPOLATED: f"{known_ones}, and mixtures of two of them, compared with {base}",
            ENUMERATED: _enumerated(problem, known),
        }
        return starts[settings.start]
    sites = " and ".join(_what(site) for site in problem.sites if site.replacement != EMPTY)
    each = " each" if len(problem.free_parts()) > 1 else ""
    return f"random mixtures of {added}{each} in the place of {sites or '…'} in {base}"


def _known(problem: DesignProblem) -> str:
    return f"known superconductors{_of_family(problem)} above {problem.settings.start_above_K:g} K"


def _enumerated(problem: DesignProblem, known: Collection[str]) -> str:
    """How many binary and ternary starts there are, and how many of them are taken."""
    others = len(set(problem.allowed_symbols(known)) - set(problem.floors))
    room = 1 - sum(problem.least_fractions().values())
    shares = sum(1 / n <= room + ROUNDING_ERROR for n in BINARY_ATOMS) if problem.floors else 1
    total, candidates = count_enumerated(others, shares), problem.settings.candidates
    beside = ", ".join(problem.least_fractions())
    taken = "all" if candidates >= total else f"{candidates:,} of them, drawn at random"
    return f"every element and every pair{f' beside {beside}' if beside else ''}: {total:,} starts, {taken}"


def _fixed(fixed: dict[str, float]) -> str:
    if not fixed:
        return "nothing"
    total = f"sum of x<sub>const</sub> = {_short(sum(fixed.values()))}"
    return f'{fractions(fixed)} <span class="formula">({total})</span>'


def _free(problem: DesignProblem, known: Collection[str]) -> str:
    """How much of the composition is searched, and what may be there."""
    parts = problem.free_parts()
    texts = [f"{room:.0%} of the atoms, from {_elements(problem, known, i)}" for i, (_, room) in enumerate(parts)]
    return "; ".join(texts) or "nothing"


def _elements(problem: DesignProblem, known: Collection[str], part: int) -> str:
    """How many elements may fill a free part, and which: those, or all but those, whichever is shorter."""
    allowed, state = problem.allowed_symbols(known, part), problem.free_parts()[part][0]
    if not allowed:
        return "no element"
    possible, all_of_them = set(known), "all that the models know"
    if state is not None:
        possible &= set(takers(state))
        all_of_them = f"all that can be {signed(state)}"
    missing = [s for s in elements.symbols() if s in possible - set(allowed) - set(problem.fixed_fractions())]
    if len(missing) >= len(allowed):
        return f"{_counted(len(allowed))}: {', '.join(allowed)}"
    return f"{_counted(len(allowed))}: {all_of_them}" + (f" but {', '.join(missing)}" if missing else "")


def _size(problem: DesignProblem) -> str:
    low, high = problem.settings.n_unit
    counts = generator_of(problem).atom_counts(problem)
    atoms = f"{low} to {high}"
    if counts and len(counts) < high - low + 1:  # the fixed part must be whole atoms
        atoms = ", ".join(map(str, counts[:3])) + (f" … {counts[-1]}" if len(counts) > 3 else "")
    doped = problem.settings.exempt_elements
    fractional = f", {_counted(doped)} may stay fractional" if doped else ""
    searched = effective_settings(problem).rounding == NEUTRAL and len(problem.free_parts()) < 2
    neutral = ", charges balanced where they can be" if searched else ""
    return f"at most {_counted(problem.settings.max_elements)}; {atoms} atoms per formula unit{fractional}{neutral}"


def _work(problem: DesignProblem) -> str:
    settings = effective_settings(problem)
    if problem.method == SUBSTITUTION:
        return f"{settings.candidates:,} candidates drawn and predicted; nothing is optimised (C-ES, KIAGO 3.1)"
    product = settings.candidates * sum(settings.steps)
    return (
        f"{settings.candidates:,} candidates × {sum(settings.steps):,} steps = {product:,}; "
        f"{seconds_text(problem)} on two CPU cores"
    )


def _counted(number: int) -> str:
    return f"{number} element{'' if number == 1 else 's'}"


def _short(number: float) -> str:
    return format_amount(number, 3) or "1"
