"""How far a backfill has come: kept with what is known of the deployment, so that it goes when the deployment goes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass

from bulk.backfill_choice import Tally

#: Its key among the resources of a deployment.
KEY = "backfill"


@dataclass(frozen=True)
class Checkpoint:
    """The place of one kind of run in `resources`; another kind (`purpose`) neither sees it nor goes on from it."""

    resources: MutableMapping[str, str]
    purpose: str

    def load(self) -> tuple[str, Tally]:
        """(the last key that was decided on, what was counted until then); "" where the run begins."""
        kept = json.loads(self.resources.get(KEY, "{}"))
        if kept.get("purpose") != self.purpose:
            return "", Tally()
        return kept["after"], Tally(Counter(kept["fates"]), kept["bytes"])

    def save(self, after: str, tally: Tally) -> None:
        """Everything up to the key `after` has been decided on, and what had to be sent has been sent."""
        kept = {"purpose": self.purpose, "after": after, "fates": dict(tally.fates), "bytes": tally.bytes}
        self.resources[KEY] = json.dumps(kept)

    def clear(self) -> None:
        """The run has come to its end: the next one begins anew."""
        self.resources.pop(KEY, None)
