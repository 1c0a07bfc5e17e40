"""Whole runs of a crew whose threads get into each other's way."""

from __future__ import annotations

import errno
import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest

from bulk.drain.allowance import Allowance
from bulk.drain.crew import Crew
from bulk.drain.names import Names
from bulk.drain.outcomes import Outcome
from bulk.drain.paths import key_of
from pipeline.errors import RetryError
from tests.functional.drain_in_memory import MeddledTree, MemoryBucket, drainer


class DawdlingNames(Names):
    """A name is found, and then others have their turn."""

    def __init__(self, rng):
        super().__init__(lambda folder, name: None)
        self._rng = rng

    def of_folder(self, folder, part):
        name = super().of_folder(folder, part)
        self.dawdle()
        return name

    def dawdle(self):
        time.sleep(self._rng.random() / 1000)


def conflicting_keys(rng, count):
    """Keys of which many are the beginning of others."""
    keys: set[str] = set()
    while len(keys) < count:
        keys.add("/".join(rng.choice(("", "", "a", "b", "%")) for _ in range(rng.randint(1, 6))))
    keys.discard("")
    shuffled = sorted(keys)
    rng.shuffle(shuffled)
    return shuffled


def test_a_fault_ends_a_run_that_may_remove_a_few_only(tmp_path):
    bucket, root = MemoryBucket({str(number): b"data" for number in range(40)}), tmp_path / "root"
    root.mkdir()
    broken = drainer(bucket, MeddledTree(root, lambda: None), tmp_path, watch=full_at_the_journal)
    crew = Crew(broken, 16, Allowance(3), threading.Event(), lambda result: None)
    ended = threading.Event()

    def drain():
        with suppress(OSError):
            crew.drain([one] for one in bucket.candidates())
        ended.set()

    threading.Thread(target=drain, daemon=True).start()

    assert ended.wait(20)


def full_at_the_journal(step, key):
    if step == "renamed":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_a_worker_has_met_is_told_and_not_that_the_listing_ended_with_it(tmp_path):
    bucket, root, stop = MemoryBucket({"a": b"data"}), tmp_path / "root", threading.Event()
    root.mkdir()
    broken = drainer(bucket, MeddledTree(root, lambda: None), tmp_path, watch=full_at_the_journal)

    def works():
        yield bucket.candidates()
        assert stop.wait(20)
        raise RetryError("no page any more")

    with pytest.raises(OSError, match="No space left"):
        Crew(broken, 1, Allowance(None), stop, lambda result: None).drain(works())


@pytest.mark.parametrize("seed", range(6))
def test_hundreds_of_keys_that_want_each_others_names_all_get_their_own(tmp_path, seed):
    rng = random.Random(seed)
    # Few contents, so that a file that is taken for another key's would be found equal.
    objects = {key: rng.choice((b"", b"one", b"two")) for key in conflicting_keys(rng, 400)}
    bucket, root, reasons = MemoryBucket(objects), tmp_path / "root", set()
    outcomes: Counter[Outcome] = Counter()
    root.mkdir()
    names = DawdlingNames(rng)
    tree = MeddledTree(root, names.dawdle, names)

    def tell(result):
        outcomes[result.outcome] += 1
        reasons.add(result.reason)

    crew = Crew(drainer(bucket, tree, tmp_path), 32, Allowance(None), threading.Event(), tell)
    crew.drain([one] for one in bucket.candidates())

    files = {path.relative_to(root).parts: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert outcomes == {Outcome.DRAINED: len(objects)}, reasons
    assert bucket.objects == {}
    assert {key_of(parts): data for parts, data in files.items()} == objects
    assert len(files) == len(objects)
