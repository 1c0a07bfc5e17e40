"""What a month costs on AWS: pure arithmetic on one table of prices and one of assumptions.

Nothing costs money while nothing is uploaded or looked at, but for what is stored and the queue's being asked for
messages; both are lines of the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from cli.variant_cost import Added, added
from pipeline.images.variants import Variants
from pipeline.settings import DEFAULT_PRICE

#: List prices of us-east-1 without any free tier; the newest of them are those of DynamoDB, of November 2024.
PRICES_OF = "us-east-1, November 2024"
_MILLION = Decimal(1_000_000)
PRICES = {
    "S3 writing requests": Decimal("5.00") / _MILLION,
    "S3 reading requests": Decimal("0.40") / _MILLION,
    "S3 storage, GB-month": DEFAULT_PRICE,
    "SQS requests": Decimal("0.40") / _MILLION,
    "Lambda requests": Decimal("0.20") / _MILLION,
    "Lambda, GB-second on arm64": Decimal("0.0000133334"),
    "Lambda, GB-second of a snapshot": Decimal("0.0000015046"),
    "DynamoDB writes": Decimal("0.625") / _MILLION,
    "DynamoDB reads": Decimal("0.125") / _MILLION,
    "DynamoDB storage, GB-month": Decimal("0.25"),
    "Logs, GB": Decimal("0.50"),
    "Data to the internet, GB": Decimal("0.09"),
    "Alarm, month": Decimal("0.10"),
    "Dashboard, month": Decimal("3.00"),
}

#: CPU time of both outputs (benchmarks/image_core.py), and bytes of a compressed photo for one of its original
#: (benchmarks/image_peers.py).
MS_PER_MEGAPIXEL = Decimal(20)
COMPRESSED_SHARE = Decimal("0.48")
#: A phone's photo of 12 megapixels has about 4 MB.
MEGAPIXELS_PER_MB = Decimal(3)
#: Not measured on AWS: some 25 ms for each of the six calls that an image waits for.
WAITING_MS = Decimal(150)
COUNTING_MS = Decimal(50)
FUNCTION_GB = Decimal(1792) / 1024
SMALL_FUNCTION_GB = Decimal(512) / 1024
THUMBNAIL_MB = Decimal("0.01")
RECORD_GB = Decimal("0.0000035")  # 3.5 kB: the item, two index entries and their overhead
LOG_GB = Decimal("0.0000015")
#: Lambda asks the queue with five pollers for 20 s each, the whole month, whether messages come or not.
IDLE_POLLS = 5 * 3 * 60 * 24 * 30
_NONE = Variants()


@dataclass(frozen=True)
class Line:
    """One line of the estimate: what for, how it comes about, and dollars a month."""

    what: str
    how: str
    dollars: Decimal


@dataclass(frozen=True)
class Estimate:
    """All lines of one month, and what compressing the originals would save of their storage."""

    lines: tuple[Line, ...]
    saved: Decimal

    @property
    def total(self) -> Decimal:
        return sum((line.dollars for line in self.lines), Decimal(0))

    @property
    def idle(self) -> Decimal:
        """What a month costs in which nothing happens and nothing is stored."""
        return IDLE_POLLS * PRICES["SQS requests"]


def estimate(images: int, megabytes: Decimal, variants: Variants = _NONE) -> Estimate:
    """The first month in which `images` of `megabytes` each are uploaded, and every thumbnail is looked at once."""
    count, more = Decimal(images), added(variants, MEGAPIXELS_PER_MB * megabytes)
    originals, made = count * megabytes / 1000, count * _made(megabytes, more) / 1000
    lines = (*_requests(count, more), *_compute(count, megabytes, more), *_kept(count, originals, made, more))
    lines += _gallery(count)
    compressed = count * megabytes * COMPRESSED_SHARE / 1000
    return Estimate(lines, (originals - compressed) * PRICES["S3 storage, GB-month"])


def backfill_estimate(images: int, megabytes: Decimal, listed: int, variants: Variants = _NONE) -> Estimate:
    """Sending `images`, which have `megabytes` together, to the function out of `listed` objects of a bucket.

    The originals are there already: only what is made of them is new, and stored for a month.
    """
    count, each = Decimal(images), megabytes / images if images else Decimal(0)
    more = added(variants, MEGAPIXELS_PER_MB * each)
    kept = _kept(count, Decimal(0), count * _made(each, more) / 1000, more)[1:]
    return Estimate(
        (*_finding(Decimal(listed)), *_sending(count, more), *_compute(count, each, more), *kept), Decimal(0)
    )


def dollars(amount: Decimal) -> str:
    """`$1.23`; an amount that is there and would round to nothing is `<$0.01`."""
    rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return "<$0.01" if amount > 0 and not rounded else f"${rounded:,}"


def _made(megabytes: Decimal, more: Added) -> Decimal:
    """Megabytes of all that is made of one image."""
    return megabytes * COMPRESSED_SHARE + THUMBNAIL_MB + more.megabytes


def _outputs(more: Added) -> str:
    return f"two outputs and {more.outputs} variants" if more.outputs else "two outputs"


def _requests(count: Decimal, more: Added) -> tuple[Line, ...]:
    writing = (3 + more.outputs) * count * PRICES["S3 writing requests"]
    return (
        Line("S3 writing", f"the upload, {_outputs(more)}" if more.outputs else "the upload and two outputs", writing),
        Line("S3 reading", "the original, and one look after it", 2 * count * PRICES["S3 reading requests"]),
        Line("Queue", "sent, received, deleted", 3 * count * PRICES["SQS requests"]),
        Line("Queue, idle", "Lambda asks for messages day and night", IDLE_POLLS * PRICES["SQS requests"]),
    )


def _finding(listed: Decimal) -> tuple[Line, ...]:
    return (
        Line("Listing", "a thousand objects a request", listed / 1000 * PRICES["S3 writing requests"]),
        Line("Table, looking", "the record of each object", listed * PRICES["DynamoDB reads"]),
    )


def _sending(count: Decimal, more: Added) -> tuple[Line, ...]:
    return (
        Line("S3 writing", _outputs(more), (2 + more.outputs) * count * PRICES["S3 writing requests"]),
        Line("S3 reading", "the original, and one look after it", 2 * count * PRICES["S3 reading requests"]),
        Line("Queue", "sent in tens, received, deleted", Decimal("2.1") * count * PRICES["SQS requests"]),
    )


def _compute(count: Decimal, megabytes: Decimal, more: Added) -> tuple[Line, ...]:
    ms = MS_PER_MEGAPIXEL * MEGAPIXELS_PER_MB * megabytes + WAITING_MS + more.ms
    second = PRICES["Lambda, GB-second on arm64"]
    call = PRICES["Lambda requests"]
    counting = count * (call + COUNTING_MS / 1000 * SMALL_FUNCTION_GB * second)
    processing = count * (call + ms / 1000 * FUNCTION_GB * second)
    return (
        Line("Function", f"{ms:.0f} ms an image at 1,792 MB, one image a call", processing),
        Line("Totals", f"{COUNTING_MS} ms a change at 512 MB", counting),
    )


def _kept(count: Decimal, originals: Decimal, made: Decimal, more: Added) -> tuple[Line, ...]:
    storage = PRICES["S3 storage, GB-month"]
    # The item and its entry in two indexes, of 1 to 2 kB each; totals and a marker, twice since they are a transaction.
    writes, reads = count * (2 + 4 + 4 + more.kilobytes), count
    items = count * (RECORD_GB + more.kilobytes / 1_000_000)
    table = writes * PRICES["DynamoDB writes"] + reads * PRICES["DynamoDB reads"]
    return (
        Line("Originals", f"{originals:.1f} GB for a month", originals * storage),
        Line("Outputs", f"{made:.1f} GB for a month", made * storage),
        Line("Table, requests", "record, indexes and totals", table),
        Line("Table, storage", "items with their indexes", items * PRICES["DynamoDB storage, GB-month"]),
        Line("Logs", "kept for 14 days", count * LOG_GB * PRICES["Logs, GB"]),
    )


def _gallery(count: Decimal) -> tuple[Line, ...]:
    traffic = count * THUMBNAIL_MB / 1000 * PRICES["Data to the internet, GB"]
    return (Line("Gallery", "every thumbnail once", count * PRICES["S3 reading requests"] + traffic),)
