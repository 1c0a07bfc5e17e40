"""What became of each image, as a table or as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from cli import console
from pipeline.table.counting import whole_number
from setup_scripts.sending import Item, Way

#: Outcomes that no record has: the upload failed here, no result came, none was waited for.
NOT_SENT = "NOT SENT"
NO_RESULT = "NO RESULT"
SENT = "SENT"
_FAILED = {"FAILED", NOT_SENT, NO_RESULT}


@dataclass(frozen=True, kw_only=True)
class ImageResult:
    """One line of the table; `saved_percent` is negative where the compressed image grew."""

    image: str
    outcome: str
    way: str = ""
    bytes_before: int | None = None
    bytes_after: int | None = None
    saved_percent: float | None = None
    code: str | None = None
    reason: str | None = None
    thumbnail_url: str | None = None
    compressed_url: str | None = None

    @property
    def is_failed(self) -> bool:
        return self.outcome in _FAILED

    @classmethod
    def from_record(cls, key: str, way: Way, item: Item) -> ImageResult:
        saved = item.get("SavedPercent")
        return cls(
            image=key,
            outcome=str(item.get("Outcome")),
            way=way.value,
            bytes_before=whole_number(item.get("OriginalBytes")),
            bytes_after=whole_number(item.get("CompressedBytes")),
            saved_percent=float(saved) if isinstance(saved, Decimal) else None,
            code=item.get("ErrorCode"),
            reason=item.get("ErrorMessage"),
            thumbnail_url=item.get("ThumbnailURL"),
            compressed_url=item.get("CompressedURL"),
        )


def print_results(results: Sequence[ImageResult], *, as_json: bool) -> None:
    """The table on stdout; then, on stderr, one line for each image that failed, with code and reason."""
    with console.heard_or_not():
        if as_json:
            for result in results:
                console.json_line(asdict(result))
        elif results:
            columns = ("Image", "Before", "After", "Saved", "Outcome")
            console.table(columns, map(_row, results), right=columns[1:4])
    for result in results:
        if result.is_failed:
            console.say(f"{result.image}: {result.code or result.outcome}: {result.reason or 'no reason given'}")
    console.say(_summary(results))


def _row(result: ImageResult) -> tuple[str, ...]:
    saved = "" if result.saved_percent is None else f"{result.saved_percent:.1f} %"
    outcome = f"{result.outcome} {result.code}" if result.code else result.outcome
    unchanged = " (unchanged)" * (result.way == Way.UNCHANGED.value)
    return (result.image, _size(result.bytes_before), _size(result.bytes_after), saved, outcome + unchanged)


def _size(count: int | None) -> str:
    return "" if count is None else console.byte_size(count)


def _summary(results: Sequence[ImageResult]) -> str:
    failed = sum(result.is_failed for result in results)
    pairs = [(one.bytes_before, one.bytes_after) for one in results if one.bytes_before and one.bytes_after]
    before, after = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    text = f"{len(results)} images, {failed} failed"
    if before:
        saved = 100 * (before - after) / before
        text += f"; {console.byte_size(before)} became {console.byte_size(after)}, {saved:.1f} % saved"
    return text
