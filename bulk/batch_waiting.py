"""Waiting for a job of AWS Batch, with a bar of its children by state."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bulk.patience import PAUSES, patiently
from cli import console
from pipeline.batch.following import ENDED, states

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

#: Seconds between two looks: jobs take minutes to start, and a list of thousands of them is one call.
PAUSE = 10.0
#: A job runs for hours; a network that is gone for minutes of them is no reason to stop waiting.
_PATIENCE = (*PAUSES, *[30.0] * 10)


def wait(batch: BatchClient, job_id: str, *, sleep: Callable[[float], None] = time.sleep) -> Counter[str]:
    """State → number of children, once all of them have ended."""
    with console.progress() as progress:
        task, told = progress.add_task("Batches", total=None), ""
        found = states(batch, job_id)
        while True:
            total, ended = sum(found.values()), sum(found[state] for state in ENDED)
            line = ", ".join(f"{count} {state.lower()}" for state, count in sorted(found.items()) if count)
            progress.update(task, total=total, completed=ended, description=line)
            if not progress.console.is_terminal and line != told:
                console.say(line)
                told = line
            if total and ended == total:
                return found
            sleep(PAUSE)
            found = patiently(partial(states, batch, job_id), pauses=_PATIENCE, sleep=sleep)
