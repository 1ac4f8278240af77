"""python -m core campaign: many problems as many runs, on this machine or a cluster."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import new_command
from core.cli.input_files import read_text

if TYPE_CHECKING:
    from core.campaigns.campaign import Campaign
    from core.campaigns.carry_out import Outcome
    from core.campaigns.expansion import PlannedRun
    from core.campaigns.folder import CampaignFolder
    from core.cli.arguments import Commands
    from core.executors.clusters import BatchOptions


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "campaign", "carry out many designs: bases, seeds, settings, methods",
        "Carry out every combination of the values in a campaign file, on this machine or on a cluster. A campaign is\n"
        "a problem with a list where a problem has one value, for example\n"
        '  {"problem": {"base": ["LaFeAsO", "MgB2"], "seed": [0, 1, 2], "forbidden": [[], ["As"]]}}\n'
        "Runs that exist are not repeated: the same command again does what is missing, and tries failed runs again.\n"
        "The folder receives runs.csv, one row per run, and the runs themselves.",
        "campaign campaign.json --out my_campaign\n"
        "  python -m core campaign campaign.json --out my_campaign --scheduler tcp://10.0.0.1:8786\n\n"
        "docs/campaigns.md describes the file, clusters and costs.",
    )  # fmt: skip
    parser.add_argument("campaign", type=Path, metavar="FILE", help="the campaign file")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="the folder of the campaign, new or to be continued")
    parser.add_argument(
        "--scheduler", default="local", metavar="S",
        help="local, tcp://HOST:PORT of a Dask scheduler, or slurm, pbs, lsf (with dask-jobqueue); default: local",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, metavar="N", help="local worker processes; default: one per processor")
    parser.add_argument(
        "--cluster", type=Path, metavar="JSON", help="options of a batch system: jobs, cores, memory, ..."
    )
    parser.add_argument("--dry-run", action="store_true", help="list the runs, or print the job script; do nothing")
    parser.set_defaults(command=campaign)


def campaign(options: argparse.Namespace) -> int:
    """Carry out the campaign; exit code 1 unless every run has a result."""
    from core.campaigns.campaign import read_campaign
    from core.campaigns.expansion import planned_runs
    from core.campaigns.folder import CampaignFolder
    from core.campaigns.overview import write_overview
    from core.errors import InputError
    from core.executors.clusters import BATCH_SYSTEMS, job_script

    text = read_text(options.campaign, "campaign", "Save it as UTF-8")
    given = read_campaign(text, options.campaign.absolute().parent)
    if options.workers is not None and options.workers < 1:
        raise InputError("workers", options.workers, "a campaign needs at least one worker", "Choose 1 or more")
    asked = _batch_options(options.cluster)
    if options.dry_run and options.scheduler in BATCH_SYSTEMS:
        print(job_script(options.scheduler, asked, given.threads), end="")
        return 0
    runs = planned_runs(given)
    if options.dry_run:
        return _list(given, runs)
    if options.out is None:
        raise InputError("out", None, "a campaign needs a folder", "Name one: --out my_campaign")
    folder = CampaignFolder(options.out.absolute())
    folder.store(given)
    with folder.owned():
        outcome = _carry_out(folder, given, runs, options, asked)
        write_overview(folder, given, runs)
    return _report(folder, outcome, len(runs))


def _carry_out(
    folder: CampaignFolder,
    given: Campaign,
    runs: tuple[PlannedRun, ...],
    options: argparse.Namespace,
    asked: BatchOptions,
) -> Outcome | None:
    """What the command did; None if the scheduler was lost, or there is nothing to do."""
    from core.campaigns.carry_out import Outcome, carry_out, has_result
    from core.campaigns.folder import CLUSTER, STOP
    from core.executors.clusters import connected
    from core.executors.dask_cluster import DaskExecutor, SchedulerLostError
    from core.files import write_json

    if all(has_result(folder, run.key) for run in runs):
        return Outcome(len(runs), 0, {}, 0)
    cluster, stop = folder.folder / CLUSTER, folder.folder / STOP
    with connected(options.scheduler, options.workers, given.threads, asked) as client:
        said = {"scheduler": client.scheduler_info()["address"], "dashboard": client.dashboard_link}
        write_json(cluster, said)
        print(f"Dashboard of the workers: {client.dashboard_link}", file=sys.stderr)
        executor = DaskExecutor(client, given.limits.minutes_per_run)
        try:
            with _bar(len(runs)) as (log, on_done):

                def on_begin_and_done(done: int) -> None:
                    if "found" not in said:
                        said.update(began_s=time.time(), found=done)
                        write_json(cluster, said)
                    on_done(done)

                return carry_out(folder, given, runs, executor, log, on_begin_and_done, stop.exists)
        except SchedulerLostError as error:
            print(error, file=sys.stderr)
            return None
        finally:
            cluster.unlink(missing_ok=True)


@contextmanager
def _bar(total: int) -> Generator[tuple[Callable[[str], None], Callable[[int], None]]]:
    """A progress bar on standard error with the remaining time; yields its `log` and `on_done` for `carry_out`."""
    from tqdm import tqdm

    with tqdm(total=total, unit="run", file=sys.stderr, smoothing=0.05) as bar:

        def on_done(done: int) -> None:
            if not bar.n:  # the runs found say nothing about the time of a run
                bar.initial = done
            bar.update(done - bar.n)

        yield (lambda line: bar.write(line, file=sys.stderr)), on_done


def _report(folder: CampaignFolder, outcome: Outcome | None, total: int) -> int:
    again = "The same command again does what is missing."
    if outcome is None:
        print(f"Every finished run is kept. {again}", file=sys.stderr)
        return 1
    with_result = outcome.found + outcome.done
    print(f"{with_result:,} of {total:,} runs have a result, {outcome.found:,} of them from before.")
    print(f"The runs are listed in {folder.folder / 'runs.csv'}")
    if with_result == total:
        return 0
    print(f"{len(outcome.failed):,} failed, {outcome.left:,} were not carried out. {again}", file=sys.stderr)
    return 1


def _list(given: Campaign, runs: tuple[PlannedRun, ...]) -> int:
    from core.campaigns.expansion import described

    for run in runs:
        print(f"{run.key}  {described(run.values, given)}")
    return 0


def _batch_options(path: Path | None) -> BatchOptions:
    from core.errors import InputError
    from core.executors.clusters import BatchOptions, batch_options

    if path is None:
        return BatchOptions()
    try:
        content = json.loads(read_text(path, "cluster", "Save it as UTF-8"))
    except ValueError as error:
        raise InputError("cluster", path, f"this file is not valid JSON ({error})", "Correct it") from None
    if not isinstance(content, dict):
        raise InputError("cluster", path, "the options must be a JSON object", 'Write {"jobs": 4, "cores": 16}')
    return batch_options(content)
