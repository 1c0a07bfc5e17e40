"""Copies of one process are children as good as any: each is new, keeps to its limits, and goes when it is done."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import Code, RejectError
from pipeline.images.child import Budget, IsolationError
from pipeline.images.isolate import transform_isolated
from pipeline.images.nursery import Nursery
from pipeline.images.options import ImageOptions, Limits, OutputOptions
from pipeline.images.transform import Transformed, transform
from tests import images
from tests.functional.isolated import ONLY_FACTS, SHORT
from tests.hostile_decoders import FACTS
from tests.meta.project import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies are for Linux")

JPEG = images.jpeg()
#: How long a copy may take on a busy machine to do, or to die, beyond what it is allowed.
PATIENCE = 20


@contextmanager
def nursery(work: str) -> Iterator[Nursery]:
    made = Nursery(f"tests.hostile_decoders:{work}")
    try:
        yield made
    finally:
        made.close()


def ask(made: Nursery, data: bytes = b"x", options: ImageOptions = ONLY_FACTS, budget: Budget = SHORT) -> Transformed:
    return transform_isolated(data, options, work=made._work, budget=budget, start=made.start)


@pytest.fixture(scope="module")
def shared():
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def copied(shared):
    return partial(transform_isolated, start=shared.start)


@pytest.mark.parametrize("data", [JPEG, images.png(), images.png(images.photo((300, 200), "RGBA"))])
def test_a_copy_makes_exactly_what_the_parent_would(copied, data):
    assert copied(data) == transform(data)


def test_options_and_limits_reach_a_copy(copied):
    options = ImageOptions(outputs=(("a", OutputOptions(fit=(64, 20), format="PNG")),), limits=Limits(max_side=300))

    assert copied(JPEG, options) == transform(JPEG, options)
    with pytest.raises(RejectError, match="TOO_LARGE"):
        copied(images.png(images.photo((301, 5))), options)


@pytest.mark.parametrize("data", [b"", b"no picture", images.truncated(JPEG)])
def test_a_bad_image_has_the_same_code_and_reason_as_without_a_copy(copied, data):
    with pytest.raises(RejectError) as here:
        transform(data)
    with pytest.raises(RejectError) as there:
        copied(data)

    assert (there.value.code, there.value.reason) == (here.value.code, here.value.reason)


def test_threads_get_the_results_that_one_would(copied):
    expected = transform(JPEG)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: copied(JPEG), range(24))) == [expected] * 24


@pytest.mark.parametrize(
    "work", ["segmentation_fault", "abort", "exits", "pixels_then_crash", "says", "unknown_format"]
)
def test_a_crash_or_an_answer_that_is_none_is_a_corrupt_file_and_the_next_image_has_a_copy_too(work):
    with nursery(work) as made:
        for _ in range(3):
            with pytest.raises(RejectError) as refused:
                ask(made)
            assert refused.value.code is Code.CORRUPT_FILE


@pytest.mark.parametrize("work", ["endless_cpu", "endless_sleep", "python_memory", "killed", "loses_its_clock"])
def test_what_uses_up_a_limit_is_too_large(work):
    with nursery(work) as made, pytest.raises(RejectError) as refused:
        ask(made)

    assert refused.value.code is Code.TOO_LARGE


def test_a_copy_has_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    with nursery("surroundings") as made:
        names, files, limits, folder, own_session = json.loads(ask(made).facts.camera_model)

    assert set(names) <= {"LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "LC_CTYPE"}
    assert sorted(set(files.values())) == ["/dev/null", "listing", "pipe"]
    assert [files[number] for number in "012"] == ["/dev/null"] * 3
    assert limits == {"RLIMIT_CPU": SHORT.cpu_seconds, "RLIMIT_CORE": 0}
    assert folder == "/" and own_session


def test_nothing_that_one_image_leaves_behind_reaches_the_next():
    with nursery("remembers") as made:
        found = [json.loads(ask(made).facts.camera_model) for _ in range(3)]

    assert found[0][:2] == [FACTS.camera_model, None]
    assert found[1:] == found[:1] * 2


def test_a_wish_to_stop_that_reaches_every_process_does_not_make_the_image_corrupt():
    ourselves = str(os.getpid()).encode()
    with nursery("is_asked_to_stop") as made:
        copied = [ask(made, ourselves), ask(made, ourselves)]
    started = transform_isolated(ourselves, ONLY_FACTS, work="tests.hostile_decoders:is_asked_to_stop", budget=SHORT)

    assert [json.loads(one.facts.camera_model) for one in (*copied, started)] == ["still here"] * 3


def test_what_a_decoder_prints_disturbs_nobody(capfd):
    with nursery("prints") as made:
        made_of_it = ask(made, options=ImageOptions())

    assert [output.name for output in made_of_it.outputs] == ["thumbnail", "compressed"]
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_a_copy_is_no_fault_of_the_image():
    with nursery("bug") as made, pytest.raises(IsolationError, match="RuntimeError: a bug"):
        ask(made)


def test_work_that_cannot_be_imported_is_no_fault_of_the_image(capfd):
    with nursery("nothing") as made, pytest.raises(IsolationError):
        ask(made)

    assert "nothing" in capfd.readouterr().err


def test_an_original_that_died_is_replaced():
    with nursery("remembers") as made:
        ask(made)
        original = made._original.pid
        os.kill(original, signal.SIGKILL)
        eventually(lambda: not is_alive(original))

        assert ask(made)


def test_an_image_whose_copy_lost_its_original_is_not_to_blame():
    with nursery("endless_sleep") as made, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, made, budget=Budget(seconds=60))
        original = eventually(lambda: made._original).pid
        eventually(lambda: len(descendants(original)) == 2)
        os.kill(original, signal.SIGKILL)

        with pytest.raises(IsolationError):
            asked.result(PATIENCE)


PARENT = """
import sys
sys.path[:0] = [sys.argv[1]]
from pipeline.images.isolate import transform_isolated
from pipeline.images.nursery import Nursery
work = "tests.hostile_decoders:endless_cpu"
transform_isolated(b"x", work=work, start=Nursery(work).start)
"""


def test_all_of_them_die_with_their_parent_in_the_middle_of_c_code():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(ROOT)])
    try:
        below = eventually(lambda: found if len(found := descendants(parent.pid)) == 3 else [])
    finally:
        parent.kill()
        parent.wait()

    eventually(lambda: not any(map(is_alive, below)), timeout=6)


def descriptors() -> set[str]:
    """What this process has open, without what earlier tests left to the garbage collector."""
    gc.collect()
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return found


def test_a_hundred_images_leave_no_process_and_no_descriptor(shared, copied):
    copied(JPEG)
    original = shared._original.pid
    before = descriptors()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: copied(images.png(images.photo((1, 1)))), range(100)))

    assert descriptors() <= before
    eventually(lambda: descendants(original) == [])
    assert len(os.listdir(f"/proc/{original}/fd")) == 3


def descendants(parent: int) -> list[int]:
    """All processes below `parent` that live."""
    found = []
    for child in _children(parent):
        if is_alive(child):
            found += [child, *descendants(child)]
    return found


def _children(parent: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{parent}/task").iterdir())
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
