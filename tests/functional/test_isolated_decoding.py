"""The child that decodes: what it makes, what it cannot reach, and what becomes of its parent when it goes down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.budget import PixelBudget
from pipeline.errors import Code, RejectError
from pipeline.images.child import Budget, IsolationError
from pipeline.images.isolate import transform_isolated
from pipeline.images.options import ImageOptions, Limits, OutputOptions
from pipeline.images.transform import transform
from pipeline.job import Outcome
from tests import bombs, images
from tests.functional.isolated import PICTURES, SHORT, hostile, refused
from tests.functional.pipeline_in_memory import Pipeline
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's limits are Linux's")

ROOT = Path(__file__).resolve().parents[2]


def seen(name: str):
    return json.loads(hostile(name).facts.camera_model or "null")


@pytest.mark.parametrize("name", PICTURES)
def test_a_child_makes_exactly_what_the_parent_would(name: str):
    assert transform_isolated(PICTURES[name]) == transform(PICTURES[name])


def test_options_and_limits_reach_the_child():
    options = ImageOptions(
        outputs=(("a", OutputOptions(fit=(64, 20), format="PNG")), ("b", OutputOptions(quality=30))),
        limits=Limits(max_side=300),
    )

    assert transform_isolated(PICTURES["JPEG"], options) == transform(PICTURES["JPEG"], options)
    with pytest.raises(RejectError) as caught:
        transform_isolated(images.png(images.photo((301, 5))), options)
    assert caught.value.code == Code.TOO_LARGE


@pytest.mark.parametrize(
    "data",
    (b"", b"no picture", images.truncated(PICTURES["JPEG"]), images.png().replace(b"IDAT", b"IDAT\x00", 1)),
    ids=("empty", "text", "truncated", "corrupt"),
)
def test_a_bad_image_has_the_same_code_and_reason_as_without_a_child(data: bytes):
    with pytest.raises(RejectError) as here:
        transform(data)
    with pytest.raises(RejectError) as there:
        transform_isolated(data)

    assert (there.value.code, there.value.reason) == (here.value.code, here.value.reason)


BOMBS = {
    "9 gigapixels": lambda: bombs.png_claiming(95_000, 95_000),
    "a JPEG of 4 gigapixels": lambda: bombs.jpeg_claiming(65_000, 65_000),
    "2,000 scans": lambda: bombs.jpeg_with_scans(2_000),
    "500,000 segments": lambda: bombs.jpeg_with_segments(500_000),
    "500,000 chunks": lambda: bombs.png_with_chunks(500_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_real_bomb_is_too_large_in_a_child_too(name: str):
    with pytest.raises(RejectError) as caught:
        transform_isolated(BOMBS[name]())

    assert caught.value.code == Code.TOO_LARGE


@pytest.mark.parametrize("make", (bombs.png_with_text_bomb, bombs.png_with_profile_bomb))
def test_a_bomb_beside_the_pixels_costs_a_child_nothing(make):
    assert transform_isolated(make(), budget=Budget(memory=60_000_000)).facts.size == (300, 200)


@pytest.mark.parametrize("name", ("segmentation_fault", "abort", "exits", "pixels_then_crash"))
def test_a_crash_is_a_corrupt_file(name: str):
    assert refused(name).code == Code.CORRUPT_FILE


@pytest.mark.parametrize("name", ("endless_cpu", "endless_sleep", "python_memory", "picture_memory", "killed"))
def test_what_uses_up_a_limit_is_too_large(name: str):
    begun = time.monotonic()

    assert refused(name).code == Code.TOO_LARGE
    assert time.monotonic() - begun < 20


def test_the_parent_ends_a_child_that_has_lost_its_clock():
    with pytest.raises(RejectError) as caught:
        hostile("loses_its_clock", budget=Budget(seconds=0.2))

    assert caught.value.code == Code.TOO_LARGE


def _children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task")
    return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


def test_nothing_is_inherited_but_what_the_loader_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    with open(tmp_path / "open", "wb") as file:
        os.set_inheritable(file.fileno(), True)

        names, files, limits, folder, own_session = seen("surroundings")

    assert set(names) <= {"LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "LC_CTYPE"}
    assert sorted(set(files.values())) == ["/dev/null", "listing", "pipe"]
    assert [files[number] for number in "012"] == ["/dev/null"] * 3
    assert limits == {"RLIMIT_CPU": SHORT.cpu_seconds, "RLIMIT_CORE": 0}
    assert folder == "/" and own_session


def test_a_child_writes_no_file(tmp_path: Path):
    path = tmp_path / "written"

    with pytest.raises((RejectError, IsolationError)):
        hostile("writes_a_file", str(path).encode())

    assert not path.exists() or path.stat().st_size == 0


def test_what_a_decoder_prints_disturbs_nobody(capfd: pytest.CaptureFixture[str]):
    made = hostile("prints", options=ImageOptions())

    assert [output.name for output in made.outputs] == ["thumbnail", "compressed"]
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_the_child_is_no_fault_of_the_image_and_forges_no_log_line():
    with pytest.raises(IsolationError) as caught:
        hostile("bug")

    assert "RuntimeError: a bug" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("work", ("tests.nowhere:work", "tests.hostile_decoders:nothing"))
def test_a_child_that_cannot_start_is_no_fault_of_the_image(work: str):
    with pytest.raises(IsolationError) as caught:
        transform_isolated(b"x", work=work)

    assert "Error" in str(caught.value) and "\n" not in str(caught.value)


def test_an_interpreter_that_is_missing_is_no_fault_of_the_image(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(IsolationError):
        transform_isolated(PICTURES["PNG"])


def test_a_library_that_is_missing_is_no_fault_of_the_image(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "PIL.PngImagePlugin", None)

    with pytest.raises(ImportError):
        transform(PICTURES["PNG"])


def test_the_child_waits_for_its_turn_before_it_decodes():
    told = []

    @contextmanager
    def turn(pixels: int):
        told.append(pixels)
        yield
        told.append(-pixels)

    transform_isolated(images.jpeg(), decoding=turn)

    assert told == [60_000, -60_000]


def test_waiting_for_a_turn_uses_up_no_time():
    @contextmanager
    def late(pixels: int):
        time.sleep(1.5)
        yield

    short = Budget(seconds=1.0)

    assert transform_isolated(images.jpeg(), decoding=late, budget=short).facts.size == (300, 200)


def test_threads_get_the_results_that_one_would_and_share_a_budget():
    expected, budget = transform(PICTURES["JPEG"]), PixelBudget(100_000)

    with ThreadPoolExecutor(max_workers=4) as pool:
        made = list(pool.map(lambda _: transform_isolated(PICTURES["JPEG"], decoding=budget.take), range(8)))

    assert made == [expected] * 8


def test_no_child_is_left_whatever_happened():
    with pytest.raises(ZeroDivisionError):
        transform_isolated(images.jpeg(), decoding=lambda pixels: 1 // 0)  # type: ignore[arg-type, return-value]

    assert _children(os.getpid()) == []


PARENT = """
import sys
sys.path[:0] = [sys.argv[1]]
from pipeline.images.isolate import transform_isolated
transform_isolated(b"x", work="tests.hostile_decoders:endless_cpu")
"""


def test_a_child_dies_with_its_parent_in_the_middle_of_c_code():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(ROOT)])
    try:
        [child] = eventually(lambda: _children(parent.pid))
        eventually(lambda: _cpu_seconds(child) > 0.8)
        assert _is_alive(child)
    finally:
        parent.kill()
        parent.wait()

    eventually(lambda: not _is_alive(child), timeout=4)


def _cpu_seconds(pid: int) -> float:
    """A child that is still loading modules has used less than what the test waits for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_message_that_comes_again_is_decoded_in_a_child():
    def crashing(data, options, *, decoding):
        return hostile("segmentation_fault", data, options)

    pipeline = Pipeline(isolated=crashing)
    pipeline.upload("a.jpg", PICTURES["JPEG"])

    again = pipeline.run("a.jpg", deliveries=2)
    assert again and (again.outcome, again.error_code) == (Outcome.FAILED, Code.CORRUPT_FILE)
    first = pipeline.run("a.jpg")
    assert first and first.outcome is Outcome.DONE


def test_a_redelivered_picture_is_done_by_the_real_child():
    pipeline = Pipeline(isolated=transform_isolated)
    pipeline.upload("a.jpg", PICTURES["JPEG"])

    record = pipeline.run("a.jpg", deliveries=2)

    assert record and record.outcome is Outcome.DONE
