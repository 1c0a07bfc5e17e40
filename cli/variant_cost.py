"""What variants add to one image: outputs, CPU time, bytes in S3 and in the record. From benchmarks/variants.py."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pipeline.images.variants import Variants

#: For a megapixel that is written: milliseconds of CPU, and megabytes.
MS = {"WEBP": Decimal(90), "AVIF": Decimal(70)}
MEGABYTES = {"WEBP": Decimal("0.15"), "AVIF": Decimal("0.10")}
#: For a megapixel of the original, which is read once more.
SHRINKING_MS = Decimal(14)
#: Waiting for S3 to take one output; not measured on AWS.
PUT_MS = Decimal(25)
#: One entry of `Outputs`, in a record and in each of its two indexes.
ENTRY_KB = Decimal("0.35")
COPIES = 3


@dataclass(frozen=True)
class Added:
    """For one image: how many `outputs`, `ms` of the function, `megabytes` in S3, and `kilobytes` of table."""

    outputs: int = 0
    ms: Decimal = Decimal(0)
    megabytes: Decimal = Decimal(0)
    kilobytes: Decimal = Decimal(0)


def added(variants: Variants, megapixels: Decimal) -> Added:
    """For a photo, three by four, that has so many megapixels; it is never enlarged, and no size comes twice."""
    if not variants.formats:
        return Added()
    width = int((megapixels * 1_000_000 * 4 / 3).sqrt())
    sizes = {min(wanted, width) for wanted in variants.widths}
    written = sum((Decimal(size * size) * 3 / 4 / 1_000_000 for size in sizes), Decimal(0))
    count = len(sizes) * len(variants.formats)
    return Added(
        outputs=count,
        ms=SHRINKING_MS * megapixels + sum(MS[form] * written for form in variants.formats) + PUT_MS * count,
        megabytes=sum((MEGABYTES[form] * written for form in variants.formats), Decimal(0)),
        kilobytes=COPIES * ENTRY_KB * count,
    )
