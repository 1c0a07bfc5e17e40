"""Limits that hold before anything is decoded, and the codes of bad images."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from PIL import Image

from pipeline.errors import Code, RejectError
from pipeline.images.options import ImageOptions, Limits
from pipeline.images.transform import transform
from tests import bombs, images, reference


def refused(data: bytes, options: ImageOptions | None = None) -> RejectError:
    with pytest.raises(RejectError) as caught:
        transform(data, options or ImageOptions())
    return caught.value


NO_IMAGES = {
    "text": b"hello, I am not a picture",
    "GIF of no version": b"GIF99a" + bytes(100),
    "sound": b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(50),
    "video": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + bytes(50),
    "a word": b"BMW drivers write letters",
    "JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "a byte": b"\xff",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_content_that_is_no_accepted_format_is_an_invalid_extension(name: str):
    assert refused(NO_IMAGES[name]).code == Code.INVALID_EXTENSION


def test_nothing_is_invalid_content():
    assert refused(b"").code == Code.INVALID_CONTENT


@pytest.mark.parametrize("share", (0.1, 0.5, 0.9, 0.999))
@pytest.mark.parametrize("write", (images.jpeg, images.png))
def test_an_image_that_ends_early_is_truncated(write, share: float):
    assert refused(images.truncated(write(), share)).code == Code.TRUNCATED_IMAGE


@pytest.mark.parametrize(("depth", "colour", "row"), ((8, 2, b"\x50" * 300), (8, 2, bytes(300)), (1, 0, b"\xaa" * 13)))
def test_pixels_that_end_early_inside_a_whole_file_are_truncated(depth: int, colour: int, row: bytes):
    assert refused(images.raw_png((100, 100), depth, colour, [row] * 99)).code == Code.TRUNCATED_IMAGE


def test_an_interlaced_picture_is_read_and_missed_when_it_ends_early():
    data = images.interlaced_png(images.photo((90, 61), "L"))
    expected = reference.shown(data)

    thumbnail = transform(data).outputs[0]

    assert reference.distance(reference.shown(thumbnail.data), expected) < 4
    for missing in (1, 45, 2_000):
        assert refused(images.interlaced_png(images.photo((90, 61), "L"), missing)).code == Code.TRUNCATED_IMAGE


def test_a_picture_that_is_black_to_its_last_row_is_whole():
    assert transform(images.raw_png((100, 100), 8, 2, [bytes(300)] * 100)).facts.size == (100, 100)


CORRUPT = {
    "PNG pixels": lambda: images.png().replace(b"IDAT", b"IDAT\x00", 1),
    "PNG checksum": lambda: flipped(images.png(), -30),
    "PNG of no width": lambda: images.raw_png((0, 5), 8, 2, []),
    "PNG of 3 bits": lambda: images.raw_png((5, 5), 3, 2, [bytes(15)] * 5),
    "PNG with two headers": lambda: images.png()[:33] + images.png()[8:],
    "PNG with an unknown critical chunk": lambda: (
        images.png()[:33] + images.png_chunk(b"CgBI", b"") + images.png()[33:]
    ),
    "JPEG of nothing": lambda: b"\xff\xd8\xff\xd9",
    "JPEG without tables": lambda: images.jpeg().replace(b"\xff\xdb", b"\xff\xe5"),
    "JPEG of 12 bits": lambda: twelve_bits(),
    "JPEG in a JPEG": lambda: images.jpeg()[:2] + images.jpeg(),
}


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 0xFF
    return bytes(changed)


def twelve_bits() -> bytes:
    data = bytearray(images.jpeg())
    data[data.index(b"\xff\xc0") + 4] = 12
    return bytes(data)


@pytest.mark.parametrize("name", CORRUPT)
def test_what_cannot_be_decoded_is_corrupt(name: str):
    assert refused(CORRUPT[name]()).code in (Code.CORRUPT_FILE, Code.TRUNCATED_IMAGE)


BOMBS = {
    "PNG of 9 gigapixels": lambda: bombs.png_claiming(95_000, 95_000),
    "PNG of 65 megapixels": lambda: bombs.png_claiming(8_125, 8_001),
    "PNG that is one column": lambda: bombs.png_claiming(1, 60_000_000),
    "PNG of a negative size": lambda: bombs.png_claiming(2**32 - 1, 1),
    "JPEG of 4 gigapixels": lambda: bombs.jpeg_claiming(65_000, 65_000),
    "JPEG over the side limit": lambda: bombs.jpeg_claiming(20_001, 8),
    "JPEG of 2,000 scans": lambda: bombs.jpeg_with_scans(2_000),
    "JPEG of 500,000 segments": lambda: bombs.jpeg_with_segments(500_000),
    "PNG of 200,000 chunks": lambda: bombs.png_with_chunks(200_000),
    "50 MB and a byte": lambda: images.png() + bytes(50_000_001),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_too_large_before_it_costs_anything(name: str):
    data = BOMBS[name]()
    tracemalloc.start()
    begun = time.process_time()

    error = refused(data)

    seconds, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.code == Code.TOO_LARGE
    assert seconds < 10
    assert peak < 30_000_000


@pytest.mark.parametrize("make", (bombs.png_with_text_bomb, bombs.png_with_profile_bomb))
def test_a_compressed_bomb_beside_the_pixels_is_never_unpacked(make):
    data = make()
    tracemalloc.start()

    result = transform(data)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.facts.size == (300, 200)
    assert peak < 30_000_000


@pytest.mark.parametrize(
    "limits",
    (Limits(max_bytes=100), Limits(max_pixels=100), Limits(max_side=100), Limits(max_jpeg_scans=0)),
    ids=("bytes", "pixels", "side", "scans"),
)
def test_each_limit_is_an_option_and_named_in_the_reason(limits: Limits):
    error = refused(images.jpeg(), ImageOptions(limits=limits))

    assert error.code == Code.TOO_LARGE
    assert any(character.isdigit() for character in error.reason)


def test_a_picture_at_the_limit_passes():
    data = images.jpeg()

    transform(data, ImageOptions(limits=Limits(max_bytes=len(data), max_pixels=60_000, max_side=300, max_jpeg_scans=1)))


def test_limits_above_those_of_pillow_are_ours_alone():
    """Pillow would warn at 89 megapixels, and a warning is an error in these tests."""
    data = images.png(Image.new("1", (19_900, 5_000)))
    only_facts = ImageOptions(outputs=(), limits=Limits(max_pixels=1_000_000_000))

    assert transform(data, only_facts).facts.size == (19_900, 5_000)


def test_an_image_that_needs_more_memory_than_there_is_is_too_large(monkeypatch: pytest.MonkeyPatch):
    def no_memory(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.Image.core.new", no_memory)

    assert refused(images.jpeg()).code == Code.TOO_LARGE
