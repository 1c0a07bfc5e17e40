"""Where the output of an image lies below OUT_KEY, without the extension, which its format decides."""

from __future__ import annotations

import hashlib

from pipeline.batch.settings import BatchSettings, Layout
from pipeline.job import S3Source
from pipeline.keys import HASHED, LONGEST_EXTENSION, MAX_KEY_BYTES

CAMERAS = ("left", "right", "front")
OTHERS = "others"


def output_place(settings: BatchSettings, source: S3Source) -> str:
    """`OUT_KEY/[left|right|front|others/]<bucket>/<key>`; with the layout "basename", the stem of the name alone.

    In the full layout two sources never share a place; with "basename" they may, and then the second one fails.
    """
    name = source.key.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    camera = f"{_camera(stem)}/" if settings.divide_camera_wise else ""
    folder = f"{settings.out_key}/{camera}" if settings.out_key else camera
    if settings.layout is Layout.BASENAME:
        return f"{folder}{stem}"
    place = f"{folder}{source.bucket}/{source.key}"
    if len(place.encode()) + LONGEST_EXTENSION > MAX_KEY_BYTES or source.key.startswith(HASHED):
        return f"{folder}{source.bucket}/{HASHED}{hashlib.sha256(source.key.encode()).hexdigest()}"
    return place


def _camera(stem: str) -> str:
    return next((camera for camera in CAMERAS if stem.lower().endswith(f"_{camera}")), OTHERS)
