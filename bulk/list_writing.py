"""Writing a file list: as one JSON file, or as shards. What stands under the wanted name is always whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bulk.list_groups import Groups
from cli.exits import CommandError
from pipeline.batch.file_list import MANIFEST, Manifest, batch_name, shard_name


def write_json(groups: Groups, batches: int, out: Path) -> None:
    """`{"batch_1": […], …}`, one image to a line; a file of that name is replaced when the new one is complete."""
    descriptor, part = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    try:
        with open(descriptor, "w", encoding="ascii", newline="\n") as file:
            for piece in _json_pieces(groups, batches):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, out)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _json_pieces(groups: Groups, batches: int) -> Iterator[str]:
    yield "{"
    for number in range(1, batches + 1):
        yield f'{"" if number == 1 else ","}\n"{batch_name(number)}": ['
        mark = "\n"
        for name in groups.names(number):
            yield f"{mark}{name}"
            mark = ",\n"
        yield "]"
    yield "\n}\n"


def write_shards(groups: Groups, batches: int, out: Path) -> None:
    """The folder `out` with one file for each batch, the manifest last."""
    try:
        out.mkdir()
    except FileExistsError:
        raise CommandError(f"{out} exists already: name another folder for the shards, or remove that one") from None
    for number in range(1, batches + 1):
        with (out / shard_name(number)).open("w", encoding="ascii", newline="\n") as file:
            file.writelines(f"{name}\n" for name in groups.names(number))
    manifest = Manifest(batches=batches, images=groups.images, bytes=groups.bytes)
    (out / MANIFEST).write_text(manifest.to_json(), encoding="ascii", newline="\n")
