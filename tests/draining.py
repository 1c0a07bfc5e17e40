"""A bucket of one's own on the local cloud, and the drainer run on it in this process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulk.drain.paths import key_of
from bulk.drain_bucket import Surroundings, main
from tests.local_cloud_fixture import ROOT, LocalCloud


@dataclass(frozen=True)
class Ended:
    """How a drain ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        return json.loads(self.out.splitlines()[-1])

    @property
    def outcomes(self) -> Any:
        return self.report["outcomes"]


@dataclass
class Drained:
    """`root` is the folder that is drained into, `canary` one beside it that must never change."""

    cloud: LocalCloud
    folder: Path
    bucket: str = field(default_factory=lambda: f"drained-{uuid.uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.s3 = self.cloud.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.home, self.root, self.processed = (self.folder / name for name in ("home", "root", "processed"))
        self.home.mkdir()

    @property
    def environ(self) -> dict[str, str]:
        return {"IMAGE_PIPELINE_HOME": str(self.home), "LOCAL_CLOUD_PORT": str(self.cloud.port)}

    def put(self, key: str, data: bytes, **options: Any) -> str:
        """Put an object; its ETag."""
        return str(self.s3.put_object(Bucket=self.bucket, Key=key, Body=data, **options)["ETag"]).strip('"')

    def fill(self, count: int = 20, size: int = 3000) -> dict[str, bytes]:
        """Put so many objects of so many random bytes; what they hold, by key."""
        data = {f"{number:03}": os.urandom(size) for number in range(count)}
        for key, content in data.items():
            self.put(key, content)
        return data

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def keys(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def versions(self) -> list[dict[str, Any]]:
        answer = self.s3.list_object_versions(Bucket=self.bucket)
        return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]

    def keep_versions(self, status: str = "Enabled") -> None:
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": status})

    def put_in_parts(self, key: str, parts: list[bytes], **options: Any) -> None:
        """Put an object as a multipart upload; every part but the last has at least 5 MiB."""
        named = {"Bucket": self.bucket, "Key": key}
        upload = self.s3.create_multipart_upload(**named, **options)["UploadId"]
        made = []
        for number, data in enumerate(parts, 1):
            answer = self.s3.upload_part(**named, UploadId=upload, PartNumber=number, Body=data)
            sums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
            made.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
        self.s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload={"Parts": made})

    def files(self) -> dict[str, bytes]:
        """What was drained, by path; the drainer's own files are left out."""
        found = sorted(path for path in self.root.rglob("*") if path.is_file() and ".drain" not in path.parts)
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def assert_nothing_is_lost(self, data: dict[str, bytes]) -> None:
        """Every object is in S3, or whole in the file of its name."""
        keys, files = set(self.keys()), self.files()
        for key, content in data.items():
            assert (key in keys and self.get(key) == content) or files.get(key) == content, f"{key} is lost"
        for path, content in files.items():
            assert path.endswith("%.part") or content == data[key_of(path.split("/"))], f"{path} is not its object"

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.root / ".drain" / "log.jsonl").read_text().splitlines()]

    def arguments(self, *more: str) -> list[str]:
        return [
            "--bucket-name", self.bucket, "--path-to-search", "*", "--local-base-path", str(self.root), "--json", *more
        ]  # fmt: skip

    def run(
        self,
        *more: str,
        endpoint_url: str | None = None,
        yes: bool = True,
        **around: Any,
    ) -> Ended:
        """Drain everything, or what `more` says; with `endpoint_url` by way of a proxy."""
        place = [] if endpoint_url else ["--local"]
        environ = self.environ | ({"AWS_ENDPOINT_URL": endpoint_url} if endpoint_url else {})
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main([*place, *self.arguments(*more), *["--yes"] * yes], Surroundings(environ=environ, **around))
        return Ended(int(code), out.getvalue(), err.getvalue())

    def start(
        self, *arguments: str, stdin: int = subprocess.DEVNULL, environ: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """The program in a process of its own, with these arguments only."""
        return subprocess.Popen(
            [sys.executable, "bulk/drain_bucket.py", "--local", *arguments],
            cwd=ROOT, env=os.environ | self.environ | (environ or {}),
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run_program(self, *arguments: str, **options: Any) -> Ended:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err)


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Fails when anything in the folder is another than before, or was added."""
    before = _contents(folder)
    yield
    assert _contents(folder) == before


def _contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
