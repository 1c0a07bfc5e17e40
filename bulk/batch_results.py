"""The result file of one batch: what became of each image. It is the checkpoint of a job that is stopped, too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipeline.batch.file_list import batch_name
from pipeline.batch.settings import BatchSettings
from pipeline.errors import RetryError
from pipeline.objects import is_contested, put_if, read_small

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

DONE, FAILED = "DONE", "FAILED"
#: The code of an image for which S3 gave no good answer in any round; it is no fault of the image.
GAVE_UP = "GAVE_UP"
#: No bucket is called so, hence no output lies below it.
FOLDER = "_results"
_ATTEMPTS = 10


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image. `key` of its output and bytes where they are known; `code` and `reason` of one that failed.

    `job`: the id of the job that found it out; None of a row that is older than this field.
    """

    image: str
    outcome: str
    key: str | None = None
    bytes_before: int | None = None
    bytes_after: int | None = None
    code: str | None = None
    reason: str | None = None
    job: str | None = None

    @property
    def is_failed(self) -> bool:
        return self.outcome == FAILED

    def is_done_by(self, job: str) -> bool:
        return self.job == job and not self.is_failed


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is known of a batch. `job`: the id of the job that wrote it; `stopped`: it ended before its work did.
    Rows may be of other jobs, which nobody has looked at since.

    `hung`: images that it had to leave in the middle of their work, and of which nobody knows the end.
    """

    job: str = ""
    stopped: bool = False
    hung: tuple[str, ...] = ()
    rows: Mapping[str, Row] = field(default_factory=dict)

    def to_json(self, batch: str, images: Iterable[str]) -> str:
        """A sum of what this job has done, for people, then a line for each image in the order of the list."""
        wanted = list(images)
        rows = [self.rows[image] for image in wanted if image in self.rows]
        own = [row for row in rows if row.job == self.job]
        failed = sum(row.is_failed for row in own)
        total = {"images": len(wanted), "compressed": len(own) - failed, "failed": failed}
        head = {"batch": batch, **total, "left": len(wanted) - len(own), "job": self.job, "stopped": self.stopped}
        if self.hung:
            head["hung"] = list(self.hung)
        lines = ",\n".join(json.dumps(_facts(row)) for row in rows)
        return json.dumps(head)[:-1] + f', "rows": [\n{lines}\n]}}\n'

    @classmethod
    def from_json(cls, text: str) -> Results:
        found = json.loads(text)
        rows = (Row(**row) for row in found["rows"])
        hung = tuple(map(str, found.get("hung", ())))
        return cls(job=found["job"], stopped=found["stopped"], hung=hung, rows={row.image: row for row in rows})

    def over(self, others: Results) -> Results:
        """These rows, and those that only others have; what S3 refused may be done by this very job already."""
        theirs = {
            image: row
            for image, row in others.rows.items()
            if image not in self.rows or (self.rows[image].code == GAVE_UP and row.is_done_by(self.job))
        }
        hung = tuple(sorted({*self.hung, *others.hung} - self.rows.keys()))
        return replace(self, hung=hung, rows={**self.rows, **theirs})


class ResultFile:
    """`<OUT_KEY>/_results/<list>/batch_3.json` in the output bucket. Every method raises RetryError."""

    def __init__(self, s3: S3Client, settings: BatchSettings, number: int) -> None:
        self._s3 = s3
        self._bucket = settings.out_bucket
        self._batch = batch_name(number)
        folder = f"{settings.out_key}/{FOLDER}" if settings.out_key else FOLDER
        self.key = f"{folder}/{settings.in_bucket}/{settings.json_location.rstrip('/')}/{self._batch}.json"

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self.key}"

    def read(self) -> Results:
        """What an earlier job, or an earlier attempt of this one, has left."""
        return self._read()[0]

    def write(self, results: Results, images: Iterable[str]) -> None:
        """Put `results` over what is there, without losing what another job for the same batch has found out."""
        wanted = list(images)
        for _ in range(_ATTEMPTS):
            present, etag = self._read()
            merged = results.over(present)
            if self._put(merged.to_json(self._batch, wanted), over=etag):
                return
        raise RetryError(f"{self} is written by others all the time")

    def _read(self) -> tuple[Results, str | None]:
        found = read_small(self._s3, self._bucket, self.key)
        if found is None:
            return Results(), None
        data, etag = found
        try:
            return Results.from_json(data.decode(errors="replace")), etag
        except (ValueError, KeyError, TypeError):
            # Not ours, or of another version: what is done shows in the outputs themselves.
            return Results(), etag

    def _put(self, text: str, *, over: str | None) -> bool:
        """False where another content stands there than the one of the ETag `over`, or any where that is None."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": self.key,
            "Body": text.encode(),
            "ContentType": "application/json",
        }
        try:
            return bool(put_if(self._s3, {**request, "IfMatch": over} if over else {**request, "IfNoneMatch": "*"}))
        except RetryError as error:
            if is_contested(error):
                return False
            raise


def _facts(row: Row) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if value is not None}
