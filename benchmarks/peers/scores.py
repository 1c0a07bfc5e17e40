"""SSIMULACRA2, and how many bytes an encoder takes for a score that another one reached."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

#: (bytes, score) of one picture at one quality.
Point = tuple[int, float]


def ssimulacra2(original: Path, data: bytes) -> float:
    """100: no difference can be seen; 90: hardly, side by side; 70: good; 50: middling."""
    from ssimulacra2 import compute_ssimulacra2

    with tempfile.TemporaryDirectory() as folder:
        decoded = Path(folder, "decoded.png")
        with Image.open(BytesIO(data)) as image:
            ImageOps.exif_transpose(image).convert("RGB").save(decoded, compress_level=0)
        return float(compute_ssimulacra2(str(original), str(decoded)))


def bytes_at(score: float, points: Sequence[Point]) -> float:
    """Bytes for `score` between measured points, on a line of their logarithms; nan beyond the points."""
    ordered = sorted(points, key=lambda point: point[1])
    for (few, low), (many, high) in zip(ordered, ordered[1:], strict=False):
        if low <= score <= high:
            share = (score - low) / (high - low) if high > low else 0.0
            return math.exp(math.log(few) + share * (math.log(many) - math.log(few)))
    return math.nan
