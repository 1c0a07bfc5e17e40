"""The steps into which a JPEG of ours rounds its coefficients."""

from __future__ import annotations

import math
from functools import cache


def _table(lowest: float, highest: float, width: float, slope: float) -> tuple[int, ...]:
    """64 steps of quality 50, row by row: from `lowest` to `highest` with the distance from the mean colour.

    Small steps for slow changes, which smooth skies need, and nearly the same one for all fine ones. The shape and its
    numbers are fitted by us, to bytes at equal SSIMULACRA2: docs/decisions/jpeg-route.md.
    """
    distances = (math.hypot(x, y) for y in range(8) for x in range(8))
    rises = (1 - math.exp(-((distance / width) ** slope)) for distance in distances)
    return tuple(round(lowest + (highest - lowest) * rise) for rise in rises)


_LUMA = _table(13, 50, 3.25, 2)
_CHROMA = _table(10, 45, 2.5, 1.5)


@cache
def quantisation(quality: int) -> tuple[list[int], list[int]]:
    """Luma and chroma table for a quality of 1–100, by libjpeg's `jpeg_quality_scaling` and `jpeg_add_quant_table`.

    https://github.com/libjpeg-turbo/libjpeg-turbo/blob/main/src/jcparam.c; values stay in 1–255, as baseline needs.
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = ([min(255, max(1, (step * percent + 50) // 100)) for step in table] for table in (_LUMA, _CHROMA))
    return luma, chroma
