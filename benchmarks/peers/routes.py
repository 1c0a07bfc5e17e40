"""One job by many ways: a thumbnail that fits 256×256 (WebP, quality 80) and the whole picture again at quality 80.

Each way is a function from the bytes of a file to (thumbnail, whole); the picture comes out upright and without private
metadata. Libraries are imported by the function that needs them: every way runs in a process of its own.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

Made = tuple[bytes, bytes]
QUALITY = 80
BOX = 256


def ours() -> Callable[[bytes], Made]:
    """The image core with its defaults: besides, it makes the placeholder, a SHA-256, and reads the capture facts."""
    from pipeline import freed_memory
    from pipeline.images.transform import transform

    # As the function and the workers of the bulk programs do when they start.
    freed_memory.keep()

    def work(data: bytes) -> Made:
        small, whole = transform(data).outputs
        return small.data, whole.data

    return work


def naive_pillow() -> Callable[[bytes], Made]:
    """What most programs do: open, transpose, copy, thumbnail, save with `optimize`."""
    from PIL import Image, ImageOps

    def work(data: bytes) -> Made:
        with Image.open(BytesIO(data)) as opened:
            form = opened.format
            image = ImageOps.exif_transpose(opened)
        thumbnail = image.copy()
        thumbnail.thumbnail((BOX, BOX), Image.Resampling.LANCZOS)
        small, whole = BytesIO(), BytesIO()
        thumbnail.save(small, "WEBP", quality=QUALITY)
        image.save(whole, form, quality=QUALITY, optimize=True)
        return small.getvalue(), whole.getvalue()

    return work


def pyvips() -> Callable[[bytes], Made]:
    """libvips as its manual says: `thumbnail_buffer` shrinks while it loads, the whole picture is streamed."""
    import pyvips as vips

    vips.cache_set_max(0)

    def work(data: bytes) -> Made:
        thumbnail = vips.Image.thumbnail_buffer(data, BOX, height=BOX, size="down")
        whole = vips.Image.new_from_buffer(data, "", access="sequential")
        if whole.get_typeof("orientation") and whole.get("orientation") > 1:
            # A picture that is turned is not read from its top to its foot.
            whole = whole.copy_memory()
        suffix = _SUFFIX[whole.get("vips-loader").partition("load")[0]]
        small = thumbnail.webpsave_buffer(Q=QUALITY, keep="none")
        parameters = {} if suffix == ".gif" else {"Q": QUALITY}
        return small, whole.autorot().write_to_buffer(suffix, keep="none", **parameters)

    return work


_SUFFIX = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "gif": ".gif"}


def opencv() -> Callable[[bytes], Made]:
    """OpenCV turns by EXIF while it decodes; the thumbnail is made by area."""
    import cv2
    import numpy

    def work(data: bytes) -> Made:
        suffix = _suffix(data)
        # It either turns by EXIF or keeps transparency.
        how = cv2.IMREAD_UNCHANGED if suffix == ".png" else cv2.IMREAD_COLOR
        image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), how)
        height, width = image.shape[:2]
        scale = min(1.0, BOX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        thumbnail = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        whole = cv2.imencode(suffix, image, _CV_QUALITY.get(suffix, []))[1]
        return cv2.imencode(".webp", thumbnail, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes(), whole.tobytes()

    # cv2's own numbers: 1 and 64 are the qualities of JPEG and WebP.
    _CV_QUALITY = {".jpg": [1, QUALITY], ".webp": [64, QUALITY]}
    cv2.setNumThreads(1)
    return work


def imagemagick() -> Callable[[bytes], Made]:
    """One run of ImageMagick's convert: its start counts, because there is no way to use it without."""

    def work(data: bytes) -> Made:
        with tempfile.TemporaryDirectory() as folder:
            small, whole = Path(folder, "small.webp"), Path(folder, f"whole{_suffix(data)}")
            aside = ["(", "+clone", "-thumbnail", f"{BOX}x{BOX}>", "-write", str(small), "+delete", ")"]
            command = ["convert", "-", "-auto-orient", "-strip", "-quality", str(QUALITY), *aside, str(whole)]
            # Qualities of PNG are compression levels there; this one is its default.
            command[5] = "75" if whole.suffix == ".png" else command[5]
            subprocess.run(command, input=data, check=True, capture_output=True)
            return small.read_bytes(), whole.read_bytes()

    return work


def _suffix(data: bytes) -> str:
    if data.startswith(b"\xff\xd8"):
        return ".jpg"
    if data.startswith(b"GIF8"):
        return ".gif"
    return ".png" if data.startswith(b"\x89PNG") else ".webp"


PYTHON: dict[str, Callable[[], Callable[[bytes], Made]]] = {
    "ours": ours,
    "naive Pillow": naive_pillow,
    "pyvips": pyvips,
    "OpenCV": opencv,
    "ImageMagick": imagemagick,
}
