"""All records of the table, counted by outcome and added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.table.counting import VARIANT_BYTES, VARIANTS, variants_in, whole_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ATTRIBUTES = "Outcome, ErrorCode, OriginalBytes, CompressedBytes, Outputs"


@dataclass
class Totals:
    """The records, counted by outcome, and the failed ones by code. Bytes are of images that are done."""

    images: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    bytes_before: int = 0
    bytes_after: int = 0
    variants: int = 0
    variant_bytes: int = 0

    def add(self, item: dict[str, Any]) -> None:
        """Count one record."""
        self.images += 1
        self.outcomes[str(item.get("Outcome"))] += 1
        if "ErrorCode" in item:
            self.codes[str(item["ErrorCode"])] += 1
        variants = variants_in(item)
        self.variants += variants[VARIANTS]
        self.variant_bytes += variants[VARIANT_BYTES]
        before, after = whole_number(item.get("OriginalBytes")), whole_number(item.get("CompressedBytes"))
        if before is not None and after is not None:
            self.bytes_before += before
            self.bytes_after += after


def count(dynamodb: DynamoDBClient, table: str) -> Totals:
    """The totals of all records, read from an index, which holds less than the table."""
    from pipeline.table.items import NEWEST_INDEX
    from pipeline.table.records import read_index

    totals = Totals()
    for item in read_index(dynamodb, table, NEWEST_INDEX, "Feed", _ATTRIBUTES):
        totals.add(item)
    return totals
