import os
import pickle
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cli.exits import CommandError
from cli.state import FILE_NAME, Resources, open_state


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("harmed",))


def put_raw(home, key, value):
    with open_state(home):
        pass
    with sqlite3.connect(home / FILE_NAME) as connection:
        connection.execute("REPLACE INTO Dict VALUES (?, ?)", (key.encode(), value))
    connection.close()


def test_what_was_put_is_there_when_the_shelve_is_opened_again(tmp_path):
    values = {"text": "été 🖼", "number": 3, "list": [1, 2.5, None], "current": {"place": "local", "ok": True}}
    with open_state(tmp_path) as shelf:
        shelf.update(values)

    with open_state(tmp_path) as shelf:
        assert dict(shelf) == values


def test_the_file_is_named_exactly_and_is_the_only_one(tmp_path):
    with open_state(tmp_path) as shelf:
        shelf["current"] = "x"

    assert [path.name for path in tmp_path.iterdir()] == ["aws_resources.db"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [None, 0o644, 0o600])
def test_only_its_owner_can_read_the_file(tmp_path, mode):
    path = tmp_path / FILE_NAME
    if mode is not None:
        path.touch()
        path.chmod(mode)

    with open_state(tmp_path):
        pass

    assert path.stat().st_mode & 0o777 == 0o600


def test_it_has_the_layout_of_pythons_own_sqlite_dbm(tmp_path):
    with open_state(tmp_path) as shelf:
        shelf["local/default/images-bucket"] = "uploads"

    connection = sqlite3.connect(tmp_path / FILE_NAME)
    rows = connection.execute("SELECT key, typeof(value) FROM Dict").fetchall()
    connection.close()
    assert rows == [(b"local/default/images-bucket", "blob")]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="dbm.sqlite3 came with Python 3.13")
def test_pythons_own_shelve_reads_it(tmp_path):
    import shelve
    from importlib import import_module

    with open_state(tmp_path) as ours:
        ours["key"] = ["value"]

    theirs: shelve.Shelf[object] = shelve.Shelf(import_module("dbm.sqlite3").open(tmp_path / FILE_NAME, "r"))
    with theirs as pythons:
        assert pythons["key"] == ["value"]


def test_a_hostile_file_is_refused_and_its_code_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put_raw(tmp_path, "current", pickle.dumps(Harmful()))

    with pytest.raises(CommandError, match="only plain values"), open_state(tmp_path) as shelf:
        dict(shelf)

    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("value", [b"", b"rubbish", pickle.dumps("cut short")[:-3]])
def test_a_value_that_is_no_pickle_is_explained(tmp_path, value):
    put_raw(tmp_path, "current", value)

    with pytest.raises(CommandError, match="found again by its tags"), open_state(tmp_path) as shelf:
        shelf["current"]


def test_a_file_that_is_no_shelve_is_explained(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, but it is long enough to be looked at" * 20)

    with pytest.raises(CommandError, match="Move it away"), open_state(tmp_path):
        pass


@pytest.mark.parametrize(
    ("code", "words", "exit_code"),
    [
        (sqlite3.SQLITE_BUSY, "in use by another command", 2),
        (sqlite3.SQLITE_FULL, "make room", 1),
        (sqlite3.SQLITE_READONLY, "make the file and its folder writable", 2),
        (sqlite3.SQLITE_IOERR | 13 << 8, "make the file and its folder writable", 2),
    ],
)
def test_a_fault_of_the_place_is_not_told_as_one_of_the_list(tmp_path, code, words, exit_code):
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code

    with pytest.raises(CommandError, match=words) as fault, open_state(tmp_path):
        raise error

    assert fault.value.exit_code == exit_code and "Move it away" not in fault.value.text


def test_a_file_of_another_kind_is_told_as_that(tmp_path):
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("CREATE TABLE Dict (name TEXT, content TEXT)")

    with pytest.raises(CommandError, match="Move it away"), open_state(tmp_path) as shelf:
        list(shelf)


def test_a_full_disk_leaves_the_list_as_it_was(tmp_path):
    with open_state(tmp_path) as shelf:
        shelf["a"] = "one"

    with pytest.raises(CommandError, match="make room"), open_state(tmp_path) as shelf:
        shelf.dict._connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]
        shelf["b"] = "x" * 100_000

    with open_state(tmp_path) as shelf:
        assert dict(shelf) == {"a": "one"}


def test_a_home_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(CommandError, match="IMAGE_PIPELINE_HOME"), open_state(tmp_path / "file"):
        pass


@pytest.mark.parametrize("fault", [BrokenPipeError, EOFError])
def test_a_fault_of_whoever_works_with_the_file_is_no_fault_of_the_file(tmp_path, fault):
    with pytest.raises(fault), open_state(tmp_path):
        raise fault


def test_a_key_that_is_not_there_is_a_key_error(tmp_path):
    with open_state(tmp_path) as shelf:
        with pytest.raises(KeyError):
            shelf["nothing"]
        with pytest.raises(KeyError):
            del shelf["nothing"]


def test_deployments_do_not_see_each_other():
    shelf: dict[str, str] = {}
    first, second = Resources(shelf, "local/default"), Resources(shelf, "1234/us-east-1/blue")

    first["images-bucket"] = "one"
    second["images-bucket"] = "two"
    del first["images-bucket"]

    assert dict(first) == {}
    assert dict(second) == {"images-bucket": "two"}
    assert shelf == {"1234/us-east-1/blue/images-bucket": "two"}


def test_all_who_choose_a_value_at_once_are_given_what_the_first_one_chose(tmp_path):
    together = Barrier(4)

    def choose(number):
        with open_state(tmp_path) as shelf:
            resources = Resources(shelf, "local/default")
            together.wait()
            return [resources.setdefault(f"bucket-{key}", f"chosen by {number}") for key in range(20)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(choose, range(4)))

    assert answers == [answers[0]] * 4
    with open_state(tmp_path) as shelf:
        assert [shelf[f"local/default/bucket-{key}"] for key in range(20)] == answers[0]


def test_a_missing_resource_names_the_script_that_makes_it():
    resources, script = Resources({}, "local/default"), "setup_scripts/create_s3_buckets.py"

    with pytest.raises(CommandError, match=f"nothing is set up as local/default yet: run `python {script}` first"):
        resources.require("images-bucket", script)
    resources["lambda-function"] = "…"
    with pytest.raises(CommandError, match=f"setup has not come to images-bucket yet: run `python {script}` first"):
        resources.require("images-bucket", script)


def test_a_reader_does_not_disturb_a_writer(tmp_path):
    with open_state(tmp_path) as writer, open_state(tmp_path) as reader:
        for number in range(50):
            writer[f"key-{number}"] = number
            assert len(list(reader)) == number + 1
