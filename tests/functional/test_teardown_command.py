"""`teardown.py` as a command: what it says it would do, and what it remembers."""

import sys
from dataclasses import replace

import pytest

from cli.state import Resources, open_state
from setup_scripts.steps import set_up
from setup_scripts.teardown_command import main
from tests.functional.aws_account import context
from tests.local_cloud_fixture import free_port
from tests.terminal import Terminal
from tests.unheard import unheard

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A laptop with keys of the account, on which nothing ever ran."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(folder))
    monkeypatch.setenv("LOCAL_CLOUD_PORT", str(free_port()))
    return folder


def test_a_rehearsal_says_what_would_go_and_changes_neither_account_nor_state(ready, home, capsys):
    assert main(["--aws", "--dry-run"]) == 0

    told = capsys.readouterr()
    uploads = ready.resources["images-bucket"]
    assert f"DeleteBucket(Bucket='{uploads}')" in told.out and uploads in told.err
    assert list(home.iterdir()) == []
    assert len(ready.aws.s3.list_buckets()["Buckets"]) == 2
    assert len(ready.aws.functions.list_functions()["Functions"]) == 3


def test_a_rehearsal_keeps_the_originals_that_are_to_be_kept(ready, home, capsys):
    assert main(["--aws", "--dry-run", "--keep-originals"]) == 0

    told = capsys.readouterr().out
    assert f"DeleteBucket(Bucket='{ready.resources['thumbnails-bucket']}')" in told
    assert f"DeleteBucket(Bucket='{ready.resources['images-bucket']}')" not in told


@pytest.mark.parametrize("known", [{}, {"local/default/images-bucket": "b", "local/default/messages-queue-name": "q"}])
def test_a_rehearsal_starts_no_local_cloud(home, capsys, known):
    with open_state(home) as shelf:
        shelf.update(known)

    assert main(["--local", "--dry-run"]) == 0

    assert capsys.readouterr().out == ""
    assert [path.name for path in home.iterdir()] == ["aws_resources.db"]


def test_a_local_cloud_that_is_stopped_must_be_started_for_a_rehearsal(home, capsys):
    (home / ".local_cloud").mkdir()

    assert main(["--local", "--dry-run"]) == 254

    assert "python -m local_cloud start" in capsys.readouterr().err


def test_a_bucket_that_is_kept_stays_in_the_state_and_goes_with_the_next_teardown(home, tmp_path):
    made = context(tmp_path, {})
    with open_state(home) as shelf:
        made = replace(made, resources=Resources(shelf, made.aws.target.prefix))
        set_up(made)
        uploads = made.resources["images-bucket"]

    kept = main(["--aws", "--yes", "--keep-originals"])

    with open_state(home) as shelf:
        assert (kept, dict(shelf)) == (0, {f"{made.aws.target.prefix}/images-bucket": uploads})
    assert main(["--aws", "--yes"]) == 0
    with open_state(home) as shelf:
        assert dict(shelf) == {}
    assert made.aws.s3.list_buckets()["Buckets"] == []


def test_whoever_says_no_keeps_all_of_it_and_reads_1_as_from_every_other_question(ready, home, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))

    assert main(["--aws"]) == 1

    assert "nothing was deleted" in capsys.readouterr().err
    assert len(ready.aws.s3.list_buckets()["Buckets"]) == 2


def test_a_reader_who_has_gone_does_not_hide_that_something_is_left(ready, home, capsys):
    ready.aws.s3.create_bucket(Bucket="another")
    tags = [{"Key": key, "Value": value} for key, value in ready.tags.items()]
    ready.aws.s3.put_bucket_tagging(Bucket="another", Tagging={"TagSet": tags})

    with unheard():
        assert main(["--aws", "--yes"]) == 1

    assert "Some resources are left" in capsys.readouterr().err
