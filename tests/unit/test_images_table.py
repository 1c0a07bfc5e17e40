"""Every format × mode × orientation × metadata against a plain reference."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from pipeline.images.transform import Transformed, transform
from tests import formats, images, reference

CASES = [(name, mode) for name, (_, modes) in formats.MAKERS.items() for mode in modes]
ORIENTATIONS = (None, 1, 2, 3, 4, 5, 6, 7, 8)
ALL = [
    (*case, orientation)
    for case in CASES
    for orientation in ORIENTATIONS
    if orientation is None or case[0] in formats.WITH_EXIF
]

#: Of 255 steps: what WebP and JPEG at quality 80 change in a smooth picture.
NEAR = 4.0

#: What each becomes when it is compressed; the rest stays what it is.
BECOMES = {"lossless WebP": "WEBP", "WebP": "WEBP", "HEIC": "JPEG", "TIFF": "JPEG", "BMP": "JPEG"}


@pytest.mark.parametrize("private", (False, True), ids=("plain", "private"))
@pytest.mark.parametrize(("name", "mode", "orientation"), ALL)
def test_all_outputs_look_like_the_source(name: str, mode: str, orientation: int | None, private: bool):
    data = formats.made(name, mode, orientation=orientation, private=private)
    expected = reference.shown(data)

    result = transform(data)

    thumbnail, compressed = result.outputs
    assert_looks_like(thumbnail.data, reference.scaled(expected, thumbnail.size))
    assert_looks_like(compressed.data, expected)
    assert result.facts.size == compressed.size == expected.size
    assert len(compressed.data) <= len(data) or name in ("HEIC", "TIFF", "BMP")
    assert_nothing_private(result)


def assert_looks_like(data: bytes, expected: Image.Image):
    actual = reference.shown(data)

    assert actual.size == expected.size
    assert reference.distance(actual, expected) < NEAR


def assert_nothing_private(result: Transformed):
    for output in result.outputs:
        assert [name for name, secret in images.SECRETS.items() if secret in output.data] == []


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_facts_and_outputs_name_their_formats(name: str, mode: str):
    data = formats.made(name, mode)

    result = transform(data)

    with Image.open(BytesIO(data)) as image:
        assert (result.facts.format, result.facts.mode, result.facts.frames) == (image.format, image.mode, 1)
    compressed = result.outputs[1]
    expected = BECOMES.get(name, name) if mode not in ("LA", "RGBA") or name not in ("HEIC", "TIFF") else "WEBP"
    assert compressed.format == Image.open(BytesIO(compressed.data)).format == expected
    assert compressed.content_type == f"image/{expected.lower()}"


@pytest.mark.parametrize(("name", "mode"), [case for case in CASES if case[0] in ("PNG", "GIF", "lossless WebP")])
@pytest.mark.parametrize("orientation", (None, 6))
def test_what_was_lossless_keeps_the_very_same_pixels(name: str, mode: str, orientation: int | None):
    data = formats.made(name, mode, orientation=orientation, private=True)

    compressed = transform(data).outputs[1]

    assert reference.distance(reference.shown(compressed.data), reference.shown(data)) == 0
