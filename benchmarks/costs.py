"""Dollars for a million images, from requests counted and time measured, by the table of `status.py --cost`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from cli.cost import COUNTING_MS, FUNCTION_GB, LOG_GB, PRICES, SMALL_FUNCTION_GB

MILLION = 1_000_000
#: What each kind of request is called in the table of prices.
KINDS = {
    "S3 writes": "S3 writing requests",
    "S3 reads": "S3 reading requests",
    "SQS": "SQS requests",
    "DynamoDB writes": "DynamoDB writes",
    "DynamoDB reads": "DynamoDB reads",
    "Lambda": "Lambda requests",
}


def per_million(requests: Mapping[str, float], function_ms: float) -> dict[str, float]:
    """`requests` of each of `KINDS` and milliseconds of the function, for one image; the upload counts as well.

    Totals, which a function of their own counts, are taken as `status.py --cost` does: a call for each image.
    """
    found = {kind: float(PRICES[price]) * requests.get(kind, 0.0) * MILLION for kind, price in KINDS.items()}
    second = PRICES["Lambda, GB-second on arm64"] * MILLION
    found["Lambda time"] = float(Decimal(function_ms) / 1000 * FUNCTION_GB * second)
    found["Totals"] = float(PRICES["Lambda requests"] * MILLION + COUNTING_MS / 1000 * SMALL_FUNCTION_GB * second)
    found["Logs"] = float(LOG_GB * PRICES["Logs, GB"] * MILLION)
    return {name: round(amount, 2) for name, amount in found.items()}
