"""Whatever a CSV file is like, each of its lines is a row to be done or is told with its number and a reason."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulk.csv_rows import Omitted, Row, open_list, read_rows
from bulk.text_lines import MAX_LINE
from cli.exits import CommandError, Exit
from tests.meta.project import ROOT

BUCKET = "meu-bucket"


def read(data: bytes) -> list[Row | Omitted]:
    return list(read_rows(io.BufferedReader(io.BytesIO(data)), BUCKET))


def rows(data: bytes) -> list[tuple[int, str]]:
    return [(row.line, row.key) for row in read(data) if isinstance(row, Row)]


def omitted(data: bytes) -> list[Omitted]:
    return [row for row in read(data) if isinstance(row, Omitted)]


PRINTED = "path\nimagens/imagem1.jpg\nimagens/imagem2.png\nimagens/imagem3.jpeg\n"
PRINTED_ROWS = [(2, "imagens/imagem1.jpg"), (3, "imagens/imagem2.png"), (4, "imagens/imagem3.jpeg")]


@pytest.mark.parametrize(
    "data",
    [
        PRINTED.encode(),
        PRINTED.rstrip("\n").encode(),
        PRINTED.encode("utf-8-sig"),
        PRINTED.replace("\n", "\r\n").encode(),
        PRINTED.replace("\n", "\r").encode(),
        PRINTED.encode("utf-16"),
        b"\xfe\xff" + PRINTED.encode("utf-16-be"),
        PRINTED.encode("utf-16-le"),
        PRINTED.encode("utf-16-be"),
        PRINTED.replace("\n", "\r\n").encode("utf-16"),
        PRINTED.replace("path", '"path"').encode(),
        PRINTED.replace("path", " Path ").encode(),
        "\n".join(f'"{line}"' for line in PRINTED.split()).encode(),
        "\n".join(f"{line};" for line in PRINTED.split()).encode(),
        "\n".join(f"{line},42,x" for line in PRINTED.split()).encode(),
        "\n".join(f'"{line}";"42"' for line in PRINTED.split()).encode(),
        "\n".join(f"x\t{line}\t" for line in PRINTED.split()).encode(),
        "\n".join(f'"a;b" ; "{line}" ;c' for line in PRINTED.split()).encode(),
        PRINTED.replace("imagens/", f"s3://{BUCKET}/imagens/").encode(),
    ],
    ids=[
        "as printed",
        "no end of line at the end",
        "UTF-8 with a mark",
        "CRLF",
        "CR",
        "UTF-16",
        "UTF-16 big-endian",
        "UTF-16 little-endian without a mark",
        "UTF-16 big-endian without a mark",
        "UTF-16 with CRLF",
        "a quoted header",
        "another spelling of the header",
        "all quoted",
        "semicolons at the ends",
        "further columns",
        "quoted columns with semicolons",
        "tabs",
        "separators in quotes",
        "URLs",
    ],
)
def test_the_rows_of_the_printed_file_are_found_in_whatever_way_it_was_saved(data):
    assert rows(data) == PRINTED_ROWS
    assert omitted(data) == []


def test_an_unclosed_quote_costs_its_own_line_only():
    data = b'path\na.jpg\n"b.jpg\nc.jpg\n"d".jpg\ne.jpg\n'

    assert rows(data) == [(2, "a.jpg"), (4, "c.jpg"), (6, "e.jpg")]
    assert [(one.line, one.text, one.is_fault) for one in omitted(data)] == [(3, '"b.jpg', True), (5, '"d".jpg', True)]
    assert "quote" in omitted(data)[0].reason


def test_an_unclosed_quote_in_the_header_is_told_and_the_rows_are_found():
    assert rows(b'"path\na.jpg\n') == [(2, "a.jpg")]
    assert [one.line for one in omitted(b'"path\na.jpg\n')] == [1]


def test_a_quote_inside_a_key_is_a_character_like_others_and_a_doubled_one_stands_for_one():
    assert rows(b'path\na"b.jpg\n"c""d.jpg"\n') == [(2, 'a"b.jpg'), (3, 'c"d.jpg')]


def test_in_a_file_of_one_column_a_key_may_hold_what_parts_fields_elsewhere():
    assert rows(b"path\na,b;c|d\te.jpg\n") == [(2, "a,b;c|d\te.jpg")]


def test_latin_1_and_windows_1252_are_read_line_by_line():
    data = b"path\na\xf1o.jpg\n" + "año.jpg\n".encode() + b"\x80uro.jpg\n\x81\xf1.jpg\n"

    assert rows(data) == [(2, "año.jpg"), (4, "€uro.jpg"), (5, "\x81ñ.jpg")]
    assert [(one.line, one.reason) for one in omitted(data)] == [(3, "the same as line 2")]


def test_keys_are_taken_as_they_are_with_spaces_formulas_and_every_letter():
    keys = [
        " a .jpg",
        "=1+1.jpg",
        "@b.jpg",
        "-c.jpg",
        "+d.jpg",
        "été/日本/🎈.jpg",
        "a%20b+c.jpg",
        "e\u0301.jpg",
        "\u2028.jpg",
    ]

    assert [key for _, key in rows("\n".join(["path", *keys]).encode())] == keys


def test_blank_lines_and_duplicates_are_told_and_are_no_fault():
    data = b"\n path\na.jpg\n\n  \nb.jpg\na.jpg\ns3://meu-bucket/b.jpg\n"

    assert rows(data) == [(3, "a.jpg"), (6, "b.jpg")]
    told = [(one.line, one.reason, one.is_fault) for one in omitted(data)]
    assert told == [
        (1, "the line is blank", False),
        (4, "the line is blank", False),
        (5, "the line is blank", False),
        (7, "the same as line 3", False),
        (8, "the same as line 6", False),
    ]


def test_a_row_of_nothing_but_separators_is_blank_and_one_without_its_path_is_a_fault():
    data = b"id;path;note\n;;\n1;;x\n2\n3;a.jpg\n"

    assert rows(data) == [(5, "a.jpg")]
    assert [(one.line, one.is_fault) for one in omitted(data)] == [(2, False), (3, True), (4, True)]


def test_a_file_without_header_loses_no_row():
    assert rows(b"imagens/a.jpg\nb.jpg\n") == [(1, "imagens/a.jpg"), (2, "b.jpg")]
    assert rows(b'"a,b.jpg"\nc.jpg\n') == [(1, "a,b.jpg"), (2, "c.jpg")]


@pytest.mark.parametrize("header", [b"bucket,key", b"id;file;size", b"meu-bucket,a.jpg"])
def test_columns_among_which_none_is_the_path_are_refused_because_no_one_can_tell_which_it_is(header):
    with pytest.raises(CommandError, match="names no column 'path'.*put the header path"):
        read(header + b"\nx,y\n")


def test_an_object_of_another_bucket_is_refused_with_its_line():
    data = b"path\ns3://other/a.jpg\nS3://meu-bucket/dir/b.jpg\ns3://meu-bucket/\ns3://meu-bucket\n"

    assert rows(data) == [(3, "dir/b.jpg")]
    assert [(one.line, one.is_fault) for one in omitted(data)] == [(2, True), (4, True), (5, True)]
    assert "'other'" in omitted(data)[0].reason and "'meu-bucket'" in omitted(data)[0].reason


def test_a_field_of_200_kb_is_no_error_and_a_key_that_long_is_told():
    data = b"path,note\na.jpg," + b"x" * 200_000 + b"\n" + b"k" * 200_000 + b",y\nb.jpg,z\n"

    assert rows(data) == [(2, "a.jpg"), (4, "b.jpg")]
    [fault] = omitted(data)
    assert fault.line == 3 and "200,000 bytes" in fault.reason and len(fault.text) < 100


def test_a_line_without_end_is_told_once_and_never_held_as_a_whole():
    data = b"path\n" + b"x" * (3 * MAX_LINE + 7) + b"\nb.jpg\n" + b"y" * (2 * MAX_LINE)

    assert rows(data) == [(3, "b.jpg")]
    assert [one.line for one in omitted(data)] == [2, 4]


@pytest.mark.parametrize("parts", [",", "\t"])
def test_a_line_of_very_many_fields_is_read_in_time_that_grows_with_its_length(parts):
    data = f"path{parts}x\na.jpg{parts * (MAX_LINE - 10)}y\n".encode()
    begun = time.process_time()

    assert rows(data) == [(2, "a.jpg")]
    assert time.process_time() - begun < 5


def test_a_first_line_that_is_too_long_is_told_and_the_header_is_looked_for_below_it():
    data = b"x," * MAX_LINE + b"\nsize,path\n42,a.jpg\n"

    assert rows(data) == [(3, "a.jpg")]
    assert [(one.line, one.is_fault) for one in omitted(data)] == [(1, True)]


def test_between_tabs_quoted_fields_and_empty_ones_are_found_too():
    data = b'"id"\t"path"\n"1"\t"a.jpg"\n\t"b.jpg"\n2 \t "c.jpg" \n'

    assert rows(data) == [(2, "a.jpg"), (3, "b.jpg"), (4, "c.jpg")]


@pytest.mark.parametrize("size", [MAX_LINE - 2, MAX_LINE - 1, MAX_LINE, MAX_LINE + 1])
def test_the_line_after_one_near_the_limit_is_found(size):
    assert rows(b"path\n" + b"x" * size + b"\nb.jpg\n") == [(3, "b.jpg")]


def test_the_longest_key_of_s3_is_a_key():
    key = "é" * 512

    assert rows(f"path\n{key}\n{key}x\n".encode()) == [(2, key)]


def test_a_key_with_a_nul_is_told():
    [fault] = omitted(b"path\na\0b.jpg\n")

    assert "NUL" in fault.reason


@pytest.mark.parametrize("data", [b"", b"path", b"path\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_rows_has_none(data):
    assert rows(data) == []


ODD = st.text(st.sampled_from('path"\n\r,;|\t \0\ufeffé€\u2028x/s3:'), max_size=60)


@given(ODD, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]))
@example('"\n"path', "utf-8")
def test_every_line_of_any_text_is_a_row_or_told_once(text, encoding):
    try:
        found = read(text.encode(encoding, "replace"))
    except CommandError:
        return

    numbers = [one.line for one in found]
    assert numbers == sorted(set(numbers))
    # Without a header, the number that is missing is the one after the last.
    assert len(set(range(1, len(numbers) + 2)) - set(numbers)) == 1
    assert len({one.key for one in found if isinstance(one, Row)}) == sum(isinstance(one, Row) for one in found)


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise_anything_but_what_a_person_can_read(data):
    try:
        read(data)
    except CommandError as error:
        assert "path" in error.text


def test_standard_input_is_the_list_for_a_dash_and_can_be_read_again(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Endless(2))))

    with open_list("-") as file:
        found = list(read_rows(file, BUCKET))
        file.seek(0)

        assert len(found) == 2 and list(read_rows(file, BUCKET)) == found


def test_a_file_is_read_by_its_name_and_one_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "dataset.csv"
    path.write_text("path\na.jpg\n")

    with open_list(str(path)) as file:
        assert list(read_rows(file, BUCKET)) == [Row(2, "a.jpg")]
    for missing in (tmp_path / "other.csv", tmp_path):
        with pytest.raises(CommandError, match="cannot be read"), open_list(str(missing)):
            pass


class Endless(io.RawIOBase):
    """A file of as many rows as are asked for, made while it is read."""

    def __init__(self, count: int) -> None:
        self._left = iter(range(count))
        self._waiting = b"path\n"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while len(self._waiting) < len(buffer) and (number := next(self._left, None)) is not None:
            self._waiting += b"imagens/%d/imagem.jpg\n" % (number - number % 10)
        given, self._waiting = self._waiting[: len(buffer)], self._waiting[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def test_memory_does_not_grow_with_the_number_of_rows():
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            found = sum(isinstance(row, Row) for row in read_rows(io.BufferedReader(Endless(count)), BUCKET))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert found == count // 10

    assert peak(40_000) < 1.5 * peak(4_000)


#: Keys are remembered until they no longer fit into memory; the disk takes a tenth of a megabyte of them.
ON_A_SMALL_DISK = """
import resource, sys
from bulk.seen import Seen
from cli.exits import run
def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    with Seen() as seen:
        for line in range(1_000_000):
            seen.first(str(line), line)
sys.exit(run(main))
"""


def test_a_disk_that_takes_no_more_keys_is_a_line_and_no_trace():
    ended = subprocess.run(
        [sys.executable, "-c", ON_A_SMALL_DISK], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == Exit.SOME_FAILED
    assert "make room" in ended.stderr and "SQLITE_TMPDIR" in ended.stderr and "Traceback" not in ended.stderr
