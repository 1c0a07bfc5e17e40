"""What a change of a record changes in the totals. Pure: no I/O.

Every number is a plain sum over the records, so the totals follow from the changes alone, in whatever order and however
grouped they are added. Records may hold anything: users write to the table too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from pipeline.images.options import ImageOptions

IMAGES = "Images"
PROBLEMS = "Problems"
BYTES_BEFORE = "BytesBefore"
BYTES_AFTER = "BytesAfter"
VARIANTS = "Variants"
VARIANT_BYTES = "VariantBytes"
FORMAT = "Format_"
MONTH = "Month_"

#: Bytes in the unit in which storage is sold.
GIGABYTE = 10**9
_FORMAT = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)
#: No calendar has a year 0.
_MONTH = re.compile(r"((?!0000)\d{4}-(?:0[1-9]|1[0-2]))-\d\dT", re.ASCII)
_LARGEST = 10**15
#: What every image has; all other outputs are variants.
#: Not a set: a user may have written what cannot be looked up in one.
_ALWAYS_MADE = tuple(name for name, _ in ImageOptions().outputs)

Item = Mapping[str, Any]
Counts = Counter[str]


@dataclass(frozen=True)
class Change:
    """One change of an item, as the table's stream tells it; None: there was no item before, or is none after."""

    event_id: str
    before: Item | None
    after: Item | None

    @cached_property
    def counts(self) -> Counts:
        """What to add to the totals; empty where the change does not touch them."""
        counts = counts_of(self.after)
        counts.subtract(counts_of(self.before))
        return Counter({name: number for name, number in counts.items() if number})


def counts_of(item: Item | None) -> Counts:
    """What one item adds to the totals; nothing, where it is no record of an image."""
    counts: Counts = Counter()
    if not item or not isinstance(item.get("ProcessedAt"), str) or item.get("Outcome") not in ("DONE", "FAILED"):
        return counts
    if item["Outcome"] == "FAILED":
        counts[PROBLEMS] = 1
    else:
        counts[IMAGES] = 1
        before, after = whole_number(item.get("OriginalBytes")), whole_number(item.get("CompressedBytes"))
        if before is not None and after is not None:
            counts.update({BYTES_BEFORE: before, BYTES_AFTER: after})
        counts.update(variants_in(item))
    image_format = item.get("ImageFormat")
    if isinstance(image_format, str) and _FORMAT.fullmatch(image_format):
        counts[FORMAT + image_format] = 1
    month = _MONTH.match(item["ProcessedAt"])
    if month:
        counts[MONTH + month[1]] = 1
    return counts


def variants_in(item: Item) -> Counts:
    """How many outputs an item lists besides the two that are always made, and their bytes; empty where none."""
    counts: Counts = Counter()
    outputs = item.get("Outputs")
    for output in outputs if isinstance(outputs, list) else ():
        size = whole_number(output.get("OutputBytes")) if isinstance(output, Mapping) else None
        if size is not None and output.get("OutputName") not in _ALWAYS_MADE:
            counts.update({VARIANTS: 1, VARIANT_BYTES: size})
    return counts


def whole_number(value: object) -> int | None:
    """The number that an attribute holds, or None: users write to the table, too."""
    if not isinstance(value, Decimal) or value != value.to_integral_value() or not 0 <= value <= _LARGEST:
        return None
    return int(value)


@dataclass(frozen=True)
class Totals:
    """The sums over all records."""

    counts: Mapping[str, int] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """As the API shows them: images that are done, problems, bytes of the done ones, and records by kind."""
        before, after = self._count(BYTES_BEFORE), self._count(BYTES_AFTER)
        return {
            "images": self._count(IMAGES),
            "problems": self._count(PROBLEMS),
            "original_bytes": before,
            "compressed_bytes": after,
            "saved_bytes": before - after,
            "variants": self._count(VARIANTS),
            "variant_bytes": self._count(VARIANT_BYTES),
            "formats": self._by(FORMAT),
            "months": self._by(MONTH),
        }

    def price(self, per_gb_month: Decimal) -> dict[str, float]:
        """What the saved bytes would cost each month, in the currency of the price."""
        saved = self._count(BYTES_BEFORE) - self._count(BYTES_AFTER)
        return {
            "price_per_gb_month": float(per_gb_month),
            "saved_per_month": round(float(Decimal(saved) / GIGABYTE * per_gb_month), 6),
        }

    def _count(self, name: str) -> int:
        return max(0, self.counts.get(name, 0))

    def _by(self, kind: str) -> dict[str, int]:
        found = {name.removeprefix(kind): number for name, number in self.counts.items() if name.startswith(kind)}
        return {name: number for name, number in sorted(found.items()) if number > 0}
