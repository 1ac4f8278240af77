"""Stop and keep: a run that stops before its last step has its candidates rounded and screened."""

from __future__ import annotations

from core.errors import InputError
from core.files import PRIVATE_FILE, storage_errors
from core.generation.registry import registration
from core.runs import layout
from core.runs.ownership import has_worker
from core.runs.run import Run
from core.runs.status import WITH_RESULT


def request_stop(run: Run) -> bool:
    """Request that a run stops and keeps its candidates. Whether it needs a worker to carry this out.

    A run with a result (finished or stopped) is not changed. Raises InputError for a method that has no formulas before
    its last step, and for a run that has neither a worker nor a resume point.
    """
    if run.status().phase in WITH_RESULT:
        return False
    method = run.problem().method
    if not registration(method).can_stop:
        raise InputError("method", method, "this method has no formulas before its last step", "Cancel or wait")
    working = has_worker(run.folder)
    if not working and not run.has_resume_point():
        raise InputError("folder", run.folder, "the run has stored no step, so that there is nothing to keep",
                         "Run it first")  # fmt: skip
    with storage_errors(run.folder):
        (run.folder / layout.CANCEL).unlink(missing_ok=True)
        (run.folder / layout.STOP).touch(PRIVATE_FILE)
    return not working


def withdraw_requests(run: Run) -> None:
    """Remove earlier requests to stop or to cancel a run."""
    for name in (layout.CANCEL, layout.STOP):
        (run.folder / name).unlink(missing_ok=True)
