"""The program that compresses a bucket in its place, with the real samples, run as its users run it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.deployed import Deployment
from tests.images import jpeg, noise, truncated
from tests.local_cloud_fixture import ROOT
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

BUCKET = "meu-bucket"
PREFIX = "imagens/"
SAMPLES = {
    PREFIX + path.relative_to(ROOT / "img").as_posix(): path
    for path in sorted((ROOT / "img").rglob("*"))
    if path.suffix in (".jpg", ".png", ".mpo", ".gif", ".webp", ".avif", ".tif")
}
COMPRESSED = (".jpg", ".png", ".mpo")
HEADERS: dict[str, Any] = {
    "CacheControl": "max-age=60",
    "ContentDisposition": 'inline; filename="foto.jpg"',
    "ContentLanguage": "pt",
    "Metadata": {"owner": "ada"},
}
TAGS = "project=album&year=2024"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (INFO|WARNING|ERROR) - .+")


class Machine:
    """Where the program runs: a folder for its log, and a bucket that keeps versions."""

    def __init__(self, deployment: Deployment, folder: Path, bucket: str) -> None:
        self.s3 = deployment.cloud.client("s3")
        self.bucket = bucket
        self.folder = folder
        self._environ = {
            name: value for name, value in deployment.cloud.environ.items() if not name.startswith("AWS_")
        } | {"TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir(parents=True)

    def run(self, *options: str, program: Path = ROOT / "bulk" / "compress_images_from_S3.py", cwd: Path | None = None):
        command = [sys.executable, str(program), "--bucket_name", self.bucket, *options]
        return subprocess.run(
            command, cwd=cwd or self.folder, env=self._environ, capture_output=True, text=True, timeout=280
        )

    def list_of(self, *keys: str) -> str:
        path = self.folder / "dataset.csv"
        path.write_text("\n".join(["path", *keys, ""]), encoding="utf-8")
        return str(path)

    @property
    def last_log(self) -> list[str]:
        return max(self.folder.glob("log_*.log")).read_text(encoding="utf-8").splitlines()

    def get(self, key: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.s3.get_object(Bucket=self.bucket, Key=key)
        return {**answer, "data": answer["Body"].read()}

    def versions(self) -> dict[str, tuple[str, str]]:
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        return {
            one["Key"]: (one["VersionId"], one["ETag"])
            for page in pages
            for one in page.get("Versions", [])
            if one["IsLatest"]
        }


@pytest.fixture(scope="module")
def machine(deployment: Deployment, tmp_path_factory) -> Machine:
    """The samples under a prefix, each with headers and tags of its own, compressed once."""
    made = Machine(deployment, tmp_path_factory.mktemp("machine"), BUCKET)
    made.s3.create_bucket(Bucket=BUCKET)
    made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key, path in SAMPLES.items():
        made.s3.put_object(
            Bucket=BUCKET, Key=key, Body=path.read_bytes(), ContentType=content_type(path), Tagging=TAGS, **HEADERS
        )
    done = made.run("--csv_path", made.list_of(*SAMPLES))
    assert done.returncode == 0, done.stderr
    return made


def content_type(path: Path) -> str:
    """Of each sample what nobody would guess: it must come back as it was given."""
    return f"image/x-{path.suffix[1:]}"


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def frames(data: bytes) -> Iterator[Image.Image]:
    image = opened(data)
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        yield image.convert("RGB")


@pytest.mark.parametrize("key", [key for key in SAMPLES if key.endswith(COMPRESSED)])
def test_a_sample_becomes_smaller_or_stays_and_keeps_its_headers_its_metadata_and_its_looks(machine: Machine, key):
    original, now = SAMPLES[key].read_bytes(), machine.get(key)

    assert len(now["data"]) < 0.97 * len(original) or now["data"] == original
    assert now["ContentType"] == content_type(SAMPLES[key])
    for name, value in HEADERS.items():
        assert now[name] == value or (name == "Metadata" and value.items() <= now[name].items())
    tags = machine.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"project": "album", "year": "2024"}
    before, after = opened(original), opened(now["data"])
    assert (after.format, after.mode, after.size) == (before.format, before.mode, before.size)
    for name in ("exif", "icc_profile", "xmp"):
        assert after.info.get(name) == before.info.get(name), name
    for one, other in zip(frames(original), frames(now["data"]), strict=True):
        assert max(ImageStat.Stat(ImageChops.difference(one, other)).rms) < 12


def test_most_samples_do_become_smaller_and_some_of_them_have_metadata_to_keep(machine: Machine):
    smaller = [key for key, path in SAMPLES.items() if len(machine.get(key)["data"]) < path.stat().st_size]

    assert len(smaller) >= 8
    assert any(opened(SAMPLES[key].read_bytes()).info.get("exif") for key in smaller)


@pytest.mark.parametrize("key", [key for key in SAMPLES if not key.endswith(COMPRESSED)])
def test_a_sample_of_another_format_stays_byte_for_byte_and_the_log_says_why(machine: Machine, key):
    assert machine.get(key)["data"] == SAMPLES[key].read_bytes()
    [line] = [line for line in machine.last_log if f"[INVALID_EXTENSION] {key}" in line]
    assert " - WARNING - " in line


def test_the_log_has_the_lines_of_the_older_system_and_the_folder_for_downloads_is_empty(machine: Machine):
    key, log = f"{PREFIX}sunset.jpg", machine.last_log

    assert [line for line in log if not LINE.fullmatch(line)] == []
    assert any(line.endswith(f"Downloading object {key} from AWS S3.") for line in log)
    [saved] = [
        found for line in log if (found := re.search(r"File saved in (\S+/sunset\.jpg) with size: [\d.]+ MB", line))
    ]
    path = saved[1]
    assert any(line.endswith(f"Compressing {path} object as JPEG file") for line in log)
    assert any(re.search(f"Upload object {key} for bucket {BUCKET} with size [\\d.]+ MB$", line) for line in log)
    assert any(line.endswith(f"File {path} was deleted.") for line in log)
    assert path.startswith(str(machine.folder / "tmp"))
    assert [path for path in (machine.folder / "tmp").iterdir() if path.name.startswith("compress-")] == []


def test_a_second_run_writes_nothing(machine: Machine):
    before = machine.versions()

    done = machine.run("--csv_path", machine.list_of(*SAMPLES))

    assert done.returncode == 0, done.stderr
    assert machine.versions() == before
    assert not any("Upload object" in line for line in machine.last_log)


def test_the_printed_command_is_run_from_the_folder_of_the_program(machine: Machine, deployment: Deployment, tmp_path):
    """`cd bulk` and `python compress_images_from_S3.py` with the two flags that must be there, and no other."""
    own = Machine(deployment, tmp_path, "cd-bulk")
    own.s3.create_bucket(Bucket=own.bucket)
    own.s3.put_bucket_versioning(Bucket=own.bucket, VersioningConfiguration={"Status": "Enabled"})
    own.s3.put_object(Bucket=own.bucket, Key="imagens/imagem1.jpg", Body=jpeg(noise((300, 200)), quality=98))
    bulk = ROOT / "bulk"
    before = set(bulk.iterdir())

    done = own.run(
        "--csv_path", own.list_of("imagens/imagem1.jpg"), program=Path("compress_images_from_S3.py"), cwd=bulk
    )

    left = [path for path in set(bulk.iterdir()) - before if path.name != "__pycache__"]
    try:
        assert done.returncode == 0, done.stderr
        assert "compressed" in done.stdout
        assert any(re.fullmatch(r"log_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.log", path.name) for path in left)
    finally:
        for path in left:
            path.unlink()


def test_bad_images_stay_byte_for_byte_with_their_codes_and_stop_nothing(deployment: Deployment, tmp_path):
    own = Machine(deployment, tmp_path, "bad-images")
    own.s3.create_bucket(Bucket=own.bucket)
    original = jpeg(noise((300, 200)), quality=98)
    bad = {
        "cut.jpg": (truncated(original), "TRUNCATED_IMAGE"),
        "no image.jpg": (b"not an image at all", "INVALID_EXTENSION"),
        "empty.jpg": (b"", "INVALID_CONTENT"),
        "corrupt.png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "CORRUPT_FILE"),
        "picture.bmp": (bitmap(), "INVALID_EXTENSION"),
    }
    for key, (data, _) in bad.items():
        own.s3.put_object(Bucket=own.bucket, Key=key, Body=data)
    own.s3.put_object(Bucket=own.bucket, Key="good.jpg", Body=original)
    rows = own.list_of(*bad, "gone.jpg", "good.jpg")

    refused = own.run("--csv_path", rows)
    done = own.run("--csv_path", rows, "--backup_prefix", "originals/")
    strict = own.run("--csv_path", rows, "--no_backup", "--ignore_trunc", "False")

    assert refused.returncode == 2 and "no way back" in refused.stderr
    assert done.returncode == 0, done.stderr
    codes = {key: code for key, (_, code) in bad.items()} | {"gone.jpg": "FILE_DELETED"}
    log = "\n".join(sorted(tmp_path.glob("log_*.log"))[0].read_text(encoding="utf-8").splitlines())
    assert {key: code for key, code in codes.items() if f"[{code}] {key}" not in log} == {}
    assert {key: own.get(key)["data"] == data for key, (data, _) in bad.items()} == dict.fromkeys(bad, True)
    assert own.get("originals/good.jpg")["data"] == original and len(own.get("good.jpg")["data"]) < len(original)
    assert strict.returncode == 1


def test_copies_below_the_prefix_of_the_run_are_left_out_of_its_list(deployment: Deployment, tmp_path):
    own = Machine(deployment, tmp_path, "copies-in-the-list")
    own.s3.create_bucket(Bucket=own.bucket)
    original = jpeg(noise((300, 200)), quality=98)
    for key in ("a.jpg", "originals/b.jpg"):
        own.s3.put_object(Bucket=own.bucket, Key=key, Body=original)

    done = own.run("--csv_path", own.list_of("a.jpg", "originals/b.jpg"), "--backup_prefix", "originals/")

    assert done.returncode == 0, done.stderr
    listed = own.s3.list_objects_v2(Bucket=own.bucket)["Contents"]
    assert [entry["Key"] for entry in listed] == ["a.jpg", "originals/a.jpg", "originals/b.jpg"]
    assert own.get("originals/b.jpg")["data"] == original and len(own.get("a.jpg")["data"]) < len(original)
    assert any("Line 3 of the list was left out" in line for line in own.last_log)


def bitmap() -> bytes:
    file = io.BytesIO()
    noise((30, 20)).save(file, "BMP")
    return file.getvalue()


def test_the_pipeline_still_processes_an_image_that_was_compressed_in_its_place(deployment: Deployment, tmp_path):
    own = Machine(deployment, tmp_path, deployment.resources["images-bucket"])
    key, original = "in place/sunset.jpg", (ROOT / "img" / "sunset.jpg").read_bytes()
    deployment.upload(key, original)
    first = eventually(lambda: deployment.record(key))

    done = own.run("--csv_path", own.list_of(key))

    assert done.returncode == 0, done.stderr
    now = own.get(key)
    assert len(now["data"]) < len(original) and "image-pipeline-compressed" in now["Metadata"]
    second = eventually(lambda: changed(deployment.record(key), first))
    assert (second["Outcome"], second["VersionId"]) == ("DONE", now["VersionId"])
    assert second["OriginalBytes"] == len(now["data"]) and second["ThumbnailKey"] != first["ThumbnailKey"]


def changed(record: dict[str, Any] | None, before: dict[str, Any]) -> dict[str, Any] | None:
    return record if record and record["VersionId"] != before["VersionId"] else None
