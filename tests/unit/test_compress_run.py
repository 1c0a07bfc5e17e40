"""What a run over a list does with images that lay with workers that died."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.outcome import Done, LogLine, Outcome
from bulk.compress.run import PAUSES, Run
from bulk.csv_rows import Row


def _killed_together(rows: Iterator[Row]) -> Iterator[Done]:
    """As Dask has it at its worst: all that is under way at once lay with the workers that one image killed."""
    given = list(rows)
    for row in given:
        if any(one.key == "fatal" for one in given):
            yield Done(line=row.line, key=row.key, outcome=Outcome.SUSPECT, reason="workers died")
        else:
            yield Done(line=row.line, key=row.key, outcome=Outcome.COMPRESSED, lines=(_SAID,))


_SAID = LogLine(datetime(2026, 11, 21), "INFO", "done")


def _run(folder: Path, *keys: str) -> tuple[dict[str, Outcome], list[float], str]:
    """What became of each key, how long was waited in between, and what the log says."""
    pauses: list[float] = []
    with closing(Log(folder)) as log, closing(Journal(folder / "run.journal")) as journal:
        Run(journal, log, _killed_together, sleep=pauses.append).all(iter(map(Row, range(2, 2 + len(keys)), keys)))
        ended = {done.key: done.outcome for done in journal.images()}
    return ended, pauses, log.path.read_text()


def test_what_lay_beside_a_killer_is_tried_with_nothing_beside_it_and_done(tmp_path):
    ended, pauses, _ = _run(tmp_path, "a", "fatal", "b", "c")

    assert ended == {"a": "compressed", "fatal": "failed", "b": "compressed", "c": "compressed"}
    assert pauses == list(PAUSES[:1])


def test_the_log_tells_of_images_whose_workers_died_before_they_could(tmp_path):
    _, _, log = _run(tmp_path, "a", "fatal")

    assert log.count("WARNING - Could not finish fatal: workers died\n") == 2
    assert log.count("WARNING - Could not finish a: workers died\n") == log.count("INFO - done\n") == 1


def test_a_run_that_is_stopped_between_begins_with_the_suspects_again(tmp_path):
    with closing(Journal(tmp_path / "run.journal")) as journal:
        journal.write(Done(line=2, key="a", outcome=Outcome.SUSPECT))

        assert not journal.has(Row(2, "a"))
