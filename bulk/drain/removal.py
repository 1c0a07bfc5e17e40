"""Removal from S3, and what became of it: an answer may be lost although S3 did what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from bulk.drain.bucket import NULL_VERSION, Bucket
from bulk.drain.deletions import MOST_DELETED_AT_ONCE, Deletion, Refusal, Removed
from bulk.drain.listing import Candidate
from bulk.drain.outcomes import KeepError, Outcome
from bulk.patience import CREDENTIALS
from cli.aws_words import EXPIRED, FORBIDDEN, UNKNOWN
from pipeline.aws_errors import code_of
from pipeline.errors import RetryError

_ROUNDS = 5
_PAUSE = 0.5


@dataclass(frozen=True)
class End:
    """`outcome` is None where the object is removed, by us or by anybody; `again`: there is a new one to drain."""

    outcome: Outcome | None = None
    reason: str = ""
    again: bool = False
    marker: str | None = None
    is_denied: bool = False


def remove(bucket: Bucket, deletions: Sequence[Deletion], sleep: Callable[[float], object]) -> dict[Deletion, End]:
    """Remove what is still as it was verified. What is refused is looked at before it is concluded from."""
    ends: dict[Deletion, End] = {}
    left = list(deletions)
    for round_number in range(_ROUNDS):
        if not left:
            break
        if round_number:
            sleep(_PAUSE * 2**round_number)
        for start in range(0, len(left), MOST_DELETED_AT_ONCE):
            ends |= _remove(bucket, left[start : start + MOST_DELETED_AT_ONCE])
        left = [one for one in left if one not in ends]
    gave_up = End(Outcome.FAILED, "verified on disk, but S3 did not remove it")
    return {one: ends.get(one, gave_up) for one in deletions}


def refuses_everything(error: RetryError) -> bool:
    """Whether the credentials are at fault, so that every further call would end the same."""
    cause = error.__cause__
    if isinstance(cause, ClientError):
        return code_of(cause) in EXPIRED | UNKNOWN
    return isinstance(cause, CREDENTIALS)


def _remove(bucket: Bucket, deletions: Sequence[Deletion]) -> dict[Deletion, End]:
    """The ends that are known by now; those of which nothing is known are left out."""
    # S3 takes no condition with a version, and the one called null may have been replaced.
    ends = {one: end for one in deletions if one.version_id == NULL_VERSION and (end := _look(bucket, one))}
    rest = [one for one in deletions if one not in ends]
    try:
        answers = bucket.delete(rest) if rest else {}
    except RetryError as error:
        if refuses_everything(error):
            raise
        return ends | {one: end for one in rest if (end := _look(bucket, one))}
    for one, answer in answers.items():
        end = _end(bucket, one, answer)
        if end:
            ends[one] = end
    return ends


def _end(bucket: Bucket, deletion: Deletion, answer: Removed | Refusal) -> End | None:
    if isinstance(answer, Removed):
        return End(marker=answer.marker)
    if answer.code in FORBIDDEN:
        reason = f"verified on disk, but these credentials may not remove it: {answer.message or answer.code}"
        return End(Outcome.FAILED, reason, is_denied=True)
    return _look(bucket, deletion)


def _look(bucket: Bucket, deletion: Deletion) -> End | None:
    """None: it is still there and still the same, so it is to be removed once more."""
    try:
        if deletion.is_marker:
            return None if bucket.has_marker(deletion.key, deletion.version_id or "") else End()
        facts = bucket.head(_candidate(deletion))
    except RetryError as error:
        if refuses_everything(error):
            raise
        return None
    except KeepError as error:
        return End(error.outcome, error.reason)
    if facts is None:
        return End()
    if facts.etag != deletion.etag:
        return End(Outcome.CHANGED, "overwritten after it was fetched", again=True)
    return None


def _candidate(deletion: Deletion) -> Candidate:
    from datetime import UTC, datetime

    return Candidate(deletion.key, 0, deletion.etag, datetime.now(UTC), deletion.version_id)
