"""The drainer as a person meets it: configuration, questions, targets, the end."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.local_cloud_fixture import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud


def test_it_works_with_botocore_alone(drained):
    drained.put("a", b"data")
    code = (
        "import sys; from bulk.drain_bucket import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(name.split('.')[0] in ('boto3', 's3transfer') for name in sys.modules))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code, "--local", "--yes", *drained.arguments()],
        cwd=ROOT, env=os.environ | drained.environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert drained.keys() == []


def test_memory_does_not_grow_with_the_size_of_objects(drained):
    def most_memory(*objects):
        for number, size in enumerate(objects):
            drained.put(str(number), os.urandom(size))
        # Not ru_maxrss, in which a child begins with what its parent has: this process holds the objects.
        code = "import re, sys; from bulk.drain_bucket import main; main(sys.argv[1:]);"
        code += "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
        arguments = ["--local", "--yes", *drained.arguments("--workers", "4")]
        environ = os.environ | drained.environ
        ended = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120
        )
        assert drained.keys() == [], ended.stderr
        return int(ended.stdout.splitlines()[-1])

    small = most_memory(*[1000] * 8)

    assert most_memory(*[60_000_000] * 4) < small + 40


def test_a_dry_run_changes_nothing_and_says_where_all_would_go(drained):
    drained.put("a/b.jpg", b"data")
    drained.put("done", b"data")
    drained.processed.mkdir()
    (drained.processed / "done").write_bytes(b"data")

    ended = drained.run("--dry-run", "--processed-path", str(drained.processed), yes=False)

    plans = [json.loads(line) for line in ended.out.splitlines()]
    assert [(plan["key"], plan["plan"], plan["path"]) for plan in plans] == [
        ("a/b.jpg", "move to", str(drained.root / "a" / "b.jpg")),
        ("done", "remove, if equal to", str(drained.processed / "done")),
    ]
    assert drained.keys() == ["a/b.jpg", "done"]
    assert not drained.root.exists()


def test_where_nobody_can_be_asked_nothing_is_removed(drained):
    drained.put("a", b"data")

    ended = drained.run_program(*drained.arguments())

    assert ended.code == 2
    assert "--yes" in ended.err
    assert (drained.keys(), drained.root.exists()) == (["a"], False)


@pytest.mark.parametrize(("answer", "code", "left"), [("yes", 0, []), ("no", 1, ["a", "b"])])
def test_a_person_is_asked_once_with_count_and_bytes(drained, answer, code, left):
    drained.put("a", b"x" * 1500)
    drained.put("b", b"y" * 500)
    person, terminal = pty.openpty()
    process = drained.start(*drained.arguments(), stdin=terminal)

    os.write(person, f"{answer}\n".encode())
    out, err = process.communicate(timeout=60)

    assert process.returncode == code, err
    assert err.count("2 objects of 2.0 kB") == 1
    assert drained.keys() == left
    os.close(person)
    os.close(terminal)


def test_on_a_terminal_objects_and_bytes_a_second_are_shown_and_the_time_left(drained):
    for number in range(30):
        drained.put(str(number), b"x" * 50_000)
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "bulk/drain_bucket.py", "--local", "--yes", *drained.arguments("--rate-limit", "500k")],
        cwd=ROOT, env=os.environ | drained.environ | {"TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE, stderr=terminal, text=True,
    )  # fmt: skip
    os.close(terminal)

    shown = read_to_the_end(screen)
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 0, shown
    assert "objects/s" in shown and "kB/s" in shown and "/30" in shown and "0:00:0" in shown
    assert json.loads(out)["removed"] == 30


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("with_stderr", [False, True])
def test_a_reader_that_has_gone_neither_stops_it_nor_changes_how_it_ends(drained, more, with_stderr):
    drained.fill(count=5)
    drained.put("frozen", b"data", StorageClass="GLACIER")
    arguments = [argument for argument in drained.arguments() if argument != "--json"]
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [sys.executable, "bulk/drain_bucket.py", "--local", "--yes", *arguments, *more],
        cwd=ROOT, env=os.environ | drained.environ, timeout=60,
        stdout=writer, stderr=writer if with_stderr else subprocess.DEVNULL,
    )  # fmt: skip

    os.close(writer)
    assert ended.returncode == 1
    assert drained.keys() == ["frozen"]


def read_to_the_end(screen):
    """What comes on a terminal until nobody holds its other end."""
    shown = b""
    while True:
        try:
            shown += os.read(screen, 65536)
        except OSError:
            os.close(screen)
            return shown.decode()


def test_the_report_is_a_table_by_outcome_and_names_what_stays(drained):
    drained.put("a", b"x" * 1500)
    drained.put("frozen", b"data", StorageClass="GLACIER")
    arguments = [argument for argument in drained.arguments() if argument != "--json"]

    ended = drained.run_program("--yes", *arguments)

    assert ended.code == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ended.out.splitlines() if line.startswith("│")]
    assert rows == [["drained", "1", "1.5 kB"], ["archived", "1", "4 B"]]
    assert "frozen: archived: restore it first" in ended.err
    assert "1 objects removed, 1 kept" in ended.err and str(drained.root / ".drain" / "log.jsonl") in ended.err


def test_a_bucket_that_is_not_there_is_named_with_the_place(drained):
    ended = drained.run("--bucket-name", "no-such-bucket")

    assert ended.code == 2
    assert "there is no bucket no-such-bucket on the local cloud" in ended.err
    assert not drained.root.exists()


def test_a_second_drainer_in_the_same_folder_is_refused(drained):
    drained.put("a", b"data")
    refused = []

    def second(step, key):
        if step == "journalled":
            refused.append(drained.run_program("--yes", *drained.arguments()))

    first = drained.run(watch=second)

    assert first.code == 0
    [ended] = refused
    assert ended.code == 1
    assert f"another drainer is at work in {drained.root}" in ended.err


def test_two_drainers_empty_one_bucket_and_nothing_is_lost(drained):
    data = {f"{number:03}": os.urandom(2000) for number in range(120)}
    for key, content in data.items():
        drained.put(key, content)
    roots = [drained.folder / name for name in ("one", "two")]

    processes = [drained.start("--yes", *drained.arguments("--local-base-path", str(root))) for root in roots]
    ended = [(process.communicate(timeout=120), process.returncode) for process in processes]

    assert [code for _, code in ended] == [0, 0], ended
    assert drained.keys() == []
    found = {}
    for root in roots:
        for path in root.glob("[0-9]*"):
            assert path.read_bytes() == data[path.name]
            found[path.name] = path
    assert found.keys() == data.keys()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_is_interrupted_ends_cleanly_and_goes_on_when_run_again(drained, number, code):
    data = {f"{number:03}": os.urandom(50_000) for number in range(100)}
    for key, content in data.items():
        drained.put(key, content)
    process = drained.start("--yes", *drained.arguments("--rate-limit", "1MB", "--workers", "4"))
    eventually(lambda: len(drained.keys()) < 90)

    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    left = drained.keys()
    again = drained.run()

    assert process.returncode == code, err
    assert json.loads(out)["removed"] == 100 - len(left) > 0
    assert "Traceback" not in err
    assert again.code == 0
    assert drained.keys() == []
    assert drained.files() == data


@contextmanager
def refusing_server():
    """Answers every request with 403 and a code of one's choice."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b"<R><Error><Code>InvalidClientTokenId</Code><Message>unknown</Message></Error></R>"
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_HEAD = do_GET

        def log_message(self, *arguments): ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_credentials_that_are_refused_end_it_with_254(drained):
    with refusing_server() as address:
        ended = drained.run(endpoint_url=address)

    assert ended.code == 254
    assert "AWS does not accept these credentials" in ended.err
