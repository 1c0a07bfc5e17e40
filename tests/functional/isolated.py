"""A child that decodes an image, with little time and memory and a decoder that means no good."""

from __future__ import annotations

import pytest

from pipeline.errors import RejectError
from pipeline.images.child import Budget
from pipeline.images.isolate import transform_isolated
from pipeline.images.options import ImageOptions
from pipeline.images.transform import Transformed
from tests import images

SHORT = Budget(cpu_seconds=1, seconds=2.0, memory=300_000_000)
ONLY_FACTS = ImageOptions(outputs=())

BLOCK = images.exif(orientation=6, taken="2024:05:01 10:20:30", offset="+02:00", model="X\u00e9100", rights=True)
PICTURES = {
    "JPEG": images.jpeg(private=True, exif=BLOCK),
    "PNG": images.png(images.photo((300, 200), "RGBA")),
    "one pixel": images.png(images.photo((1, 1))),
}


def hostile(name: str, data: bytes = b"x", options: ImageOptions = ONLY_FACTS, budget: Budget = SHORT) -> Transformed:
    return transform_isolated(data, options, work=f"tests.hostile_decoders:{name}", budget=budget)


def refused(name: str, data: bytes = b"x", options: ImageOptions = ONLY_FACTS) -> RejectError:
    with pytest.raises(RejectError) as caught:
        hostile(name, data, options)
    return caught.value
