from __future__ import annotations

from itertools import islice

from local_cloud.commands import Context, logs
from local_cloud.folder import Folder
from local_cloud.tail import tail


def test_the_last_lines_are_those_at_the_end(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"{number}\n" for number in range(100)))

    assert list(tail(log, 2, following=False)) == ["98\n", "99\n"]


def test_what_is_written_later_follows_and_nothing_is_skipped_when_the_file_is_begun_anew(tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    events = iter([lambda: append(log, "later\n"), lambda: begin_anew(log, "anew\n")])

    following = tail(log, 10, following=True, sleep=lambda _: next(events)())

    assert list(islice(following, 3)) == ["before\n", "later\n", "anew\n"]


def append(log, text):
    with log.open("a") as file:
        file.write(text)


def begin_anew(log, text):
    log.rename(log.with_suffix(".1"))
    log.write_text(text)


def test_what_a_key_holds_is_printed_and_steers_no_terminal(tmp_path, capsys):
    folder = Folder(tmp_path)
    folder.make()
    folder.log.write_bytes("first\nput \x1b]0;owned\x07\u202e été.jpg\nlast\n".encode())

    logs(Context({}, folder, port=1, auth=False), lines=10, following=False)

    assert capsys.readouterr().out == "first\nput \\x1b]0;owned\\x07\\u202e été.jpg\nlast\n"
