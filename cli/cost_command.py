"""`python status.py --cost`: what a month would cost, from numbers alone. It reaches no cloud."""

from __future__ import annotations

from decimal import Decimal

from cli import console, exits
from cli.cost import COMPRESSED_SHARE, PRICES_OF, dollars, estimate
from pipeline.images.variants import Variants


def print_cost(images: int, megabytes: Decimal, variants: Variants, *, as_json: bool) -> int:
    """Draw the estimate for `images` a month of `megabytes` each; returns the exit code."""
    found = estimate(images, megabytes, variants)
    if as_json:
        lines = {line.what: float(round(line.dollars, 4)) for line in found.lines}
        facts = {"images": images, "megabytes": float(megabytes), "prices": PRICES_OF, "lines": lines}
        total, saved, idle = (float(round(amount, 4)) for amount in (found.total, found.saved, found.idle))
        console.json_line({**facts, "total": total, "saved": saved, "idle": idle})
        return exits.Exit.DONE
    rows = [(line.what, line.how, dollars(line.dollars)) for line in found.lines]
    title = f"A month with {images:,} images of {megabytes} MB"
    console.table(
        ("", "Because of", "A month"), [*rows, ("Total", "", dollars(found.total))], right=("A month",), title=title
    )
    console.say(f"List prices of {PRICES_OF}, no free tier; every further month stores the same again")
    share = f"{100 * (1 - COMPRESSED_SHARE):.0f} %"
    console.say(f"Keeping the compressed images only would save {dollars(found.saved)} of storage a month ({share})")
    return exits.Exit.DONE
