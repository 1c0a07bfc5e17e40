"""The programs that run to their end: a bucket that is compressed in its place, and one that is drained to a disk."""

from __future__ import annotations

import hashlib
import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulk.drain.paths import key_of
from cli.exits import Exit
from tests.torture.soak.place import Place, insist
from tests.torture.soak.programs import Programs
from tests.torture.test_compress_images_from_s3 import Originals, expected

_FOLDERS = ("", "a/", "a/b/", "../", "/", "x/../", "%/", "A/")


@dataclass
class CsvRuns:
    """One bucket after another is compressed by runs that are stopped, until one has done all; then it is looked at."""

    place: Place
    rng: random.Random
    count: int = 38
    name: str = "compress_images_from_S3"
    finished: int = 0
    originals: Originals | None = None

    def __post_init__(self) -> None:
        self.programs = Programs(self.place, self.rng)

    def turn(self) -> None:
        if self.originals is None:
            self.originals = self._prepared()
        if self._run(longest=self.rng.choice((0, 6, 12)), slow=self.rng.random() < 0.3) == Exit.DONE:
            self._look()
        self.place.ending.wait(self.rng.uniform(0, 4))

    def _prepared(self) -> Originals:
        """A bucket of which the local cloud still knows, when it is killed, that it keeps versions."""
        folder = self.place.folder / f"csv-{self.finished}"
        made = insist(lambda: Originals(self.place.cloud, folder, self.count))
        deadline = time.monotonic() + 120
        while not self.place.keeps_versions(made.name):
            assert time.monotonic() < deadline, f"that {made.name} keeps versions was never saved"
            insist(made.keep_versions)
            time.sleep(0.2)
        return made

    def _run(self, *, longest: float = 0, slow: bool = False) -> int:
        made = self.originals
        assert made is not None
        command = ["bulk/compress_images_from_S3.py", "--bucket_name", made.name, "--workers", "1"]
        command += ["--csv_path", str(made.folder / "dataset.csv"), "--log_dir", str(made.folder)]
        command += ["--temp_dir", str(self.place.disk.folder)]
        code = self.programs.run(*command, through=self.place.proxy, longest=longest, slow=slow)
        if code == Exit.SOME_FAILED:
            # It may also have stopped half-way, at a full disk: that this one succeeds does not make the list done.
            self.programs.run(*command, "--retry_failed", through=self.place.proxy, longest=longest)
        return code

    def _look(self) -> None:
        made = self.originals
        assert made is not None
        insist(lambda: _assert_right(made))
        insist(lambda: _remove_bucket(made.s3, made.name))
        shutil.rmtree(made.folder)
        self.originals, self.finished = None, self.finished + 1

    def finish(self) -> list[str]:
        if self.originals is None:
            return []
        codes = [self._run() for _ in range(3)]
        if codes[-1] != Exit.DONE:
            return [f"undisturbed runs ended with {codes}"]
        self._look()
        return []

    def figures(self) -> dict[str, Any]:
        return {"buckets": self.finished, "objects_each": self.count, **self.programs.ends}


def _assert_right(originals: Originals) -> None:
    """As `assert_right`, but an original may have been put twice: whoever puts it tries again while nobody answers."""
    for key, data in originals.contents.items():
        history = originals.history(key)
        assert {one for one, ours in history if not ours} == {data}, f"{key}: not what was put"
        replaced = [one for one, ours in history if ours]
        assert replaced == [after for after in (expected(data),) if after != data], f"{key}: {len(replaced)} by us"


def _remove_bucket(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"])
    s3.delete_bucket(Bucket=name)


@dataclass
class Drains:
    """Objects that are put, and drainers onto the small disk; now and then what arrived is taken away."""

    place: Place
    rng: random.Random
    bucket: str = "inbox"
    name: str = "drain_bucket"
    generation: int = 0
    number: int = 0
    #: The MD5 of what was put last under each key, until it has been seen on the disk and in S3 no more.
    last: dict[str, str] = field(default_factory=dict)
    #: … and of all that was ever put under it: what the local cloud brings back when it was killed may come again.
    all: dict[str, set[str]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.programs = Programs(self.place, self.rng)
        self.s3 = self.place.cloud.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.home = self.place.folder / "drain-home"
        self.home.mkdir()

    @property
    def root(self) -> Path:
        return self.place.disk.folder / f"drained-{self.generation}"

    def turn(self) -> None:
        for _ in range(self.rng.randint(5, 20)):
            self._put()
        self._run(longest=self.rng.choice((0, 2, 5)), slow=self.rng.random() < 0.3)
        self._check()
        if self.rng.random() < 0.2:
            self._take_away()
        self.place.ending.wait(self.rng.uniform(0, 4))

    def _put(self) -> None:
        again = self.last and self.rng.random() < 0.2
        key = self.rng.choice(sorted(self.last)) if again else f"{self.rng.choice(_FOLDERS)}{self.number}"
        data = self.rng.randbytes(self.rng.choice((0, 1, 3000, 70_000)))
        self.number += 1
        insist(lambda: self.s3.put_object(Bucket=self.bucket, Key=key, Body=data))
        self.last[key] = hashlib.md5(data).hexdigest()
        self.all.setdefault(key, set()).add(self.last[key])
        self.done["put"] += 1

    def _run(self, *, longest: float = 0, slow: bool = False) -> int:
        command = ["bulk/drain_bucket.py", "--bucket-name", self.bucket, "--path-to-search", "*", "--yes"]
        command += ["--local-base-path", str(self.root), "--workers", "4", "--json"]
        return self.programs.run(*command, through=self.place.proxy, longest=longest, slow=slow)

    def _check(self) -> None:
        in_s3, on_disk = insist(self._in_s3), self._on_disk()
        for key, contents in on_disk.items():
            assert contents <= self.all[key], f"{key!r} on disk is nothing that was put"
        for key, last in sorted(self.last.items()):
            assert last in in_s3.get(key, set()) | on_disk.get(key, set()), f"{key!r} is lost"

    def _in_s3(self) -> dict[str, set[str]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {entry["Key"]: {entry["ETag"].strip('"')} for page in pages for entry in page.get("Contents", [])}

    def _on_disk(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for path in self.root.rglob("*"):
            if path.is_file() and ".drain" not in path.parts and not path.name.endswith("%.part"):
                key = key_of(path.relative_to(self.root).parts)
                found.setdefault(key, set()).add(hashlib.md5(path.read_bytes()).hexdigest())
        return found

    def _take_away(self) -> None:
        """What is on the disk and not in S3 has arrived; the next drainer begins in a new folder."""
        in_s3 = insist(self._in_s3)
        arrived = [key for key in self.last if key not in in_s3]
        for key in arrived:
            del self.last[key]
        self.done["arrived"] += len(arrived)
        shutil.rmtree(self.root, ignore_errors=True)
        self.generation += 1

    def finish(self) -> list[str]:
        self._check()
        self._take_away()
        codes = [self._run() for _ in range(3)]
        self._check()
        left = insist(self._in_s3)
        parts = [str(path) for path in self.root.rglob("*%.part")]
        self._take_away()
        wrongs = [f"undisturbed runs ended with {codes} and left {len(left)} objects"] if left or codes[-1] else []
        return wrongs + [f"left behind: {parts}"] * bool(parts)

    def figures(self) -> dict[str, Any]:
        return {**self.done, **self.programs.ends}
