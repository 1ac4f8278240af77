"""Presets, and the settings: method, the settings of the optimiser, charge rule, seed, device, models."""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.design.draft_fields import number, segments, select
from app.design.problem_errors import SETTINGS, Errors, expander_label, place_of
from app.forms.settings_fields import FORMULA, GROUPS, OBJECTIVE, PRESETS_HELP, SEARCH, SettingsField
from app.state.draft import FIRST_METHOD, Draft
from app.state.draft_changes import with_field, with_method, with_method_setting, with_preset
from core.generation.method_settings import FIELD, MethodSetting, with_defaults
from core.generation.registry import registration, registrations
from core.predictors.registry import MODEL_SETS, MODELS
from core.problem.presets import PRESETS, preset_of
from core.problem.settings import EVERY_ATOM, ONE_STATE, PRECISIONS

CHARGE_RULES = {ONE_STATE: "one per element", EVERY_ATOM: "one per atom"}


def presets(draft: Draft) -> None:
    """The presets, in sight at the head of the page."""
    segments("Preset", "preset", current_preset(draft), PRESETS, with_preset, help=PRESETS_HELP)


def current_preset(draft: Draft) -> str | None:
    """The name of the preset that the draft has; None for other settings."""
    return preset_of(draft.settings, draft.floors, draft.charge_rule, draft.method)


def settings(draft: Draft, errors: Errors) -> None:
    """Every setting, with its unit and source."""
    wrong = [field for field, found in errors.items() if found and place_of(found[0]) == SETTINGS]
    label = expander_label(SETTINGS, current_preset(draft) or "changed", wrong)
    with st.expander(label, key="design.settings", icon=":material/tune:"):
        method_field(draft, errors)
        method_setting_fields(draft, errors)
        columns = dict(zip(GROUPS, st.columns(len(GROUPS), gap="medium"), strict=True))
        for group, column in columns.items():
            with column:
                settings_group(draft, group, errors)
        with columns[SEARCH]:
            computation_fields(draft, errors)
        with columns[FORMULA]:
            charge_rule_field(draft, errors)
        with columns[OBJECTIVE]:
            models_field(draft)


def settings_group(draft: Draft, group: str, errors: Errors) -> None:
    """The heading of a group and its settings, without those that have no effect."""
    st.markdown(f"**{group}**")
    for field in GROUPS[group]:
        if errors[field.name] or not field.is_hidden(draft.settings):
            settings_field(draft, field, errors)


def settings_field(draft: Draft, field: SettingsField, errors: Errors) -> None:
    """One setting and its errors. A field with an error stays enabled even if it has no effect."""
    value = field.value_in(draft.settings)
    options = {
        "help": field.help,
        "disabled": not (field.matters(draft.task, draft.method) or errors[field.name]),
    }
    if field.choices:
        select(field.label, field.key, value, field.choices, with_setting, field, format_func=field.choices.get,
               **options)  # fmt: skip
    else:
        number(field.label, field.key, value, field.step, with_setting, field, format=field.format, **options)
    if field.index != 0:  # the errors of a pair are shown under its second number
        show_errors(errors[field.name])


def with_setting(draft: Draft, field: SettingsField, value: float | str) -> Draft:
    """The draft with one setting changed."""
    return with_field(draft, "settings", field.with_value(draft.settings, value))


def method_field(draft: Draft, errors: Errors) -> None:
    """The generator of the compositions."""
    first = sorted(registrations(), key=lambda registered: registered.name != FIRST_METHOD)
    methods = {registered.name: registered for registered in first}
    segments(
        "Method", "method", draft.method, methods, with_method, required=True,
        format_func=lambda name: methods[name].label,
        help="  \n".join(f"**{registered.label}**: {registered.summary}" for registered in methods.values()),
    )  # fmt: skip
    show_errors(errors["method"] + errors[FIELD])


def method_setting_fields(draft: Draft, errors: Errors) -> None:
    """The settings that only the chosen method reads, in a row; nothing if it has none."""
    declared = registration(draft.method).own_settings
    values = with_defaults(draft.method_settings, declared)
    for column, setting in zip(st.columns(max(4, len(declared))) if declared else (), declared, strict=False):
        with column:
            method_setting_field(setting, values[setting.name])
            show_errors(errors[f"{FIELD}.{setting.name}"])


def method_setting_field(setting: MethodSetting, value: float | int | str) -> None:
    """One setting of the method: a choice, or a number."""
    name = f"{FIELD}.{setting.name}"
    if setting.choices:
        labels = dict(setting.choices)
        select(setting.label, name, value, labels, with_method_setting, setting.name, format_func=labels.get,
               help=setting.help)  # fmt: skip
        return
    whole = isinstance(setting.default, int)
    number(setting.label, name, value if whole else float(value), 1 if whole else None, with_method_setting,
           setting.name, help=setting.help)  # fmt: skip


def charge_rule_field(draft: Draft, errors: Errors) -> None:
    """The charge rule of the neutrality screen."""
    select(
        "Oxidation states", "charge_rule", draft.charge_rule, CHARGE_RULES, with_field, "charge_rule",
        format_func=CHARGE_RULES.get,
        help="Rule of the charge-neutrality screen. One per element: anions must be more electronegative than cations "
             "(SMACT, KIAGO 3.1). One per atom: H may be +1 and −1 in one hydride, or Fe +2 and +3 in a doped "
             "compound; electronegativities are not tested (KIAGO 3.6).",
    )  # fmt: skip
    show_errors(errors["charge_rule"])


def computation_fields(draft: Draft, errors: Errors) -> None:
    """Seed, device and precision, which do not change the problem that is solved."""
    st.markdown("**Computation**")
    number("Seed", "seed", draft.seed, 1, with_field, "seed",
           help="The same problem with the same seed on the same device gives the same result.")  # fmt: skip
    show_errors(errors["seed"])
    devices = dict.fromkeys((*cached_data.devices(), draft.device))
    select("Device", "device", draft.device, devices, with_field, "device", help="Auto uses the GPU if there is one.")
    show_errors(errors["device"])
    select("Precision", "precision", draft.precision, PRECISIONS, with_field, "precision",
           help="Precision of the optimiser steps. Auto uses bfloat16 (published networks, twice as fast) on a "
                "processor and TF32 on a GPU with units for it. All values in the results are float32.")  # fmt: skip
    show_errors(errors["precision"])


def models_field(draft: Draft) -> None:
    """The models that predict Tc and formation energy: the best ones, or those of the papers."""
    names = {models: MODEL_SETS[name] for name, models in MODELS.items()}
    names.setdefault(draft.models, f"{draft.models.tc}, {draft.models.formation_energy}")  # of a file or link
    select("Models", "models", draft.models, names, with_field, "models", format_func=names.get,
           help="As published: Tc and formation energy by the models of the papers (ResNet18, ElemNet). Best: by "
                "models with smaller errors on held-out data; see the Models page.")  # fmt: skip
