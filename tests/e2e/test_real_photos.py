"""Real photos through the whole local cloud, and formats whose decoders run in a child of the function."""

from __future__ import annotations

import os
import shutil
import urllib.request
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.corpus.photos import photos
from tests import images, reference
from tests.deployed import Deployment
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def pictures() -> list[Path]:
    found = photos(24)
    if len(found) < 20:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("no real photos here; `make corpora` fetches them")
    return found


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def test_real_photos_go_the_whole_way(deployment: Deployment, pictures: list[Path], tmp_path: Path):
    folder = tmp_path / "photos"
    for path in pictures:
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder / path.name)

    done = deployment.command("upload_folder_images.py", str(tmp_path), timeout=280)

    assert done.returncode == 0, done.stderr
    query = "SELECT * FROM \"ImageMetadata\" WHERE begins_with(ImageID, 'photos/')"
    records = {record["ImageID"]: record for record in deployment.json_lines("query.py", query)}
    assert {record["Outcome"] for record in records.values()} == {"DONE"}
    for path in pictures:
        assert_right(path, records[f"photos/{path.name}"])


def assert_right(path: Path, record: dict[str, Any]):
    """Sizes as they have to be, never larger, and the thumbnail looks like the photo."""
    thumbnail = read(record["ThumbnailURL"])
    assert record["CompressedBytes"] <= record["OriginalBytes"] == path.stat().st_size
    with Image.open(BytesIO(thumbnail)) as small, Image.open(path) as source:
        assert max(small.size) == 256
        assert (record["PixelWidth"], record["PixelHeight"]) == source.size
        assert not small.getexif()
        # At a quarter of the size what WebP loses is gone; a wrong colour, turn or crop is not.
        tiny = (small.width // 4, small.height // 4)
        shown, expected = (reference.scaled(reference.shown(data), tiny) for data in (thumbnail, path.read_bytes()))
        assert reference.distance(shown, expected) < 4, path.name
    with Image.open(BytesIO(read(record["CompressedURL"]))) as compressed:
        assert (compressed.format, compressed.size) == (record["ImageFormat"], source.size)
        assert 0x8825 not in compressed.getexif()


@pytest.mark.parametrize(("form", "suffix"), (("TIFF", "tif"), ("AVIF", "avif")))
def test_a_format_whose_decoder_is_isolated_goes_the_whole_way(deployment: Deployment, form: str, suffix: str):
    file = BytesIO()
    images.photo((600, 400)).save(file, form)

    deployment.upload(f"isolated/a.{suffix}", file.getvalue())

    record = eventually(lambda: deployment.record(f"isolated/a.{suffix}"))
    assert (record["Outcome"], record["ImageFormat"]) == ("DONE", form)
    with Image.open(BytesIO(read(record["ThumbnailURL"]))) as small:
        assert small.size == (256, 171)
