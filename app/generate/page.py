"""The page Generate: crystal structures by guided diffusion, live, with the screening and the way from noise."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from app import blocks
from app.blocks import section
from app.components.structure_viewer.component import structure_animation, structure_viewer
from app.generate import rows as generated
from app.generate import session
from app.generate.asked import settings_text, title
from app.generate.fields import fields
from app.results.funnel import funnel_html
from app.state.synced_widgets import synced_key
from app.structures.browser import structure_downloads, structure_facts
from app.structures.listed import Listed
from core.chemistry.structure import Structure
from core.errors import InputError
from core.executors import background_work, generations
from core.executors.background_work import CANCELLED, FAILED, FINISHED, INTERRUPTED
from core.executors.generations import Generation, GenerationState
from core.predictors.checkpoint import read_card
from core.structures.diffusion import folder as samples
from core.structures.diffusion import funnel
from core.structures.diffusion.funnel import FunnelSettings, Row
from core.structures.diffusion.ways import Moment, read_ways
from core.structures.structure_models import TC_NAME

UPDATE_S = 2.0
_STATES = {"": "Not started", CANCELLED: "Cancelled", INTERRUPTED: "Interrupted", FAILED: "Failed"}
NONE_PASSES = (
    "None passes every step. Ask for more crystals, or look at those that came farthest: the list begins with them."
)
WHAT = (
    "A network that has learned from crystals of the Materials Project makes new ones from noise: lattice, elements "
    "and positions together, towards a Tc if one is asked for. The method is that of *Inverse Design of Novel "
    "Superconductors via Guided Diffusion*, with a smaller network and less data; most of what it makes is lost in the "
    "screening, and the Tc is that of electron-phonon theory, never a measured one."
)


def page() -> None:
    """The form; below it a generation with its progress, funnel and crystals."""
    st.title("Generate", anchor=False)
    st.markdown(WHAT)
    fields()
    existing = generations.generations()
    chosen = session.shown(existing)
    if chosen is None:
        return
    session.write_link(chosen.name)
    _choice(existing, chosen)
    st.html(f'<p class="under">{html.escape(settings_text(chosen.request))}</p>')
    active = generations.state(chosen.folder).work.active
    seen = _version(chosen)
    st.fragment(blocks.guarded(_progress), run_every=UPDATE_S if active else None)(chosen, active, seen)
    blocks.guarded(_results)(chosen.folder)


def _choice(existing: list[Generation], chosen: Generation) -> None:
    """Heading, the menu of the generations, and the button that deletes this one."""
    left, right, last = st.columns([3, 1.2, 0.6], vertical_alignment="bottom")
    with left:
        section(title(chosen.request))
    if last.button("Delete", icon=":material/delete:", key="generate.delete", type="tertiary"):
        _confirm_delete(chosen)
    names = [each.name for each in existing]
    if len(names) < 2 or chosen.name not in names:
        return
    labels = {each.name: f"{each.started.replace('T', ' ')} · {title(each.request)}" for each in existing}
    key = synced_key("generate.chosen", chosen.name)
    right.selectbox("Generation", names, names.index(chosen.name), key=key, format_func=labels.__getitem__,
                    label_visibility="collapsed", on_change=_chosen, args=(key,))  # fmt: skip


def _chosen(key: str) -> None:
    session.show(st.session_state[key])


def _version(chosen: Generation) -> tuple[int, int]:
    """What the list of crystals depends on."""
    return generations.state(chosen.folder).samples, len(funnel.read(chosen.folder))


def _progress(chosen: Generation, was_active: bool, seen: tuple[int, int]) -> None:
    """State, bar, buttons and the funnel so far."""
    found = generations.state(chosen.folder)
    screened = funnel.read(chosen.folder)
    if found.work.active != was_active or (found.samples, len(screened)) != seen:
        st.rerun()  # the whole page, with the new crystals
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left:
        st.progress(*_bar(chosen, found, len(screened)))
        st.html(f'<p class="under" role="status">{html.escape(_words(found))}</p>')
    if found.work.active:
        if right.button("Cancel", icon=":material/close:", key="generate.cancel", help="What is made stays"):
            _do(background_work.cancel, chosen.folder)
    elif found.work.state != FINISHED and right.button("Resume", icon=":material/play_arrow:", key="generate.resume"):
        _do(generations.resume, chosen.folder)
    if found.work.state == FAILED:
        blocks.error(found.work.message)
    if screened:
        st.html(funnel_html(generated.funnel_steps(screened, FunnelSettings.of_request(chosen.request))))
        st.caption(funnel.elements_text(screened) or (NONE_PASSES if found.work.state == FINISHED else ""))


@st.dialog("Delete these crystals?")
def _confirm_delete(chosen: Generation) -> None:
    """Ask before a generation is deleted."""
    what = f"{html.escape(title(chosen.request))}, {chosen.started.replace('T', ' ')}"
    removed = "All crystals of this generation and their screening are removed from the disk."
    if blocks.deletion_question(what, removed, lambda: generations.delete(chosen), "generate.delete"):
        session.forget()
        st.rerun()


def _bar(chosen: Generation, found: GenerationState, screened: int) -> tuple[float, str]:
    """Share that is done, and its label."""
    count = chosen.request.count
    made = found.samples + (found.step / found.steps * min(samples.BLOCK, count) if found.steps else 0.0)
    if found.samples < count or not chosen.screened:
        return min(made / count, 1.0), f"{found.samples:,} of {count:,} crystals made"
    return min(screened / count, 1.0), f"{screened:,} of {count:,} crystals screened"


def _words(found: GenerationState) -> str:
    """The state in words."""
    if found.work.active:
        return found.work.doing or "begins"
    return _STATES.get(found.work.state, "Finished")


def _do(action, folder: Path) -> None:
    try:
        action(folder)
    except InputError as error:
        blocks.error(error.message)
    else:
        st.rerun()


def _results(folder: Path) -> None:
    """The crystals: a list, the selected one in 3D or on its way from noise, facts and files."""
    rows = generated.crystals(folder)
    if not rows:
        if generations.state(folder).work.state == FINISHED:
            st.info("No crystal has a valid structure: atoms overlap in all of them. Ask for more crystals or more "
                    "steps.", icon=":material/info:")  # fmt: skip
        return
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        row = _selected(folder, rows)
        each = generated.listed(folder, row)
        structure_downloads(each, "generate")
        structure_facts(each)
    with right:
        _picture(folder, row, each)


def _selected(folder: Path, rows: list[Row]) -> Row:
    """The list; a click on a row selects, also for the longer lists that follow while crystals are screened."""
    numbers = [row["number"] for row in rows]
    widget, kept = f"generate.list-{hash((folder.name, *numbers)):x}", f"generate.selected-{folder.name}"
    state = st.session_state.get(widget)
    chosen = state["selection"]["rows"] if state else []
    if chosen and chosen[0] < len(rows):
        st.session_state[kept] = numbers[chosen[0]]
    number = st.session_state.get(kept)
    place = numbers.index(number) if number in numbers else 0
    st.dataframe(generated.table(rows), key=widget, on_select="rerun", selection_mode="single-row",
                 selection_default={"selection": {"rows": [place]}}, hide_index=True, placeholder="",
                 column_config=_columns(), alt="List of generated crystals")  # fmt: skip
    return rows[place]


def _columns() -> dict[str, object]:
    """How the columns of the list are displayed."""
    learnt = read_card(TC_NAME)["metrics_held_out"]
    error = (
        f"By a model of calculated, conventional Tc; its mean error on held-out crystals is {learnt['tc_mae_K']:.1f} "
        f"K, and {learnt['above_5_K_tc_mae_K']:.1f} K where the Tc is above 5 K"
    )
    return {
        "number": st.column_config.NumberColumn("No.", help="In the order in which the crystals were made"),
        "formula": st.column_config.TextColumn("Formula"),
        "space_group": st.column_config.TextColumn(
            "Space group",
            help="Found with a tolerance of 0.1 Å; P1: no symmetry, as most crystals before relaxation",
        ),
        "n_atoms": st.column_config.NumberColumn("Atoms", help="In the generated cell"),
        "known": st.column_config.CheckboxColumn("Known", help="A structure of the library matches"),
        "template": st.column_config.TextColumn("Prototype", help="Whose symmetry the crystal has"),
        "denoising_error": st.column_config.NumberColumn(
            "Error of the network",
            format="%.3f",
            help="In finding noise in the crystal; a weak hint at known structures, see the page Benchmarks",
        ),
        "tc_structure_K": st.column_config.NumberColumn("Tc by structure (K)", format="%.1f", help=error),
        "above_hull": st.column_config.NumberColumn("Above hull (eV/atom)", format="%.3f", help="By CHGNet"),
        "formation_energy": st.column_config.NumberColumn("Ef (eV/atom)", format="%.3f", help="By CHGNet"),
        "outcome": st.column_config.TextColumn("Screening", help="The step at which a crystal is lost, and why"),
    }


def _picture(folder: Path, row: Row, each: Listed) -> None:
    """The crystal of a row in 3D; those of the first block also on their way from noise."""
    way = read_ways(folder / samples.WAYS).get(int(row["number"]), [])
    views = ["Crystal", "From noise"] if len(way) > 1 else ["Crystal"]
    view = "Crystal"
    if len(views) > 1:
        view = st.segmented_control("View", views, default="Crystal", required=True, key="generate.view",
                                    label_visibility="collapsed")  # fmt: skip
    name = f"{each.formula}-{row['number']}"
    if view == "Crystal":
        structure_viewer(each.drawn, f"Crystal structure of {each.formula}", name, "generate.structure")
        return
    structure_animation(moments(way), f"{each.formula} on its way from noise to a crystal", f"{name}-way",
                        "generate.way")  # fmt: skip
    st.caption(
        "As made, not relaxed. Lattice and positions lose their noise step by step, and the elements are settled "
        "one after the other; until then an atom has the likeliest one."
    )


def moments(way: list[Moment]) -> list[tuple[str, Structure]]:
    """The moments of an animation, with the step and the formula of each."""
    last = way[-1].step
    return [(f"Step {each.step} of {last}: {each.structure.formula}", each.structure) for each in way]
