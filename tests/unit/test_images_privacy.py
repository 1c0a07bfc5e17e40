"""What leaves with a JPEG or PNG and what does not; test_images_strip.py has what holds for every format."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from pipeline.images import jpeg_parts, png_parts
from pipeline.images.decode import examine
from pipeline.images.options import Limits
from pipeline.images.transform import transform
from tests import colour_profiles, formats, images

LIMITS = Limits()


def stripped(data: bytes) -> bytes:
    return examine(data, LIMITS).stripped()


def pixels(data: bytes) -> bytes:
    with Image.open(BytesIO(data)) as image:
        return image.tobytes()


def exif_tags(data: bytes) -> dict[int, object]:
    with Image.open(BytesIO(data)) as image:
        return dict(image.getexif())


def test_a_compressed_jpeg_is_upright_and_carries_the_rights_but_no_orientation():
    data = images.jpeg(images.noise((300, 200)), quality=98, exif=images.exif(orientation=6, rights=True))

    compressed = transform(data).outputs[1].data

    assert exif_tags(compressed) == {0x013B: images.ARTIST, 0x8298: images.COPYRIGHT}
    assert Image.open(BytesIO(compressed)).size == (200, 300)


def test_a_jpeg_that_would_hardly_shrink_keeps_its_pixels_and_its_orientation():
    data = images.jpeg(quality=30, private=True, exif=images.exif(orientation=8, private=True))

    compressed = transform(data).outputs[1]

    assert pixels(compressed.data) == pixels(data)
    assert exif_tags(compressed.data) == {0x0112: 8}
    assert compressed.size == (200, 300)


def test_thumbnails_carry_no_exif_at_all():
    thumbnail = transform(images.jpeg(exif=images.exif(rights=True, orientation=6))).outputs[0]

    assert exif_tags(thumbnail.data) == {}


def test_rights_are_given_up_where_they_would_make_the_file_larger():
    shared = b"MM\x00*\x00\x00\x00\x08\x00\x02"
    text = (10 + 24 + 4).to_bytes(4, "big")
    for tag in (b"\x01\x3b", b"\x82\x98"):
        shared += tag + b"\x00\x02" + (200).to_bytes(4, "big") + text
    data = images.jpeg(exif=b"Exif\x00\x00" + shared + bytes(4) + b"one text for two tags".ljust(200, b"."))

    result = stripped(data)

    assert len(result) < len(data)
    assert exif_tags(result) == {}


def test_the_preview_inside_a_jfif_header_is_removed():
    data = images.jpeg()
    head = images.jpeg_segment(0xE0, b"JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x02\x02" + b"PREVIEWSECRE")
    data = data[:2] + head + data[2 + 2 + int.from_bytes(data[4:6], "big") :]

    result = stripped(data)

    assert b"PREVIEW" not in result
    assert Image.open(BytesIO(result)).info["dpi"] == (72, 72)


def test_of_several_pictures_in_a_jpeg_the_first_is_taken_and_the_rest_dropped():
    data = images.mpo()

    result = transform(data)

    assert result.facts.format == "JPEG"
    assert data.count(b"\xff\xd8\xff") == 2
    assert all(output.data.count(b"\xff\xd8\xff") == (output.format == "JPEG") for output in result.outputs)
    assert b"MPF\x00" not in stripped(data)
    assert pixels(stripped(data)) == pixels(data)


def test_an_animated_png_keeps_all_of_its_frames():
    compressed = transform(images.apng()).outputs[1].data

    with Image.open(BytesIO(compressed)) as image:
        assert getattr(image, "n_frames", 1) == 2


@pytest.mark.parametrize(
    ("kind", "payload"), ((b"gAMA", (50_000).to_bytes(4, "big")), (b"pHYs", bytes((0, 0, 1, 0, 0, 0, 1, 0, 1))))
)
def test_a_compressed_png_keeps_what_says_how_it_is_shown(kind: bytes, payload: bytes):
    data = images.png()
    chunk = images.png_chunk(kind, payload)

    assert chunk in transform(data[:33] + chunk + data[33:]).outputs[1].data


def test_bytes_behind_a_profile_in_its_chunk_do_not_leave():
    import zlib

    packed = b"SECRETNAME\x00\x00" + zlib.compress(colour_profiles.display_p3()) + b"SECRETBYTES"
    data = images.png()

    result = stripped(data[:33] + images.png_chunk(b"iCCP", packed) + data[33:])

    assert b"iCCP" in result
    assert b"SECRET" not in result


def test_fill_bytes_and_garbage_between_segments_are_no_hindrance():
    data = images.jpeg()
    padded = data[:2] + b"\xff\xff\xff" + data[2:-2] + b"\xff\xff" + data[-2:]

    assert pixels(jpeg_parts.take_apart(padded, max_scans=100).bare()) == pixels(data)


def test_a_damaged_ancillary_chunk_is_dropped_and_the_picture_lives():
    data = images.png()
    broken = images.png_chunk(b"gAMA", b"\x00\x00\xb1\x8f")[:-1] + b"?"

    assert png_parts.take_apart(data[:33] + broken + data[33:]).bare() == data


def test_texts_in_the_lists_of_an_avif_are_overwritten():
    data = formats.avif(images.photo((64, 48), "RGB"))
    secret = b"SECRETTEXT"
    hidden = formats.iso_box(b"udes", bytes(4) + b"en\0" + secret + b"\0\0\0")
    data = with_box_in(data, (b"meta", b"iprp", b"ipco"), hidden)
    data = with_box_in(data, (b"meta",), formats.iso_box(b"uuid", bytes(16) + secret))
    data = with_box_in(data, (b"meta",), formats.iso_box(b"udta", secret))
    source = examine(data, Limits())

    stripped = source.stripped()

    assert data.count(secret) == 3 and secret not in stripped
    assert Image.open(BytesIO(stripped)).convert("RGB").tobytes() == Image.open(BytesIO(data)).convert("RGB").tobytes()


def with_box_in(data: bytes, path: tuple[bytes, ...], box: bytes) -> bytes:
    """`data` with `box` last in the box at `path`; lengths and places of items follow."""
    at, lengths = 0, []
    for kind in path:
        at = data.index(kind, at) - 4
        lengths.append(at)
        at += 12 if kind == b"meta" else 8
    whole = bytearray(data)
    end = lengths[-1] + int.from_bytes(data[lengths[-1] : lengths[-1] + 4], "big")
    whole[end:end] = box
    for start in lengths:
        whole[start : start + 4] = (int.from_bytes(whole[start : start + 4], "big") + len(box)).to_bytes(4, "big")
    return moved_items(bytes(whole), len(box))


def moved_items(data: bytes, by: int) -> bytes:
    """The places in Pillow's list of them (version 0, offsets and lengths of four bytes) moved along."""
    start = data.index(b"iloc") + 4
    whole, count, at = bytearray(data), int.from_bytes(data[start + 6 : start + 8], "big"), start + 8
    for _ in range(count):
        place = at + 6
        whole[place : place + 4] = (int.from_bytes(whole[place : place + 4], "big") + by).to_bytes(4, "big")
        at += 14
    return bytes(whole)
