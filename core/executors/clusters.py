"""Dask clusters: local processes, a running scheduler, or a batch system such as SLURM."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.paths import PROJECT
from core.processors import processors

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
# Name on the command line -> class of dask_jobqueue, without "Cluster".
BATCH_SYSTEMS = {"slurm": "SLURM", "pbs": "PBS", "lsf": "LSF"}
_PROTOCOLS = ("tcp://", "tls://")
_CONNECT_S = 20
_REPLACED_S = 3600  # for a worker process of this machine to start in place of one that has died


@dataclass(frozen=True)
class BatchOptions:
    """What a batch system is asked for.

    jobs : number of jobs
    cores : processor cores of a job; each carries out one run at a time
    memory : of a job, as dask-jobqueue reads it: "16GB"
    walltime : of a job, "HH:MM:SS"; a run that does not end in time continues in another job
    queue, account : of the batch system; None: its defaults
    directives : further lines of the header of the job script
    prologue : shell commands before the worker, for example to load modules

    Raises InputError for values outside these meanings.
    """

    jobs: int = 1
    cores: int = 1
    memory: str = "4GB"
    walltime: str = "01:00:00"
    queue: str | None = None
    account: str | None = None
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("jobs", "cores"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(name, value, "the number must be a whole number of 1 or more", "Write 1")
        for name in ("memory", "walltime"):
            if not isinstance(getattr(self, name), str):
                raise InputError(name, getattr(self, name), "the value must be text", 'Write "4GB", "01:00:00"')
        for name in ("directives", "prologue"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not all(isinstance(line, str) for line in value):
                raise InputError(name, value, "the value must be a list of lines", 'Write ["#SBATCH --exclusive"]')


def batch_options(given: Mapping[str, Any]) -> BatchOptions:
    """Options from JSON data. Raises InputError for unknown options and wrong values."""
    known = {f.name for f in fields(BatchOptions)}
    for name in given:
        if name not in known:
            raise InputError("cluster", name, "unknown option", f"Known options: {', '.join(sorted(known))}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    return BatchOptions(**values)


def job_script(system: str, options: BatchOptions, threads: int) -> str:
    """The script that dask-jobqueue submits to a batch system for each job. threads : of each run

    Raises InputError if dask-jobqueue is not installed.
    """
    job_class = getattr(_jobqueue(), f"{BATCH_SYSTEMS[system]}Cluster").job_cls
    return job_class(
        scheduler="tcp://SCHEDULER:8786", name="tc-studio", **_job_arguments(system, options, threads)
    ).job_script()


@contextmanager
def connected(address: str, workers: int | None, threads: int, options: BatchOptions | None) -> Generator[Client]:
    """The client of a cluster, closed at the end together with the workers that were started for it.

    address : "local"; "tcp://HOST:PORT" or "tls://HOST:PORT" of a running scheduler; or one of BATCH_SYSTEMS
    workers : local worker processes; None: one per processor that this process may use
    threads : of each run
    options : of a batch system

    Raises InputError for another address, a scheduler that does not answer, or without dask-jobqueue.
    """
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what users must know is said by the campaign
    # A worker that dies ends its run, which the campaign then submits again and says so.
    settings: dict[str, Any] = {"distributed.scheduler.allowed-failures": 0}
    if address == LOCAL:  # Dask gives up a worker whose replacement needs longer, and a busy machine takes minutes
        settings["distributed.deploy.lost-worker-timeout"] = f"{_REPLACED_S} s"
    with dask.config.set(settings):
        if address == LOCAL:
            cluster = LocalCluster(
                n_workers=workers or processors(), threads_per_worker=1, processes=True, memory_limit=0,
                dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL, env={"OMP_NUM_THREADS": str(threads)},
            )  # fmt: skip
        elif address in BATCH_SYSTEMS:
            asked = options or BatchOptions()
            cluster = getattr(_jobqueue(), f"{BATCH_SYSTEMS[address]}Cluster")(
                **_job_arguments(address, asked, threads)
            )
            cluster.adapt(minimum_jobs=asked.jobs, maximum_jobs=asked.jobs)  # also after the end of a job
        elif address.startswith(_PROTOCOLS):
            cluster = address
        else:
            choices = f"{LOCAL}, tcp://HOST:PORT, {', '.join(BATCH_SYSTEMS)}"
            raise InputError("scheduler", address, "unknown kind of scheduler", f"Choose {choices}")
        try:
            client = Client(cluster, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise InputError("scheduler", address, f"the scheduler does not answer ({type(error).__name__})",
                             "Check the address, or start one: dask scheduler") from None  # fmt: skip
        try:
            yield client
        finally:
            client.close()
            if not isinstance(cluster, str):
                cluster.close()


def _job_arguments(system: str, options: BatchOptions, threads: int) -> dict[str, Any]:
    """Arguments of dask-jobqueue. One worker process per core, because a run uses the whole process."""
    prologue = [*options.prologue, f"cd {PROJECT}", f"export PYTHONPATH={PROJECT}", f"export OMP_NUM_THREADS={threads}"]
    is_lsf = system == "lsf"  # which calls an account a project, and gives times without seconds
    return {
        "cores": options.cores, "processes": options.cores, "memory": options.memory, "queue": options.queue,
        "walltime": ":".join(options.walltime.split(":")[:2]) if is_lsf else options.walltime,
        "project" if is_lsf else "account": options.account, "job_extra_directives": list(options.directives),
        "job_script_prologue": prologue, "python": sys.executable,
    }  # fmt: skip


def _jobqueue() -> Any:
    try:
        return import_module("dask_jobqueue")
    except ImportError:
        raise InputError("scheduler", "dask-jobqueue", "batch systems need this package, which is not installed",
                         "Install it: pip install dask-jobqueue") from None  # fmt: skip
