"""Where the drainer takes its settings from, and what it says of those that cannot be right."""

from __future__ import annotations

import json

import pytest

from bulk.drain.session import env_file_of
from bulk.drain.settings import age, byte_rate
from pipeline.clients import CoreSession

pytestmark = pytest.mark.local_cloud


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

    ended = drained.run_program("--yes", "--json")

    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["outcomes"] == {"drained": 1, "already processed": 1}
    assert drained.keys() == ["out/c"]
    assert drained.files() == {"in/a": b"data"}


def test_flags_win_over_the_environment_and_that_over_the_file(drained):
    for key in ("file/a", "environment/a", "flag/a"):
        drained.put(key, b"data")
    configure(drained, bucket_name=drained.bucket, path_to_search="file/", local_base_path=drained.root)
    environment = {"PATH_TO_SEARCH": "environment/"}

    drained.run_program("--yes", "--path-to-search", "flag/", environ=environment)
    after_flag = drained.keys()
    drained.run_program("--yes", environ=environment)
    after_environment = drained.keys()
    drained.run_program("--yes", environ={"path_to_search": "nowhere/"})
    after_lower_case = drained.keys()
    drained.run_program("--yes")

    assert after_flag == ["environment/a", "file/a"]
    assert after_environment == after_lower_case == ["file/a"]
    assert drained.keys() == []


@pytest.mark.parametrize("missing", ["bucket_name", "path_to_search", "local_base_path"])
def test_what_is_missing_is_named_with_the_cure(drained, missing):
    values = {"bucket_name": drained.bucket, "path_to_search": "in/", "local_base_path": str(drained.root)}
    configure(drained, **values | {missing: ""})

    ended = drained.run_program("--yes")

    assert ended.code == 2
    assert f"{missing} is not set" in ended.err and "config/.env" in ended.err


@pytest.mark.parametrize("base", ["file", "processed"])
def test_folders_that_cannot_be_right_are_refused(drained, base):
    drained.put("a", b"data")
    (drained.folder / "file").write_bytes(b"")
    drained.processed.mkdir()

    paths = ["--local-base-path", str(drained.folder / base), "--processed-path", str(drained.processed)]
    ended = drained.run_program("--yes", *drained.arguments(*paths))

    assert ended.code == 2
    assert "local_base_path" in ended.err
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
