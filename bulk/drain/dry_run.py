"""What a drain would do: the objects, where they would go, and which of them are processed already by their name."""

from __future__ import annotations

from bulk.drain.listing import Candidate
from bulk.drain.paths import parts_of
from bulk.drain.processed import ProcessedFolder
from bulk.drain.selection import Selection
from bulk.drain.settings import Wanted
from cli import console
from cli.exits import Exit


def print_plan(selection: Selection, wanted: Wanted, *, as_json: bool) -> int:
    """One line an object on stdout; nothing is made, fetched or removed."""
    objects = total = 0
    for work in selection:
        for candidate in work:
            _print(candidate, wanted, as_json=as_json)
            objects += 1
            total += candidate.size
    console.say(f"{objects} objects, {console.byte_size(total)}; nothing was changed")
    return Exit.DONE


def _print(candidate: Candidate, wanted: Wanted, *, as_json: bool) -> None:
    parts = parts_of(candidate.key)
    processed = _processed_file(parts, wanted)
    plan = "remove, if equal to" if processed else "move to"
    path = processed or str(wanted.local_base_path.joinpath(*parts))
    if as_json:
        line = {"key": candidate.key, "bytes": candidate.size, "version": candidate.version_id}
        console.json_line(line | {"plan": plan, "path": path})
    else:
        console.result(f"{candidate.key}  {console.byte_size(candidate.size)}  {plan} {path}")


def _processed_file(parts: tuple[str, ...], wanted: Wanted) -> str | None:
    if wanted.processed_path is None:
        return None
    with ProcessedFolder(wanted.processed_path).find(parts) as found:
        return str(found[1]) if found else None
