"""What the CSV program makes of a WebP: smaller where that is asked for, with all that stands beside the picture."""

from __future__ import annotations

import pytest
from PIL import Image

from bulk.strict_webp import chunks
from pipeline.errors import SkipError
from tests.colour_profiles import display_p3
from tests.formats import riff_chunk
from tests.images import SECRETS, exif, in_mode, xmp
from tests.unit.compressing import DETAILED, compressed, distance, opened, saved


def as_webp(image: Image.Image, *, lossless: bool = False, **parameters: object) -> bytes:
    """A file that can be made smaller."""
    return saved(image, "WEBP", quality=40 if lossless else 95, lossless=lossless, method=0, **parameters)


def compressed_webp(data: bytes, **options: object) -> bytes:
    return compressed(data, formats=("WEBP",), min_savings=0, **options)


def beside_the_picture(data: bytes) -> list[tuple[bytes, bytes]]:
    return [(kind, bytes(payload)) for kind, payload in chunks(data) if kind not in (b"VP8 ", b"VP8L", b"ALPH")]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_is_compressed_when_it_is_asked_for_and_keeps_all_that_stands_beside_the_picture(lossless, mode):
    block = {"exif": exif(orientation=6), "xmp": xmp(), "icc_profile": display_p3()}
    data = as_webp(in_mode(DETAILED, mode), lossless=lossless, **block)

    after = compressed_webp(data)

    image = opened(after)
    assert len(after) < len(data) and (image.size, image.mode) == ((640, 480), mode)
    assert beside_the_picture(after) == beside_the_picture(data) and len(beside_the_picture(data)) == 4
    assert distance(image.convert("RGBA").convert("RGBa"), opened(data).convert("RGBA").convert("RGBa")) < (
        1 if lossless else 20
    )


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("metadata", [{}, {"exif": exif(orientation=6)}], ids=["simple", "extended"])
def test_a_webp_keeps_chunks_that_nobody_knows_and_what_follows_its_end(lossless, metadata):
    whole = as_webp(DETAILED, lossless=lossless, **metadata)
    body = whole[8:] + riff_chunk(b"note", b"by hand") + riff_chunk(b"note", b"again")
    data = b"RIFF" + len(body).to_bytes(4, "little") + body + b"ftypmp42" * 100

    after = compressed_webp(data)

    assert len(after) < len(data) and opened(after).size == (640, 480)
    assert beside_the_picture(after) == beside_the_picture(data)
    assert beside_the_picture(after)[-2:] == [(b"note", b"by hand"), (b"note", b"again")]
    assert after.endswith(b"ftypmp42" * 100)


def test_stripping_leaves_orientation_and_no_secrets_in_a_webp():
    data = as_webp(DETAILED, exif=exif(orientation=6, private=True), xmp=xmp())

    after = compressed_webp(data, strip_metadata=True)

    assert not any(secret in after for secret in SECRETS.values()) and opened(after).getexif()[0x0112] == 6


def test_stripping_leaves_a_webp_alone_in_which_more_follows_the_picture():
    with pytest.raises(SkipError, match="800 bytes follow"):
        compressed_webp(as_webp(DETAILED) + b"ftypmp42" * 100, strip_metadata=True)


@pytest.mark.parametrize("frames", [1, 2])
def test_an_animated_webp_is_left_alone_even_if_it_has_one_frame_only(frames):
    data = as_webp(DETAILED, save_all=True, append_images=[DETAILED.rotate(180)], duration=50)
    moving = list(chunks(data))
    kept = [(kind, payload) for kind, payload in moving if kind != b"ANMF"]
    kept += [found for found in moving if found[0] == b"ANMF"][:frames]
    body = b"WEBP" + b"".join(riff_chunk(kind, bytes(payload)) for kind, payload in kept)

    with pytest.raises(SkipError, match="animated"):
        compressed_webp(b"RIFF" + len(body).to_bytes(4, "little") + body)
