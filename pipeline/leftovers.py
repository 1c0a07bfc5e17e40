"""Outputs that workers left who died, or failed and could not clean up."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from pipeline.job import Job
from pipeline.keys import output_folder
from pipeline.services import Services

#: An output that nothing names and that is older than this many function timeouts belongs to no worker still alive;
#: the half is for clocks that disagree.
_TIMEOUTS_UNTIL_ABANDONED = 1.5


@dataclass(frozen=True)
class Leftovers:
    """Outputs that may be deleted, and the seconds until the rest may be: 0 where there is no rest."""

    keys: frozenset[str]
    wait: float


def abandoned(job: Job, services: Services, *, known: Set[str]) -> Leftovers:
    """Outputs of the job's source besides `known`, parted by whether a worker that made them may still be at work."""
    age = _TIMEOUTS_UNTIL_ABANDONED * services.function_timeout
    left = {key: age - seconds for key, seconds in _ages(job, services) if key not in known}
    # S3 tells times in whole seconds.
    wait = max((seconds + 1 for seconds in left.values() if seconds > 0), default=0.0)
    return Leftovers(frozenset(key for key, seconds in left.items() if seconds <= 0), wait)


def _ages(job: Job, services: Services) -> Iterator[tuple[str, float]]:
    """Every output of the source, whoever made it, with the seconds since."""
    now = services.now()
    for folder in dict.fromkeys(output_folder(wanted.folder, job.source.key) for wanted in job.outputs):
        for key, changed in services.storage.list_folder(services.outputs_bucket, folder):
            yield key, (now - changed).total_seconds()
