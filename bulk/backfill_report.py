"""What a backfill did, or would do and what that costs, as a table or as one JSON object."""

from __future__ import annotations

from decimal import Decimal

from bulk.backfill_choice import Fate, Tally
from cli import console
from cli.cost import PRICES_OF, Estimate, backfill_estimate, dollars
from pipeline.images.variants import Variants

_MEANINGS = {
    Fate.SENT: "sent to the queue",
    Fate.DONE: "done already with these options",
    Fate.FAILED: "failed before, and are the same since: --failed sends them again",
    Fate.NOT_FAILED: "not failed",
    Fate.ARCHIVED: "in an archive, where S3 reads nothing: restore them first",
    Fate.GONE: "deleted, and nothing of them is left",
}


def print_tally(tally: Tally, variants: Variants, *, bucket: str, is_dry_run: bool, as_json: bool) -> None:
    """Print the result; a dry run gets an estimate for AWS, wherever it was made."""
    if as_json:
        console.json_line(_facts(tally, variants, bucket, is_dry_run))
        return
    rows = [(_meaning(fate, is_dry_run), f"{tally.fates[fate]:,}") for fate in Fate if tally.fates[fate]]
    rows.append(("bytes to read" if is_dry_run else "bytes of these", console.byte_size(tally.bytes)))
    console.table(("Objects", "Count"), rows, right=("Count",))
    if is_dry_run:
        _print_cost(tally, variants)
    elif tally.sent:
        console.say("The function works on them now: `python status.py --watch` shows how far it is")


def _meaning(fate: Fate, is_dry_run: bool) -> str:
    return "would be sent to the queue" if is_dry_run and fate is Fate.SENT else _MEANINGS[fate]


def _facts(tally: Tally, variants: Variants, bucket: str, is_dry_run: bool) -> dict[str, object]:
    facts: dict[str, object] = {"bucket": bucket, "dry_run": is_dry_run, "listed": tally.listed}
    facts |= {fate.name.lower(): tally.fates[fate] for fate in Fate}
    facts["bytes"] = tally.bytes
    if is_dry_run:
        found = _estimate(tally, variants)
        facts["cost"] = {line.what: float(round(line.dollars, 4)) for line in found.lines}
        facts |= {"total": float(round(found.total, 4)), "prices": PRICES_OF}
    return facts


def _estimate(tally: Tally, variants: Variants) -> Estimate:
    return backfill_estimate(tally.sent, Decimal(tally.bytes) / 1_000_000, tally.listed, variants)


def _print_cost(tally: Tally, variants: Variants) -> None:
    found = _estimate(tally, variants)
    rows = [(line.what, line.how, dollars(line.dollars)) for line in found.lines]
    rows.append(("Total", "", dollars(found.total)))
    console.table(("", "Because of", "On AWS"), rows, right=("On AWS",), title="What sending them costs on AWS")
    console.say(f"List prices of {PRICES_OF}, no free tier; outputs, records and logs are stored for one month in this")
