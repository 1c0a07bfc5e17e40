"""What an encoder gives back is looked at before it may take the place of an original, whatever the encoder says."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageOps

from bulk.compress import jpeg, png, webp
from bulk.compress.options import Options
from pipeline.images.decode import Source, examine, load
from pipeline.images.options import Limits
from tests.images import photo

PICTURE = photo((320, 240))
#: What each came out as, in the place of PICTURE.
WRONG = {
    "upside down": ImageOps.flip(PICTURE),
    "inverted": ImageOps.invert(PICTURE),
    "black": Image.new("RGB", PICTURE.size),
    "one pixel narrower": PICTURE.crop((0, 0, 319, 240)),
    "on its side": PICTURE.rotate(90, expand=True),
}
CHECKS = {
    "JPEG": lambda source, file: jpeg.check(source, file),
    "PNG": lambda source, file: png.check(source, file, Options(), Limits()),
    "PNG in few colours": lambda source, file: png.check(source, file, Options(png_colors=256), Limits()),
    "WEBP": lambda source, file: webp.check(source, file),
    "WEBP with a loss": lambda source, file: webp.check(source, file),
}


def saved(image: Image.Image, name: str) -> bytes:
    written = io.BytesIO()
    image.save(written, name.split()[0], **({"lossless": True} if name == "WEBP" else {}))
    return written.getvalue()


def loaded(name: str) -> Source:
    source = examine(saved(PICTURE, name), Limits())
    load(source)
    return source


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", CHECKS)
def test_another_picture_is_thrown_away(name: str, wrong: str):
    with pytest.raises(ValueError, match="came out as"):
        CHECKS[name](loaded(name), saved(WRONG[wrong], name))


@pytest.mark.parametrize("name", CHECKS)
def test_a_file_that_ends_early_is_thrown_away(name: str):
    file = saved(PICTURE, name)

    with pytest.raises(Exception, match=r"."):
        CHECKS[name](loaded(name), file[: len(file) * 2 // 3])


@pytest.mark.parametrize("name", CHECKS)
def test_the_same_picture_is_kept(name: str):
    CHECKS[name](loaded(name), saved(PICTURE, name))
