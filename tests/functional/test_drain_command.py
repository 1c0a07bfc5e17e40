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

from bulk.drain.session import env_file_of
from bulk.drain.settings import age, byte_rate
from pipeline.clients import CoreSession
from tests.e2e.conftest import eventually
from tests.local_cloud_fixture import ROOT

pytestmark = pytest.mark.local_cloud


def start(drained, *arguments, stdin=subprocess.DEVNULL, environ=None):
    command = [sys.executable, "bulk/drain_bucket.py", "--local", *arguments]
    environ = os.environ | drained.environ | (environ or {})
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(drained, *arguments, **options):
    process = start(drained, *arguments, **options)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def configure(drained, **lines):
    folder = drained.home / "config"
    folder.mkdir(exist_ok=True)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))


def test_the_four_names_come_from_config_env(drained):
    drained.put("in/a", b"data")
    drained.put("in/b", b"done")
    drained.put("out/c", b"other")
    drained.processed.mkdir()
    (drained.processed / "b").write_bytes(b"done")
    configure(
        drained,
        bucket_name=drained.bucket,
        path_to_search="in/",
        local_base_path=drained.root,
        processed_path=drained.processed,
    )

    code, out, err = run(drained, "--yes", "--json")

    assert code == 0, err
    assert json.loads(out)["outcomes"] == {"drained": 1, "already processed": 1}
    assert drained.keys() == ["out/c"]
    assert drained.files() == {"in/a": b"data"}


def test_flags_win_over_the_environment_and_that_over_the_file(drained):
    for key in ("file/a", "environment/a", "flag/a"):
        drained.put(key, b"data")
    configure(drained, bucket_name=drained.bucket, path_to_search="file/", local_base_path=drained.root)
    environment = {"PATH_TO_SEARCH": "environment/"}

    run(drained, "--yes", "--path-to-search", "flag/", environ=environment)
    after_flag = drained.keys()
    run(drained, "--yes", environ=environment)
    after_environment = drained.keys()
    run(drained, "--yes", environ={"path_to_search": "nowhere/"})
    after_lower_case = drained.keys()
    run(drained, "--yes")

    assert after_flag == ["environment/a", "file/a"]
    assert after_environment == after_lower_case == ["file/a"]
    assert drained.keys() == []


@pytest.mark.parametrize("missing", ["bucket_name", "path_to_search", "local_base_path"])
def test_what_is_missing_is_named_with_the_cure(drained, missing):
    values = {"bucket_name": drained.bucket, "path_to_search": "in/", "local_base_path": str(drained.root)}
    configure(drained, **values | {missing: ""})

    code, _, err = run(drained, "--yes")

    assert code == 2
    assert f"{missing} is not set" in err and "config/.env" in err


@pytest.mark.parametrize("base", ["file", "processed"])
def test_folders_that_cannot_be_right_are_refused(drained, base):
    drained.put("a", b"data")
    (drained.folder / "file").write_bytes(b"")
    drained.processed.mkdir()

    paths = ["--local-base-path", str(drained.folder / base), "--processed-path", str(drained.processed)]
    code, _, err = run(drained, "--yes", *drained.arguments(*paths))

    assert code == 2
    assert "local_base_path" in err
    assert drained.keys() == ["a"]


def test_keys_in_config_env_are_used_as_a_whole(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / ".env").write_text("aws_access_key_id=OWN\naws_secret_access_key=own\nBUCKET_NAME=b\n")
    (tmp_path / ".env").write_text("AWS_SESSION_TOKEN=shared\naws_default_region=eu-south-2\nbucket_name=other\n")

    values = env_file_of({"IMAGE_PIPELINE_HOME": str(tmp_path)})

    assert values == {
        "aws_access_key_id": "OWN",
        "aws_secret_access_key": "own",
        "aws_default_region": "eu-south-2",
        "bucket_name": "b",
    }


def test_the_keys_of_config_env_sign_the_requests(drained):
    from cli.credentials import aws_session

    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}

    session = aws_session({}, keys, None, wrap=CoreSession)

    assert session.get_credentials().access_key == "AKIDEXAMPLE"
    assert session.get_credentials().token is None


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

    code, _, err = run(drained, *drained.arguments())

    assert code == 2
    assert "--yes" in err
    assert (drained.keys(), drained.root.exists()) == (["a"], False)


@pytest.mark.parametrize(("answer", "code", "left"), [("yes", 0, []), ("no", 1, ["a", "b"])])
def test_a_person_is_asked_once_with_count_and_bytes(drained, answer, code, left):
    drained.put("a", b"x" * 1500)
    drained.put("b", b"y" * 500)
    person, terminal = pty.openpty()
    process = start(drained, *drained.arguments(), stdin=terminal)

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

    code, out, err = run(drained, "--yes", *arguments)

    assert code == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert rows == [["drained", "1", "1.5 kB"], ["archived", "1", "4 B"]]
    assert "frozen: archived: restore it first" in err
    assert "1 objects removed, 1 kept" in err and str(drained.root / ".drain" / "log.jsonl") in err


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
            refused.append(run(drained, "--yes", *drained.arguments()))

    ended = drained.run(watch=second)

    assert ended.code == 0
    [(code, _, err)] = refused
    assert code == 1
    assert f"another drainer is at work in {drained.root}" in err


def test_two_drainers_empty_one_bucket_and_nothing_is_lost(drained):
    data = {f"{number:03}": os.urandom(2000) for number in range(120)}
    for key, content in data.items():
        drained.put(key, content)
    roots = [drained.folder / name for name in ("one", "two")]

    processes = [start(drained, "--yes", *drained.arguments("--local-base-path", str(root))) for root in roots]
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
    process = start(drained, "--yes", *drained.arguments("--rate-limit", "1MB", "--workers", "4"))
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


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("12h", 43200), ("7d", 604800), ("2w", 1209600)])
def test_an_age_has_a_unit(text, seconds):
    assert age(text).total_seconds() == seconds


@pytest.mark.parametrize(
    ("text", "rate"), [("500k", 500e3), ("20MB", 20e6), ("1.5G", 1.5e9), ("10 MB/s", 10e6), ("7", 7)]
)
def test_a_rate_is_in_bytes_a_second(text, rate):
    assert byte_rate(text) == rate


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--older-than", "soon"), ("--rate-limit", "fast"), ("--max-delete", "0"), ("--workers", "1000"),
     ("--quarantine-prefix", "/")],
)  # fmt: skip
def test_a_value_that_means_nothing_is_refused_with_an_example(drained, flag, value, capsys):
    with pytest.raises(SystemExit) as ended:
        drained.run(flag, value)

    assert ended.value.code == 2
