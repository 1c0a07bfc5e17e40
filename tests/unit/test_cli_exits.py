import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.exits import CommandError, Exit, run
from pipeline.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]
#: What a child imports before it runs a command that only prints.
IMPORTS = "import sys; from argparse import ArgumentParser; from cli import console; from cli.exits import run"


def raising(error):
    def main():
        raise error

    return main


STOPPED_IN_A_DESTRUCTOR = """
import os, signal, sys, time
from cli.exits import run
class Thing:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))
def main():
    Thing()
    time.sleep(30)
    return 0
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run(main))
"""


@pytest.mark.parametrize(("number", "code", "word"), [(15, 143, "terminated"), (2, 130, "interrupted")])
def test_a_wish_to_stop_is_not_lost_where_python_passes_no_exception_on(number, code, word):
    command = [sys.executable, "-c", STOPPED_IN_A_DESTRUCTOR, str(number)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert ended.returncode == code
    assert ended.stderr == f"{word}; run the same command again to go on\n"


def test_the_code_of_a_command_passes_through():
    assert run(lambda: Exit.SOME_FAILED) == 1


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CommandError("the thing is wrong: mend it"), 2, "error: the thing is wrong: mend it"),
        (CommandError("refused", Exit.REFUSED), 254, "error: refused"),
        (SettingsError("LOCAL_CLOUD_PORT='x' is no number"), 2, "LOCAL_CLOUD_PORT"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/list.csv"),
            2,
            "error: /list.csv: Permission denied: make",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: No space left on device: make room"),
        (CommandError("the key a\nerror: b\x1b]0;c\x07"), 2, r"error: the key a\nerror: b\x1b]0;c\x07"),
    ],
)
def test_a_foreseeable_fault_is_one_line_and_a_code(error, code, words, capsys):
    assert run(raising(error)) == code

    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_bug_shows_its_trace():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process without asking")
def test_a_terminated_command_ends_with_143_and_gives_the_signal_back(capsys):
    before = signal.getsignal(signal.SIGTERM)

    def main():
        os.kill(os.getpid(), signal.SIGTERM)
        return 0

    code = run(main)

    assert code == 143
    assert "terminated" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def refusal(code, message="the words of AWS"):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateBucket")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "have expired"),
        ("ExpiredTokenException", ".env"),
        ("InvalidClientTokenId", "does not accept"),
        ("SignatureDoesNotMatch", "does not accept"),
        ("AccessDenied", "may not call CreateBucket: the words of AWS"),
        ("ServiceUnavailable", "CreateBucket was refused: ServiceUnavailable: the words of AWS"),
    ],
)
def test_what_aws_refuses_is_one_line_with_a_cure_and_254(code, words, capsys):
    assert run(raising(refusal(code))) == 254

    captured = capsys.readouterr().err
    assert words in captured
    assert captured.count("\n") == 1


def test_other_faults_of_boto3_are_told_in_one_line_too(capsys):
    import botocore.exceptions as aws

    assert run(raising(aws.NoCredentialsError())) == 254
    assert run(raising(aws.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"))) == 254
    assert run(raising(aws.ProfileNotFound(profile="nobody"))) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "no usable AWS credentials" in lines[0]
    assert "http://127.0.0.1:1" in lines[1]
    assert "nobody" in lines[2]


def test_a_file_that_s3_does_not_take_is_told_as_what_aws_said(tmp_path, capsys):
    from boto3.session import Session

    s3 = Session("key", "secret", region_name="us-east-1").client("s3")
    (tmp_path / "list.json").write_bytes(b"{}")

    def refuse(**_):
        raise refusal("AccessDenied")

    s3.meta.events.register("before-call.s3.PutObject", refuse)

    assert run(lambda: s3.upload_file(str(tmp_path / "list.json"), "bucket", "key")) == 254
    assert "may not call CreateBucket" in capsys.readouterr().err


@pytest.mark.parametrize("code", ["403", "400"])
def test_a_head_that_s3_refuses_without_a_word_is_explained(code, capsys):
    from botocore.exceptions import ClientError

    assert run(raising(ClientError({"Error": {"Code": code, "Message": "Forbidden"}}, "HeadObject"))) == 254
    assert "may not call HeadObject" in capsys.readouterr().err


def test_an_answer_that_is_none_of_aws_is_told_with_its_first_words(capsys):
    from types import SimpleNamespace

    from boto3.session import Session

    sts = Session("key", "secret", region_name="us-east-1").client("sts")
    page: Any = SimpleNamespace(
        status_code=403, headers={}, content=b"<!doctype html><title>Sign in to our network</title>"
    )

    def answer(**_: Any) -> Any:
        return page

    sts.meta.events.register("before-send.sts.GetCallerIdentity", answer)

    assert run(lambda: len(sts.get_caller_identity())) == 254
    captured = capsys.readouterr().err
    assert captured.count("\n") == 1
    assert "did not answer as AWS does" in captured and "Sign in to our network" in captured
    assert "AWS_ENDPOINT_URL" in captured


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ("[default]\nlogin_session = arn:aws:iam::123456789012:user/ada\n", 254, "sign in again"),
        ("broken [", 2, "mend ~/.aws/config"),
        ("[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = nope\n", 2, "mend ~/.aws/config"),
        ("[default]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Foo\n", 2, "mend ~/.aws/config"),
    ],
)
def test_files_of_the_aws_cli_that_lead_nowhere_are_told_in_one_line(
    config, code, words, tmp_path, monkeypatch, capsys
):
    from boto3.session import Session

    (tmp_path / "config").write_text(config)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(tmp_path))

    def main() -> int:
        Session(region_name="us-east-1").client("sts").get_caller_identity()
        return 0

    assert run(main) == code
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="the shell of Windows cannot close it")
def test_a_command_without_a_stdout_ends_as_it_would_with_one():
    code = "import sys; from cli.exits import run; sys.exit(run(lambda: 1))"

    done = subprocess.run(["sh", "-c", f'exec "{sys.executable}" -c "{code}" >&-'], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (1, "")


def test_a_region_that_is_none_is_named(capsys):
    from boto3.session import Session

    def main() -> int:
        Session("key", "secret").client("s3", region_name="eu_west_1")
        return 0

    assert run(main) == 2
    assert "eu_west_1" in capsys.readouterr().err


def test_a_character_that_the_terminal_lacks_is_escaped(tmp_path, monkeypatch):
    path = tmp_path / "output"
    with path.open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert run(lambda: print("été \ud800") or 0) == 0

    assert path.read_text() == "\\xe9t\\xe9 \\ud800\n"


@pytest.mark.skipif(os.name != "posix", reason="Windows tells of a closed pipe in another way")
@pytest.mark.parametrize(
    "main",
    ["print('in the buffer')", "console.table(['Image'], [['a.jpg']])", "ArgumentParser().parse_args(['-h'])"],
)
def test_a_reader_that_has_seen_enough_ends_a_command_in_silence(main):
    program = f"{IMPORTS}; sys.exit(run(lambda: {main} or 0))"
    reader, writer = os.pipe()
    os.close(reader)

    with open(writer, "wb") as nobody:
        ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=nobody, stderr=subprocess.PIPE)

    assert (ended.returncode, ended.stderr) == (0, b"")


LATER = """
def main():
    %s
    return 1
sys.exit(run(main))
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows tells of a closed pipe in another way")
@pytest.mark.parametrize(
    "told",
    [
        "console.say('its story'); console.say('and more')",
        "with console.heard_or_not(): console.table(['Image'], [['a.jpg']])",
        "with console.heard_or_not(): console.json_line({'failed': 1})",
        "raise OSError(28, 'No space left on device')",
    ],
)
def test_what_is_told_of_work_changes_neither_the_work_nor_its_code_where_nobody_reads_it(told):
    reader, writer = os.pipe()
    os.close(reader)

    with open(writer, "wb") as nobody:
        command = [sys.executable, "-c", IMPORTS + LATER % told]
        ended = subprocess.run(command, cwd=ROOT, stdout=nobody, stderr=nobody, timeout=60)

    assert ended.returncode == 1
