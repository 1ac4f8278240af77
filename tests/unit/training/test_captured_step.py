"""Which form of a step is captured, and that a capture changes nothing. Without a CUDA device: graphs are imitated."""

from __future__ import annotations

import torch

from core.training import captured_step


def imitated(step, restore):
    """As the capture: warm-up steps, each undone, and the step itself, which is recorded and not made."""
    for _ in range(captured_step.WARM_UP):
        step()
        restore()
    step()
    restore()
    return step


def test_the_first_form_that_can_be_captured_is_taken_and_nothing_has_changed(monkeypatch, capsys):
    monkeypatch.setattr(captured_step, "_graph_of", imitated)
    count = torch.zeros(1)

    def fails() -> None:
        count.add_(1)
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    def works() -> None:
        assert count < 2
        count.add_(1)

    step = captured_step.captured([fails, works], [count])
    assert step is works and count == 0 and capsys.readouterr().out == ""


def test_without_a_capture_the_last_form_is_taken_with_one_line(monkeypatch, capsys):
    def refused(step, restore):
        step()
        raise RuntimeError("operation not permitted\nmore")

    monkeypatch.setattr(captured_step, "_graph_of", refused)
    count = torch.zeros(1)
    forms = [lambda: count.add_(1), lambda: count.add_(2)]
    assert captured_step.captured(forms, [count]) is forms[1] and count == 0
    assert capsys.readouterr().out.splitlines() == [
        "The training step cannot be captured in a CUDA graph, so every operation is launched: operation not permitted"
    ]
