"""The parts of the program that compresses a bucket: flags, memory, files, report."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bulk.compress import progress, report
from bulk.compress.arguments import parser
from bulk.compress.gate import SlotGate
from bulk.compress.journal import Journal, path_of
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done, LogLine, Outcome
from bulk.compress.spool import Spool, SpoolError, file_name, sweep
from bulk.compress.story import megabytes
from bulk.csv_rows import Omitted, Row
from bulk.memory_gate import BYTES_PER_PIXEL
from cli.exits import Exit
from tests.meta.project import ROOT

REQUIRED = ["--bucket_name", "meu-bucket", "--csv_path", "/caminho/para/dataset.csv"]


def parsed(*arguments: str):
    return parser("It compresses.").parse_args([*REQUIRED, *arguments])


def test_the_two_required_flags_are_enough_and_the_rest_has_the_printed_defaults(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/system/temp")

    found = parsed()

    assert (found.bucket_name, found.csv_path) == ("meu-bucket", "/caminho/para/dataset.csv")
    assert (found.max_image_pixels, found.perc_compression_quality, found.ignore_trunc) == (1_000_000_000, 80, True)
    assert found.temp_dir == Path("/system/temp") and found.min_savings == 3


def test_the_printed_examples_are_taken_with_underscores_and_with_dashes():
    for dash in ("_", "-"):
        found = parsed(
            *("--max_image_pixels".replace("_", dash), "500000000"),
            *("--perc_compression_quality".replace("_", dash), "75"),
            *("--temp_dir".replace("_", dash), "/tmp"),
            *("--ignore_trunc".replace("_", dash), "False"),
        )

        assert (found.max_image_pixels, found.perc_compression_quality) == (500_000_000, 75)
        assert (found.temp_dir, found.ignore_trunc) == (Path("/tmp"), False)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--perc_compression_quality", "101"),
        ("--perc_compression_quality", "-1"),
        ("--max_image_pixels", "0"),
        ("--ignore_trunc", "perhaps"),
        ("--min_savings", "100"),
        ("--min_savings", "nan"),
        ("--png_colors", "257"),
        ("--formats", "JPEG,GIF"),
        ("--report", "report.txt"),
        ("--workers", "0"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(flag, value, capsys):
    with pytest.raises(SystemExit) as left:
        parsed(f"{flag}={value}")

    said = capsys.readouterr().err
    assert left.value.code == 2 and flag in said and value.split(",")[-1] in said


def test_formats_are_known_by_both_of_their_names():
    assert parsed("--formats", "jpg, webp").formats == ("JPEG", "WEBP")
    assert parsed().formats == ("JPEG", "PNG", "MPO")


def test_the_mark_says_all_that_can_change_a_file():
    marks = {
        Options().mark,
        Options(quality=75).mark,
        Options(png_colors=256).mark,
        Options(strip_metadata=True).mark,
    }

    assert len(marks) == 4 and Options(min_savings=50, ignore_trunc=False).mark == Options().mark == "quality=80"


@pytest.mark.parametrize(
    ("size", "text"), [(3_500_000, "3.5 MB"), (2_100_000, "2.1 MB"), (48_000, "0.048 MB"), (0, "0 MB")]
)
def test_sizes_are_told_in_megabytes(size, text):
    assert megabytes(size) == text


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("imagens/imagem1.jpg", "imagem1.jpg"),
        ("a/../..", "object"),
        ("folder/", "folder"),
        ("///", "object"),
        ('a<b>:"|?*\\c\x00\n.png', "a_b_______c__.png"),
        ("é/ü" * 10 + "x" * 400 + ".jpeg", "x" * 136 + ".jpeg"),
    ],
)
def test_the_last_part_of_any_key_is_a_name_that_every_disk_takes(key, name):
    found = file_name(key)

    assert found.endswith(name[-20:]) and len(found.encode()) <= 150
    assert len(Path(found).parts) == 1


def test_a_temporary_folder_that_is_not_there_is_no_fault_of_the_image(tmp_path):
    with pytest.raises(SpoolError, match="nowhere"), Spool(str(tmp_path / "nowhere"), "a.jpg"):
        pass


def test_what_a_killed_worker_left_is_swept_away_and_what_another_is_at_work_on_stays(tmp_path):
    code = "import os, sys; from bulk.compress.spool import Spool; spool = Spool(sys.argv[1], 'a.jpg').__enter__();"
    code += "spool.path.write_bytes(b'left'); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    foreign = tmp_path / "compress-of-others"
    foreign.mkdir()
    with Spool(str(tmp_path), "b.jpg") as spool:
        spool.path.write_bytes(b"at work")
        before = set(tmp_path.iterdir())

        sweep(str(tmp_path))

        assert killed.returncode == -9
        assert len(before) == 3 and set(tmp_path.iterdir()) == {foreign, spool.path.parent}
        assert spool.path.read_bytes() == b"at work"
    assert list(tmp_path.iterdir()) == [foreign]


def test_images_wait_until_their_pixels_fit(tmp_path):
    gate = SlotGate(tmp_path, 32 * 1000 * BYTES_PER_PIXEL)
    entered = threading.Event()

    def second():
        with gate.take(20_000):
            entered.set()

    with gate.take(20_000):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()


def test_images_that_fit_go_side_by_side_and_a_giant_goes_alone(tmp_path):
    gate = SlotGate(tmp_path, 32 * 1000 * BYTES_PER_PIXEL)
    order: list[str] = []

    def giant():
        with gate.take(10**9):
            order.append("giant")

    with gate.take(10_000), gate.take(10_000):
        thread = threading.Thread(target=giant)
        thread.start()
        time.sleep(0.1)
        order.append("small ones")
    thread.join(10)

    assert order == ["small ones", "giant"]


def test_a_process_that_is_killed_gives_back_what_it_held(tmp_path):
    code = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path; from bulk.compress.gate import SlotGate\n"
        f"with SlotGate(Path({str(tmp_path)!r}), 1000).take(10**9):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()

    with SlotGate(tmp_path, 1000).take(10**9):
        pass


def done(key: str, outcome: Outcome = Outcome.COMPRESSED, **facts: object) -> Done:
    return Done(line=2, key=key, outcome=outcome, **{"before": 100, "after": 60, **facts})  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path):
    with closing(Journal(tmp_path / "run.journal")) as journal:
        journal.begin()
        yield journal


def test_a_report_tells_of_every_image_and_every_line_and_no_cell_is_a_formula(journal, tmp_path):
    journal.write(done("=cmd|'/c calc'!A0"))
    journal.write(done("b.jpg", Outcome.IGNORED, code="CORRUPT_FILE", reason="broken", after=None))
    journal.omit(Omitted(9, "s3://other/c.jpg", "it names another bucket", True))

    report.write_report(journal, tmp_path / "r.csv")
    report.write_report(journal, tmp_path / "r.json")

    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    entries = json.loads((tmp_path / "r.json").read_text())
    assert [row["key"] for row in rows] == ["'=cmd|'/c calc'!A0", "b.jpg", "s3://other/c.jpg"]
    assert [(row["outcome"], row["code"]) for row in rows[:2]] == [("compressed", ""), ("ignored", "CORRUPT_FILE")]
    assert entries[0]["key"] == "=cmd|'/c calc'!A0" and entries[2]["line"] == 9


def test_the_totals_count_by_outcome_and_code_and_what_is_to_be_mended_has_failed(journal):
    journal.write(done("a.jpg"))
    journal.write(done("b.jpg"))
    journal.write(done("c.jpg", Outcome.FAILED, reason="x", after=None))
    journal.omit(Omitted(4, "", "the line is blank", False))
    journal.omit(Omitted(5, '"', "a quote is open", True))

    found = report.totals(journal)

    assert found["bytes_saved"] == 80 and found["images"] == 3
    assert (found["lines_not_done"], found["lines_to_mend"], found["failed"]) == (2, 1, 2)


def test_a_journal_that_came_to_its_end_is_forgotten_by_the_next_run_and_another_is_not(tmp_path):
    for finished, left in ((True, 0), (False, 1)):
        path = tmp_path / f"{finished}.journal"
        with closing(Journal(path)) as journal:
            journal.begin()
            journal.write(done("a.jpg"))
            journal.finish() if finished else None
        with closing(Journal(path)) as journal:
            journal.begin()

            assert journal.count() == left and journal.has(Row(2, "a.jpg")) == bool(left)


def test_commands_that_differ_have_journals_of_their_own(tmp_path):
    paths = {path_of(tmp_path, *identity) for identity in (("a", "b"), ("ab", ""), ("a", "c"))}

    assert len(paths) == 3


def test_a_list_says_about_how_long_it_is(tmp_path):
    (tmp_path / "list.csv").write_text("path\n" + "a.jpg\n" * 1000)

    with (tmp_path / "list.csv").open("rb") as file:
        assert progress.lines_in(file) == 1000


def test_progress_is_silent_where_nobody_watches(capsys):
    with progress.shown(10, already=3) as tell:
        tell(done("a.jpg"))

    assert capsys.readouterr() == ("", "")


def test_progress_tells_the_rate_and_what_was_saved_where_somebody_watches(capsys, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    seconds = iter((0.0, 2.0, 4.0))

    with progress.shown(4, clock=lambda: next(seconds)) as tell:
        tell(done("a.jpg"))
        tell(done("b.jpg"))

    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "2/4" in shown and "0.5 images/s, 80 B saved" in shown


def test_two_runs_that_begin_in_one_second_have_two_logs(tmp_path):
    def now():
        return datetime(2024, 2, 1, 12, 0, 0)

    with closing(Log(tmp_path, now=now)) as one, closing(Log(tmp_path, now=now)) as other:
        one.write([LogLine(now(), "INFO", "first")])
        other.say("second", "WARNING")

    assert one.path.read_text() == "2024-02-01 12:00:00 - INFO - first\n"
    assert other.path.read_text() == "2024-02-01 12:00:00 - WARNING - second\n"


def test_a_line_that_was_mended_is_not_told_of_again(tmp_path):
    path = tmp_path / "run.journal"
    with closing(Journal(path)) as interrupted:
        interrupted.begin()
        interrupted.write(Done(line=1, key="a.jpg", outcome=Outcome.COMPRESSED))
        interrupted.omit(Omitted(2, "b", "it has no name", is_fault=True))

    with closing(Journal(path)) as again:
        again.begin()

        assert again.omissions() == (0, 0) and again.count() == 1


#: A run whose disk takes no more than a tenth of a megabyte.
ON_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
from bulk.compress.journal import Journal
from bulk.compress.outcome import Done, Outcome
from cli.exits import run
def main():
    journal = Journal(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    for line in range(10_000):
        journal.write(Done(line=line, key=str(line) * 20, outcome=Outcome.COMPRESSED))
sys.exit(run(main))
"""


def test_a_disk_that_takes_no_more_of_the_journal_is_a_line_and_no_trace(tmp_path):
    command = [sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path / "run.journal")]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert ended.returncode == Exit.SOME_FAILED
    assert "run.journal cannot be written" in ended.stderr and "Traceback" not in ended.stderr
