"""Who submits: SubmitJob has no client token, so a small object beside the file list takes its place.

`<list>.jobs/<token>.json` is created before the job is submitted, and only once; afterwards it holds the job's id.
Whoever finds it without an id asks AWS Batch for a job of its name before going on.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.aws_errors import retried, status_of
from pipeline.errors import RetryError
from pipeline.objects import put_if, read_small

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`owner` is another one for each process that tries; `at`: seconds since 1970; `job_id` once there is a job."""

    name: str
    owner: str
    at: float
    job_id: str | None = None
    etag: str = field(default="", compare=False)


class Claims:
    """The claims beside one file list. Every method raises RetryError for what may work later."""

    def __init__(self, s3: S3Client, bucket: str, location: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._folder = f"{location.rstrip('/')}.jobs/"

    def key(self, token: str, kind: str = "json") -> str:
        return f"{self._folder}{token}.{kind}"

    def take(self, token: str, name: str, now: float) -> tuple[Claim, bool]:
        """The claim of that token, and whether it is ours."""
        ours = Claim(name=name, owner=uuid.uuid4().hex, at=now)
        if made := self._put(token, ours):
            return made, True
        present = self.read(token)
        if present is None:
            raise RetryError(f"s3://{self._bucket}/{self.key(token)} was there and is gone again")
        # boto may have sent our own put twice, because the first answer was lost.
        return present, present.owner == ours.owner

    def take_over(self, token: str, claim: Claim, now: float) -> Claim | None:
        """Our claim in the place of one whose owner does not go on; None where somebody else was quicker."""
        ours = Claim(name=claim.name, owner=uuid.uuid4().hex, at=now)
        return self._replace(token, claim, ours)

    def settle(self, token: str, claim: Claim, job_id: str) -> None:
        """Keep the job's id; where somebody took the claim over meanwhile, theirs stays."""
        self._replace(token, claim, replace(claim, job_id=job_id))

    def release(self, token: str, claim: Claim) -> None:
        """There is no job and there will be none."""
        with retried(f"DeleteObject s3://{self._bucket}/{self.key(token)}"):
            try:
                self._s3.delete_object(Bucket=self._bucket, Key=self.key(token), IfMatch=claim.etag)
            except ClientError as error:
                if status_of(error) not in (404, 412):
                    raise

    def read(self, token: str) -> Claim | None:
        found = read_small(self._s3, self._bucket, self.key(token))
        return Claim(**json.loads(found[0]), etag=found[1]) if found else None

    def _replace(self, token: str, old: Claim, new: Claim) -> Claim | None:
        present = self._put(token, new, over=old) or self.read(token)
        return present if present == new else None

    def _put(self, token: str, claim: Claim, *, over: Claim | None = None) -> Claim | None:
        """The claim as it now stands; None where another stands there than `over`, or any where that is None."""
        facts = {name: value for name, value in asdict(claim).items() if name != "etag"}
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": self.key(token),
            "Body": json.dumps(facts, indent=2).encode(),
            "ContentType": "application/json",
        }
        placed = put_if(self._s3, {**request, "IfMatch": over.etag} if over else {**request, "IfNoneMatch": "*"})
        return replace(claim, etag=placed.etag) if placed else None
