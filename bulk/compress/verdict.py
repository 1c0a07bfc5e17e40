"""What an error says of an image: passed over, left as it is, to be tried again, or the end of the whole run."""

from __future__ import annotations

import traceback
from functools import partial

from botocore.exceptions import ClientError

from bulk.compress.options import Options
from bulk.compress.outcome import Done, Outcome
from bulk.compress.story import Story
from bulk.csv_rows import Row
from bulk.patience import CREDENTIALS
from cli.aws_words import EXPIRED, UNKNOWN
from cli.exits import explain
from pipeline.aws_errors import code_of
from pipeline.errors import Code, RejectError, RetryError, SkipError
from pipeline.objects import is_archived


def verdict(error: Exception, row: Row, story: Story, options: Options) -> Done:
    """How the image of `row` ended, of which `process` raised `error`."""
    ended = partial(Done, line=row.line, key=row.key)
    if isinstance(error, SkipError):
        return ended(outcome=_skipped(error, story), reason=error.reason, code=error.code or "")
    if isinstance(error, RejectError):
        return ended(outcome=_rejected(error, story, options), reason=error.reason, code=error.code)
    if not isinstance(error, RetryError):
        story.say("".join(traceback.format_exception(error)), "ERROR")
        return ended(outcome=Outcome.RETRY, reason=f"a bug: {error!r}")
    if is_archived(error):
        return ended(outcome=Outcome.UNCHANGED, reason="it lies in an archive, and has to be restored to be read")
    said = code_of(error.__cause__) if isinstance(error.__cause__, ClientError) else ""
    # Credentials that are no longer any good: every other image would meet the same.
    over = said in EXPIRED | UNKNOWN or isinstance(error.__cause__, CREDENTIALS)
    return ended(outcome=Outcome.RETRY, reason=error.reason, stop=explain(error) if over else None)


def tell(done: Done, story: Story) -> None:
    """The last line about an image."""
    if done.outcome is Outcome.COMPRESSED and story.before and story.after is not None:
        story.say(f"Compressed {done.key}: {100 * (story.before - story.after) / story.before:.1f} % saved")
    elif done.outcome in (Outcome.ALREADY, Outcome.UNCHANGED) and not done.code:
        story.say(f"Left {done.key} as it is: {done.reason}")
    elif done.outcome is Outcome.RETRY:
        story.say(f"Could not finish {done.key}, to be tried again: {done.reason}", "WARNING")
    elif done.code:
        level = "ERROR" if done.outcome is Outcome.FAILED else "WARNING"
        story.say(f"[{done.code}] {done.key}: {done.reason}", level)
    elif done.reason:
        story.say(f"{done.key}: {done.reason}", "ERROR")


def _skipped(skip: SkipError, story: Story) -> Outcome:
    if skip.code is Code.FILE_DELETED:
        return Outcome.IGNORED
    return Outcome.ALREADY if story.was_done else Outcome.UNCHANGED


def _rejected(reject: RejectError, story: Story, options: Options) -> Outcome:
    """What is no good image is passed over; that ours came out empty, or an early end if so wished, is a failure."""
    ours_is_empty = reject.code is Code.INVALID_CONTENT and bool(story.before)
    ends_early = reject.code is Code.TRUNCATED_IMAGE and not options.ignore_trunc
    return Outcome.FAILED if ours_is_empty or ends_early else Outcome.IGNORED
