"""What the CSV program makes of one image, in memory."""

from __future__ import annotations

from contextlib import nullcontext
from io import BytesIO

from PIL import Image, ImageChops, ImageStat

from bulk.compress.options import Options
from bulk.compress.transform import Compressor
from tests.images import noise, photo

#: A picture with enough detail to be worth compressing.
DETAILED = Image.blend(photo((640, 480)), noise((640, 480)), 0.2)


def compressed(data: bytes, **options: object) -> bytes:
    chosen = Options(**options)  # type: ignore[arg-type]
    wanted = chosen.job("bucket", "key").image_options
    made = Compressor(chosen).transform(data, wanted, decoding=lambda pixels: nullcontext())
    [output] = made.outputs
    return output.data


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def distance(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).rms)


def saved(image: Image.Image, name: str, **parameters: object) -> bytes:
    file = BytesIO()
    image.save(file, name, **parameters)
    return file.getvalue()
