"""Every format × mode × orientation × metadata against a plain reference."""

from __future__ import annotations

import pytest
from PIL import Image

from pipeline.images.transform import Transformed, transform
from tests import images, reference

JPEG_MODES = ("RGB", "L", "CMYK")
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
CASES = [("JPEG", mode) for mode in JPEG_MODES] + [("PNG", mode) for mode in PNG_MODES]
ORIENTATIONS = (None, 1, 2, 3, 4, 5, 6, 7, 8)

#: Of 255 steps: what WebP and JPEG at quality 80 change in a smooth picture.
NEAR = 4.0


@pytest.mark.parametrize("private", (False, True), ids=("plain", "private"))
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("form", "mode"), CASES)
def test_all_outputs_look_like_the_source(form: str, mode: str, orientation: int | None, private: bool):
    data = made(form, mode, orientation, private)
    expected = reference.shown(data)

    result = transform(data)

    thumbnail, compressed = result.outputs
    assert_looks_like(thumbnail.data, reference.scaled(expected, thumbnail.size))
    assert_looks_like(compressed.data, expected)
    assert result.facts.size == compressed.size == expected.size
    assert len(compressed.data) <= len(data)
    assert_nothing_private(result)


def made(form: str, mode: str, orientation: int | None, private: bool) -> bytes:
    exif = images.exif(orientation=orientation, private=private) if orientation or private else b""
    picture = images.photo((272, 180), mode)
    write = images.jpeg if form == "JPEG" else images.png
    return write(picture, private=private, **({"exif": exif} if exif else {}))


def assert_looks_like(data: bytes, expected: Image.Image):
    actual = reference.shown(data)

    assert actual.size == expected.size
    assert reference.distance(actual, expected) < NEAR


def assert_nothing_private(result: Transformed):
    for output in result.outputs:
        assert [name for name, secret in images.SECRETS.items() if secret in output.data] == []


@pytest.mark.parametrize(("form", "mode"), CASES)
def test_the_facts_name_format_and_mode_as_pillow_does(form: str, mode: str):
    facts = transform(made(form, mode, None, False)).facts

    assert (facts.format, facts.mode) == (form, mode)
    assert facts.content_type == {"JPEG": "image/jpeg", "PNG": "image/png"}[form]


@pytest.mark.parametrize("mode", PNG_MODES)
@pytest.mark.parametrize("orientation", (None, 6))
def test_a_compressed_png_has_the_very_same_pixels(mode: str, orientation: int | None):
    data = made("PNG", mode, orientation, True)

    compressed = transform(data).outputs[1]

    assert reference.distance(reference.shown(compressed.data), reference.shown(data)) == 0
