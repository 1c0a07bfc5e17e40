"""What the drainer concludes from S3's answers that an emulator does not give."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bulk.drain.bucket import Bucket
from bulk.drain.deletions import Deletion
from bulk.drain.listing import Listing
from bulk.drain.removal import remove


class Answering(Bucket):
    """S3 that refuses once to delete a marker, answers 405 where that is asked for, and then deletes it."""

    def __init__(self) -> None:
        self.name = "bucket"
        self._s3: Any = self
        self._reader: Any = self
        self.there, self.refusals = True, 1

    def delete_objects(self, **request: Any) -> dict[str, Any]:
        [one] = request["Delete"]["Objects"]
        if self.refusals:
            self.refusals -= 1
            return {"Errors": [{**one, "Code": "InternalError", "Message": "once more"}]}
        self.there = False
        return {"Deleted": [one]}

    def get_object(self, key: str, **_: Any) -> dict[str, Any]:
        status = 405 if self.there else 404
        answer: Any = {"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "GetObject")


def test_a_marker_that_s3_did_not_remove_is_removed_once_more():
    bucket = Answering()
    marker = Deletion("a", "", "v1")

    [end] = remove(bucket, [marker], lambda seconds: None).values()

    assert end.outcome is None and not bucket.there


WHOLE = {"Status": "Enabled", "Expiration": {"Days": 30}}


@pytest.mark.parametrize(
    ("rule", "expires"),
    [
        ({**WHOLE, "Filter": {"Prefix": "quarantine/"}}, True),
        ({**WHOLE, "Filter": {}}, True),
        ({**WHOLE, "Prefix": ""}, True),
        ({**WHOLE, "Filter": {"Prefix": "logs/"}}, False),
        ({**WHOLE, "Filter": {"Tag": {"Key": "a", "Value": "b"}}}, False),
        ({**WHOLE, "Filter": {"And": {"Prefix": "", "Tags": []}}}, False),
        ({**WHOLE, "Filter": {"Prefix": ""}, "Status": "Disabled"}, False),
        ({"Status": "Enabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}}, False),
    ],
)
def test_only_a_rule_for_all_below_the_prefix_lets_copies_expire(rule, expires):
    class Ruled:
        def get_bucket_lifecycle_configuration(self, **_: Any) -> dict[str, Any]:
            return {"Rules": [rule]}

    assert Listing(Ruled(), "bucket", lambda seconds: None).expires("quarantine/") is expires
