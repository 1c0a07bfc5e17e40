"""Encoders beside each other: each a function from a picture and a quality to bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from pipeline.images.encode import write
from pipeline.images.encoders import encoders
from pipeline.images.options import Preset

Write = Callable[[Image.Image, int], bytes]
JPEG_QUALITIES = (62, 72, 80, 88)
WEBP_QUALITIES = (60, 74, 86, 97, 99)
AVIF_QUALITIES = (45, 58, 70, 82)

#: Table 3 of mozjpeg, by N. Robidoux: https://github.com/mozilla/mozjpeg/blob/master/jcparam.c
# fmt: off
_TABLE_3 = (
    16, 16,  16,  18,  25,  37,  56,  85,
    16, 17,  20,  27,  34,  40,  53,  75,
    16, 20,  24,  31,  43,  62,  91, 135,
    18, 27,  31,  40,  53,  74, 106, 156,
    25, 34,  43,  53,  69,  94, 131, 189,
    37, 40,  62,  74,  94, 124, 169, 238,
    56, 53,  91, 106, 131, 169, 226, 311,
    85, 75, 135, 156, 189, 238, 311, 418,
)
# fmt: on


@dataclass(frozen=True)
class Way:
    """`qualities` reach from below to above what JPEG 80 looks like, by SSIMULACRA2."""

    format: str
    write: Write
    qualities: tuple[int, ...]
    preset: Preset | None = None


def ways() -> dict[str, Way]:
    """Those of our presets, and all that one could take instead."""
    return {**_ours(), **_jpegs(), **_webps(), **_avifs()}


def _ours() -> dict[str, Way]:
    qualities = {"JPEG": JPEG_QUALITIES, "WEBP": WEBP_QUALITIES, "AVIF": AVIF_QUALITIES}
    return {
        f"ours {form} {preset}": Way(form, _preset(form, preset), values, preset)
        for form, values in qualities.items()
        for preset in Preset
    }


def _preset(form: str, preset: Preset) -> Write:
    def written(image: Image.Image, quality: int) -> bytes:
        data = write(image, encoders(form, preset)[0], quality)
        assert data is not None
        return data

    return written


def _pillow(form: str, **parameters: Any) -> Write:
    def written(image: Image.Image, quality: int) -> bytes:
        file = BytesIO()
        image.save(file, form, quality=quality, **parameters)
        return file.getvalue()

    return written


def _table_3(image: Image.Image, quality: int) -> bytes:
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    table = [min(255, max(1, (value * percent + 50) // 100)) for value in _TABLE_3]
    file = BytesIO()
    image.save(file, "JPEG", qtables=[table, table])
    return file.getvalue()


def _jpegli(image: Image.Image, quality: int) -> bytes:
    import pyjpegli

    return bytes(pyjpegli.encode(image.tobytes(), *image.size, quality))


def _mozjpeg(image: Image.Image, quality: int) -> bytes:
    """All that mozjpeg has, through libvips: trellis, table 3, scans tried out."""
    import pyvips

    picture = pyvips.Image.new_from_memory(image.tobytes(), *image.size, 3, "uchar")
    finest = {"optimize_coding": True, "interlace": True, "trellis_quant": True, "optimize_scans": True}
    data = picture.jpegsave_buffer(Q=quality, keep="none", overshoot_deringing=True, quant_table=3, **finest)
    return bytes(data)


def _packed(image: Image.Image, quality: int) -> bytes:
    """Ours, packed without loss by mozjpeg."""
    import mozjpeg_lossless_optimization

    return bytes(mozjpeg_lossless_optimization.optimize(_preset("JPEG", Preset.FAST)(image, quality)))


def _jpegs() -> dict[str, Way]:
    found = {
        "Pillow": _pillow("JPEG"),
        "Pillow optimize": _pillow("JPEG", optimize=True),
        "Pillow progressive": _pillow("JPEG", progressive=True),
        "table 3": _table_3,
        "pyjpegli": _jpegli,
        "mozjpeg": _mozjpeg,
        "ours, mozjpeg lossless": _packed,
    }
    return {name: Way("JPEG", written, JPEG_QUALITIES) for name, written in found.items()}


def _webps() -> dict[str, Way]:
    return {f"WebP {method}": Way("WEBP", _pillow("WEBP", method=method), WEBP_QUALITIES) for method in range(7)}


def _avifs() -> dict[str, Way]:
    return {
        f"AVIF {speed}": Way("AVIF", _pillow("AVIF", speed=speed, max_threads=1), AVIF_QUALITIES)
        for speed in range(6, 11)
    }
