"""The lines of the image service's log."""

import io
import json
import logging

import pytest

from imageservice.logs import log_as_json
from tests.hostile_texts import HOSTILE
from tests.odd_keys import ODD_KEYS

STEERING = ('\n{"level":"ERROR"}', "a\x85b", "a\u2028b", "\x9b31m", "\x7f", "a\r\nb", "\u202egpj", "\ud800")


@pytest.fixture
def stream():
    root, ours = logging.getLogger(), logging.getLogger("imageservice")
    before = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    log_as_json("INFO", stream)
    yield stream
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def test_no_text_from_outside_writes_a_line_of_its_own_or_steers_who_reads_the_log(stream):
    texts = [*HOSTILE, *ODD_KEYS, *STEERING]

    for text in texts:
        logging.getLogger("imageservice.consumer").info("DONE", extra={"facts": {"reason": text}})
        try:
            raise ValueError(text)
        except ValueError:
            logging.getLogger("imageservice.consumer").exception("a bug")

    written = stream.getvalue()
    lines = [json.loads(line) for line in written.split("\n")[:-1]]
    assert [line["reason"] for line in lines[::2]] == texts
    assert all(line["message"] == "a bug" and "ValueError" in line["exception"] for line in lines[1::2])
    assert written.isascii() and all(char.isprintable() or char == "\n" for char in written)
