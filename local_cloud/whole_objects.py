"""An object's bytes and what is known of them: after a kill both are on the disk, or neither.

MiniStack replaces an object's file, and then the one beside it with size, ETag and version. Killed in between, or with
no room for the second, it would go on with the new bytes under the old size, and keep them as those of the old version,
too. So what is about to be known is noted first, and whoever starts next, or writes of that object next, finishes what
a note tells of.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BESIDE = ".meta.json"


def note_writes(s3: Any, notes: Path) -> None:
    """Let MiniStack's `s3` note each object in the folder `notes` while it writes it, and say so when it could not."""
    notes.mkdir(mode=0o700, exist_ok=True)
    persist: Callable[[str, str, Any], None] = s3._persist_object
    mark: Callable[[str, str, Any], None] = s3._persist_delete_marker

    def note_of(path: str) -> Path:
        """The note for `path`, after what a write that failed has left there is finished: it must not come later."""
        note = notes / hashlib.sha256(os.fsencode(path)).hexdigest()
        if note.exists():
            _finish(note)
        return note

    def noted(bucket: str, key: str, stored: Any) -> None:
        path, body = s3._object_disk_path(bucket, key), stored.get("body")
        note = note_of(path)
        if body is None:
            return persist(bucket, key, stored)
        known = {**s3._object_meta_from_record(stored), **s3._key_history_meta(bucket, key), "key": key}
        note.write_text(json.dumps({"path": path, "sum": _sum(body), "known": known}), encoding="utf-8")
        persist(bucket, key, stored)
        if stored["body"] is not None:  # MiniStack logs what went wrong, and would answer that all is well.
            raise OSError(f"{path} could not be written")
        note.unlink()

    def marked(bucket: str, key: str, marker: Any) -> None:
        note_of(s3._object_disk_path(bucket, key))
        mark(bucket, key, marker)

    s3._persist_object, s3._persist_delete_marker = noted, marked


def finish(notes: Path) -> None:
    """What was known of objects whose bytes had come is put beside them. Call it before MiniStack reads its folder."""
    for note in notes.glob("*"):
        _finish(note)


def _finish(note: Path) -> None:
    try:
        told = json.loads(note.read_bytes())
        is_there = _sum(Path(told["path"]).read_bytes()) == told["sum"]
    except (ValueError, OSError):
        # Killed before the note was whole, or before the object's first file was there: nothing has changed.
        is_there = False
    if is_there:
        beside = Path(told["path"] + _BESIDE)
        partial = beside.with_name(f"{beside.name}.tmp")
        partial.write_text(json.dumps(told["known"]), encoding="utf-8")
        os.replace(partial, beside)
    note.unlink()


def _sum(data: bytes) -> list[int]:
    return [len(data), zlib.crc32(data)]
