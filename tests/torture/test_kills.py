"""Function processes that are killed at every step and at any moment: the end is the one of a run without kills."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.images import jpeg, photo, truncated
from tests.torture.deployment import Tortured
from tests.torture.fault_proxy import Call, fault_proxy
from tests.torture.function_processes import function_processes, kill, process_behind
from tests.torture.results import Results
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]

PICTURES = [jpeg(photo((side, 48)), quality=95) for side in (48, 64)]
LARGE = jpeg(photo((2400, 1600)), quality=95)

#: The calls by which a step is known from outside, and the folder of keys that goes through it. "transform" makes no
#: call: it runs after the object has come.
STEPS = {
    "fetch": "GetObject",
    "transform": "GetObject",
    "put": "PutObject",
    "record": "UpdateItem",
    "clean": "DeleteObjects",
    "confirm": "HeadObject",
    "unrecord": "DeleteItem",
}
MOMENTS = [(step, moment) for step in STEPS for moment in (("during",) if step == "transform" else ("before", "after"))]
#: Seconds for which a message is hidden, and for which a function may run. In full numbers as on AWS, where none lives
#: longer than its message is hidden: one whose message another has done and deleted meanwhile has nobody to make good
#: what it leaves when it is killed. A slice is over before a function could be that slow.
FULL, SLICE = {"visibility": 41, "function_timeout": 40}, {"visibility": 8, "function_timeout": 6}
#: Seconds in which LARGE is decoded, shrunk and encoded by the slowest machine that still passes these tests, at least.
TRANSFORMING = 0.05


class Killer:
    """Kills the process behind a call, once for each key, at the step and moment that the key names."""

    def __init__(self, tortured: Tortured) -> None:
        self.cloud = tortured.deployment.cloud
        self.armed = False
        self.killed: Counter[str] = Counter()
        self._met: set[str] = set()
        self._rng = random.Random(5)
        self._lock = threading.Lock()

    def before(self, call: Call) -> str | None:
        return "reset before" if self._meets(call, "before") and self._kill(call, "before") else None

    def after(self, call: Call) -> None:
        if self._meets(call, "after"):
            self._kill(call, "after")
        elif self._meets(call, "during"):
            pid = process_behind(self.cloud, call.ports)
            threading.Timer(self._rng.uniform(0, TRANSFORMING), self._kill, (call, "during", pid)).start()

    def _meets(self, call: Call, moment: str) -> bool:
        """Whether this is the first call of its kind for a key that is to die at it."""
        step, wanted, key = _plan(call.key)
        with self._lock:
            if not self.armed or STEPS.get(step) != call.operation or wanted != moment or key in self._met:
                return False
            self._met.add(key)
            return True

    def _kill(self, call: Call, moment: str, pid: int | None = None) -> bool:
        pid = pid or process_behind(self.cloud, call.ports)
        killed = pid is not None and kill(self.cloud, pid)
        step, _, key = _plan(call.key)
        with self._lock:
            self.killed[f"{moment} {step}"] += killed
            if not killed:
                # It died of another key's kill that came late: whoever gets the message next is met again.
                self._met.discard(key)
        return killed


def _plan(key: str) -> tuple[str, str, str]:
    """Step, moment and image of an object's, an output's or a record's key: `…/put-before-07.jpg/…`."""
    name = next((part for part in key.split("/") if part.endswith(".jpg") and part.count("-") == 2), "")
    step, _, rest = name.partition("-")
    return step, rest.partition("-")[0], name


def test_a_function_that_is_killed_at_any_step_is_made_good(tortured, full_torture, results: Results):
    times, moments = (20, MOMENTS) if full_torture else (1, [*MOMENTS[1::4], *MOMENTS[2::4]])
    keys = [f"steps/{step}-{moment}-{number:02}.jpg" for step, moment in moments for number in range(times)]
    killer, before = Killer(tortured), tortured.outcomes()
    with fault_proxy(tortured.deployment.cloud.port, killer.before, killer.after) as address:
        tortured.work_through(address, **(FULL if full_torture else SLICE), batch_size=1)
        for key in keys:
            tortured.upload(key, PICTURES[0])
        tortured.wait_until_idle(timeout=600)
        # Every picture is there once; now it is replaced, or removed, and the workers die.
        killer.armed = True
        for key in keys:
            if "unrecord" in key:
                tortured.delete(key)
            else:
                tortured.upload(key, LARGE if "transform" in key else PICTURES[1])
        tortured.wait_until_idle(timeout=2400 if full_torture else 200)
        dead = tortured.redrive()
        tortured.wait_until_idle(timeout=200)

    wanted = {key: None if "unrecord" in key else "DONE" for key in keys}
    assert tortured.wrongs(before | wanted) == []
    assert killer.killed == {f"{moment} {step}": times for step, moment in moments}
    results.say(kills=killer.killed.total(), times_each=times, dead_letters_redriven=dead, wrong=0)


def test_kills_at_any_moment_end_as_a_run_without_kills(tortured, full_torture, results: Results):
    objects, kills = (300, 1000) if full_torture else (12, 3)
    rng = random.Random(7)
    before = tortured.outcomes()
    direct = tortured.deployment.cloud.endpoint_url
    tortured.work_through(direct, **(FULL if full_torture else SLICE))
    keys = [f"random/{number:03}.jpg" for number in range(objects)]
    started = time.monotonic()
    for key in keys:
        tortured.upload(key, PICTURES[0])
    tortured.wait_until_idle(timeout=300)
    # So that kills meet workers at work that have done something, however quick the machine is.
    pace = (time.monotonic() - started) / objects * (20 if full_torture else 3)
    undisturbed = {key: facts for key, facts in tortured.facts().items() if key in keys}
    tortured.work_through(direct, **(FULL if full_torture else SLICE))
    for key in keys:
        tortured.delete(key)
    tortured.wait_until_idle(timeout=300)

    with _uploading(tortured, keys) as uploads:
        killed = _kill_while_working(tortured, rng, kills, pace)
    tortured.wait_until_idle(timeout=600)
    dead = tortured.redrive()
    tortured.wait_until_idle(timeout=300)

    assert tortured.wrongs(before | {key: "DONE" for key in keys}) == []
    assert {key: facts for key, facts in tortured.facts().items() if key in keys} == undisturbed
    results.say(seed=7, objects=objects, uploads=len(uploads), kills=killed, dead_letters_redriven=dead, lost=0,
                orphaned_outputs=0)  # fmt: skip


@contextmanager
def _uploading(tortured: Tortured, keys: list[str]) -> Iterator[list[str]]:
    """Everything is uploaded again and again, once at least, so that there is always something to be killed at; yields
    the keys that were uploaded so far."""
    done, uploads = threading.Event(), list[str]()

    def upload() -> None:
        for key in itertools.cycle(keys):
            if done.is_set() and len(uploads) >= len(keys):
                return
            # What dead workers hold is hidden for long; besides it some wait, and not all that can be uploaded.
            eventually(lambda: tortured.visible("messages-queue") < 30, timeout=600)
            tortured.upload(key, PICTURES[0])
            uploads.append(key)

    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(upload)
        try:
            yield uploads
        finally:
            done.set()
        uploading.result()


def _kill_while_working(tortured: Tortured, rng: random.Random, most: int, pace: float) -> int:
    """Kill one process of the function after another, at random moments at most `pace` seconds apart; how many."""
    killed, deadline = 0, time.monotonic() + 3000
    while killed < most:
        assert time.monotonic() < deadline, f"only {killed} kills"
        time.sleep(rng.uniform(0, pace))
        running = function_processes(tortured.deployment.cloud)
        if running:
            killed += kill(tortured.deployment.cloud, rng.choice(running))
    return killed


def test_a_function_that_dies_of_one_image_of_ten_does_the_other_nine(tortured):
    before = tortured.outcomes()
    keys, deliveries = [f"ten/{number}.jpg" for number in range(10)], Counter[str]()

    def die_at_the_first_delivery(call: Call) -> None:
        # As a decoder would kill it that meets the poison in the function's own process.
        if call.operation == "GetObject" and call.key == keys[4]:
            deliveries[call.key] += 1
            pid = process_behind(tortured.deployment.cloud, call.ports) if deliveries[call.key] == 1 else None
            if pid:
                kill(tortured.deployment.cloud, pid)

    with fault_proxy(tortured.deployment.cloud.port, lambda call: None, die_at_the_first_delivery) as address:
        tortured.work_through(address, **SLICE)
        for key in keys:
            tortured.upload(key, truncated(PICTURES[0]) if key == keys[4] else PICTURES[0])
        tortured.wait_until_idle(timeout=120)

    wanted = {key: "TRUNCATED_IMAGE" if key == keys[4] else "DONE" for key in keys}
    assert deliveries[keys[4]] == 2 and tortured.count("dead-letter-queue") == 0
    assert tortured.wrongs(before | wanted) == []


def test_one_upload_is_one_run(tortured):
    before = tortured.outcomes()
    calls: Counter[str] = Counter()

    def count(call: Call) -> str | None:
        calls[call.operation] += 1
        return None

    with fault_proxy(tortured.deployment.cloud.port, count) as address:
        tortured.work_through(address, visibility=60, function_timeout=6)
        tortured.upload("once.jpg", PICTURES[0])
        tortured.wait_until_idle(timeout=60)

    # Outputs that were uploads as well would each be fetched.
    assert (calls["GetObject"], calls["PutObject"], calls["UpdateItem"]) == (1, 2, 1)
    assert tortured.wrongs(before | {"once.jpg": "DONE"}) == []
