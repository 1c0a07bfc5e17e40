"""The program itself, with real worker processes, against the local cloud."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from tests.dask_workers import workers_of
from tests.images import jpeg, noise, photo
from tests.local_cloud_fixture import free_port
from tests.meta.project import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

PROGRAM = ROOT / "bulk" / "compress_images_from_S3.py"
JPEG = jpeg(Image.blend(photo((320, 240)), noise((320, 240)), 0.2), quality=95)
#: One that is worked on for a while: whoever stops a run comes before its end.
LARGE = jpeg(noise((1600, 1200)), quality=95)


class Bucket:
    """A bucket that keeps versions, a list of its images, and the program's command line for them."""

    def __init__(self, cloud: Any, folder: Path, images: int, data: bytes) -> None:
        self.cloud, self.folder, self.name = cloud, folder, f"originals-{uuid4().hex[:8]}"
        self.s3 = cloud.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.keys = [f"imagens/imagem{number}.jpg" for number in range(images)]
        for key in self.keys:
            self.s3.put_object(Bucket=self.name, Key=key, Body=data)
        (folder / "dataset.csv").write_text("\n".join(["path", *self.keys]) + "\n")

    def start(
        self,
        *arguments: str,
        program: Path = PROGRAM,
        cwd: Path | None = None,
        csv: str = "",
        stdin: Any = None,
        output: Any = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        csv = csv or str(self.folder / "dataset.csv")
        return subprocess.Popen(
            [sys.executable, str(program), "--bucket_name", self.name, "--csv_path", csv]
            + ["--log_dir", str(self.folder), "--temp_dir", str(self.folder), *arguments],
            cwd=cwd or self.folder,
            env={**self.cloud.environ, "IMAGE_PIPELINE_HOME": str(self.folder)},
            stdin=stdin,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **how: Any) -> tuple[int, str, str]:
        started = self.start(*arguments, **how)
        stdout, stderr = started.communicate(timeout=240)
        return started.returncode, stdout, stderr

    def compressed(self) -> list[str]:
        heads = {key: self.s3.head_object(Bucket=self.name, Key=key)["Metadata"] for key in self.keys}
        return [key for key, metadata in heads.items() if "image-pipeline-compressed" in metadata]

    def versions(self) -> int:
        """How often objects of the bucket were written."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name)
        return sum(len(page.get("Versions", [])) for page in pages)


@pytest.fixture
def bucket(local_cloud, tmp_path):
    return lambda images=2, data=JPEG: Bucket(local_cloud, tmp_path, images, data)


@pytest.mark.parametrize("way", ["from bulk/", "by its path"])
def test_the_printed_command_works_with_only_its_two_flags(bucket, way):
    made = bucket(2)
    how = {"program": Path(PROGRAM.name), "cwd": PROGRAM.parent} if way == "from bulk/" else {}

    code, stdout, stderr = made.run(**how)

    assert code == 0, stderr
    assert made.compressed() == made.keys and "compressed" in stdout and "Traceback" not in stderr
    [log] = made.folder.glob("log_*.log")
    lines = log.read_text().splitlines()
    assert " - INFO - Start of processing" in lines[0] and " - INFO - End of processing" in lines[-1]


def test_flags_with_dashes_results_as_json_and_a_report(bucket):
    made = bucket(2)
    report = made.folder / "report.json"

    code, stdout, stderr = made.run("--perc-compression-quality", "60", "--json", "--report", str(report))

    found = json.loads(stdout)
    assert code == 0, stderr
    assert (found["images"], found["failed"]) == (2, 0) and found["bytes_saved"] > 0
    entries = json.loads(report.read_text())
    assert [(entry["line"], entry["key"], entry["outcome"]) for entry in entries] == [
        (number + 2, key, "compressed") for number, key in enumerate(made.keys)
    ]


@pytest.mark.parametrize("report", ["nowhere/report.csv", "a_folder.csv", "a" * 300 + ".csv"])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_done(bucket, report):
    made = bucket(1)
    (made.folder / "a_folder.csv").mkdir()

    code, stdout, stderr = made.run("--report", str(made.folder / report))

    assert (code, stdout, made.compressed()) == (2, "", [])
    assert report in stderr and "cannot be written" in stderr and "Traceback" not in stderr


def test_a_list_may_come_through_standard_input(bucket):
    made = bucket(2)
    with (made.folder / "dataset.csv").open() as list_of_keys:
        code, _, stderr = made.run(csv="-", stdin=list_of_keys)

    assert code == 0, stderr
    assert made.compressed() == made.keys


def test_another_list_of_the_same_name_has_a_journal_of_its_own_and_the_same_list_has_not(bucket):
    made = bucket(2)
    path = made.folder / "dataset.csv"
    made.run("--dry_run")
    with path.open() as the_same:
        made.run("--dry_run", csv="-", stdin=the_same)
    [journal] = made.folder.glob("*.journal")

    path.write_text(f"path\n{made.keys[0]}\n")
    made.run("--dry_run")

    assert len({journal, *made.folder.glob("*.journal")}) == 2


def test_where_nobody_reads_what_it_says_the_work_is_done_and_told_in_log_report_and_exit_code(bucket):
    made, report = bucket(2), "report.csv"
    with (made.folder / "dataset.csv").open("a") as list_of_keys:
        list_of_keys.write("s3://another/c.jpg\n")
    reader, writer = os.pipe()
    os.close(reader)

    with open(writer, "wb") as nobody:
        code, _, _ = made.run("--report", report, output=nobody)

    assert code == 1 and made.compressed() == made.keys
    assert len((made.folder / report).read_text().splitlines()) == 4


def test_without_a_way_back_it_refuses_and_names_three_ways_out(bucket):
    made = bucket(1)
    made.s3.put_bucket_versioning(Bucket=made.name, VersioningConfiguration={"Status": "Suspended"})

    code, _, stderr = made.run()

    assert code == 2 and made.compressed() == []
    assert all(way in stderr for way in ("versioning", "--backup_prefix", "--backup_bucket", "--no_backup"))


def test_a_bucket_that_is_not_there_is_named(bucket):
    made = bucket(1)
    made.name = "not-there-" + uuid4().hex[:8]

    code, _, stderr = made.run()

    assert code == 2 and f"{made.name} does not exist" in stderr and "Traceback" not in stderr


def test_a_worker_that_is_killed_is_replaced_and_its_image_done_by_another(bucket):
    made = bucket(30, LARGE)
    program = made.start("--workers", "2")
    eventually(lambda: made.versions() > len(made.keys))

    workers_of(program.pid)[0].kill()
    stdout, stderr = program.communicate(timeout=240)

    assert program.returncode == 0, stderr
    assert made.compressed() == made.keys
    assert made.versions() == 2 * len(made.keys)


each_signal = pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


@each_signal
def test_whoever_interrupts_it_while_its_workers_start_reads_one_line_and_no_trace(bucket, sign, code):
    program = bucket().start("--workers", "2")
    started = eventually(lambda: workers_of(program.pid))

    # Ctrl-C at a terminal reaches what is being started as well.
    os.killpg(program.pid, sign) if sign == signal.SIGINT else program.send_signal(sign)
    _, stderr = program.communicate(timeout=120)

    assert program.returncode == code and "run the same command again to go on" in stderr
    assert "Traceback" not in stderr
    eventually(lambda: not any(process.is_running() for process in started))


@each_signal
def test_an_interrupted_run_says_how_to_go_on_and_leaves_no_process(bucket, sign, code):
    made = bucket(30, LARGE)
    program = made.start("--workers", "1")
    eventually(lambda: made.versions() > len(made.keys))
    workers = workers_of(program.pid)

    # Ctrl-C at a terminal reaches the workers as well.
    os.killpg(program.pid, sign) if sign == signal.SIGINT else program.send_signal(sign)
    _, stderr = program.communicate(timeout=120)

    assert program.returncode == code and "run the same command again to go on" in stderr
    assert "Traceback" not in stderr
    eventually(lambda: not any(worker.is_running() for worker in workers))
    assert made.run("--workers", "1")[0] == 0 and made.compressed() == made.keys
    assert made.versions() == 2 * len(made.keys)


def test_a_run_that_was_killed_goes_on_and_ends_as_one_that_was_not(bucket):
    made = bucket(30, LARGE)
    program = made.start("--workers", "2")
    # The first may be written without having been noted yet.
    eventually(lambda: made.versions() > len(made.keys) + 8)
    os.killpg(program.pid, signal.SIGKILL)
    program.communicate()

    code, _, stderr = made.run("--workers", "2")

    assert code == 0 and "goes on behind them" in stderr
    assert made.compressed() == made.keys and made.versions() == 2 * len(made.keys)


def test_the_workers_of_a_cluster_do_it_as_well(bucket):
    made, port = bucket(3), free_port()
    environ = {**made.cloud.environ, "PYTHONPATH": str(ROOT)}
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environ, "cwd": made.folder}
    dask = [sys.executable, "-m", "dask"]
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], **quiet
    )
    worker = subprocess.Popen([*dask, "worker", address, "--no-dashboard", "--nthreads", "1"], **quiet)
    try:
        eventually(lambda: made.run("--scheduler", address)[0] == 0)
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(30)

    assert made.compressed() == made.keys


#: Does nothing with images, except that one of them is the end of whoever works on it.
FATAL = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from contextlib import closing
from pathlib import Path
from bulk.compress.bounds import Bounds
from bulk.compress.cluster import workers
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.run import Run
from bulk.compress.verdict import verdict
from bulk.compress.work import Order, Place
from bulk.csv_rows import Row
from pipeline.errors import RejectError
from pipeline.images.decode import rejecting

def work(order, row):
    if row.key == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if row.key == "loop":
        # In C code that never gives up the interpreter.
        7 ** (7**9)
    if row.key == "hoard":
        try:
            with rejecting():
                held = [bytearray(50_000_000) for _ in range(1_000_000)]
        except RejectError as error:
            return verdict(error, row, None, order.options)
    return Done(line=row.line, key=row.key, outcome=Outcome.COMPRESSED)

if __name__ == "__main__":
    place = Place(region="", endpoint_url=None, profile=None, home="")
    order = Order(place=place, bucket="b", temp_dir="", options=Options())
    keys = ["a", sys.argv[2], *"bcdefgh"]
    with closing(Log(Path())) as log, closing(Journal(Path("run.journal"))) as journal:
        with workers(order, count=2, work=work, bounds=Bounds(cpu_seconds=2, memory=500_000_000)) as compress:
            Run(journal, log, compress, sleep=lambda seconds: None).all(iter(map(Row, range(2, 11), keys)))
        for done in journal.images():
            print(done.key, done.outcome.value, done.reason)
"""
_KILLED = "failed 2 workers died while they worked on it"


@pytest.mark.parametrize(
    ("fatal", "end"),
    [("crash", _KILLED), ("loop", _KILLED), ("hoard", "ignored the image needs more memory than there is")],
)
def test_an_image_that_kills_or_starves_every_worker_fails_and_the_others_are_done(tmp_path, fatal, end):
    (tmp_path / "program.py").write_text(FATAL)

    ended = subprocess.run(
        [sys.executable, "program.py", str(ROOT), fatal], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )

    assert ended.returncode == 0, ended.stderr
    others = [f"{key} compressed " for key in "abcdefgh"]
    assert sorted(ended.stdout.splitlines()) == sorted([*others, f"{fatal} {end}"])


def test_started_without_its_libraries_it_names_the_line_that_installs_them(tmp_path):
    code = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'distributed' else find(name, *more)\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from bulk.compress_images_from_S3 import main\n"
        "sys.exit(main(['--bucket_name', 'b', '--csv_path', 'f']))"
    )

    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 2 and "pip install -r bulk/requirements.txt" in ended.stderr


@pytest.mark.parametrize("address", ["tcp://10.0.0.7:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1"])
def test_a_scheduler_that_cannot_be_trusted_or_is_none_is_refused_before_anything_is_asked(tmp_path, address):
    arguments = ["--bucket_name", "b", "--csv_path", "f", "--scheduler", address]

    ended = subprocess.run([sys.executable, str(PROGRAM), *arguments], cwd=tmp_path, capture_output=True, text=True)

    assert ended.returncode == 2 and address in ended.stderr
    assert list(tmp_path.iterdir()) == []
