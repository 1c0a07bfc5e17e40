"""What a bucket holds, as its listings show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from cli.exits import CommandError
from pipeline.aws_errors import THROTTLED, code_of, retried, status_of
from pipeline.errors import RetryError

#: Tries of a page that came damaged or not at all, and of one for which the service had no time.
_TRIES, _TRIES_WHEN_BUSY = 4, 9
#: What passes by itself; 501 does not.
_BUSY = (429, 500, 502, 503, 504)
_LONGEST_PAUSE = 60


@dataclass(frozen=True)
class Candidate:
    """One object, or one version of it, as a listing shows it. `version_id` is set where that version is meant."""

    key: str
    size: int
    etag: str
    modified: datetime
    version_id: str | None = None
    is_latest: bool = True
    is_marker: bool = False


class Listing:
    """`sleep` is called between the tries of a page, each of which botocore has repeated already; once it answers that
    the run is to stop, nothing is tried again."""

    def __init__(self, s3: Any, bucket: str, sleep: Callable[[float], object]) -> None:
        self._s3, self.bucket, self._sleep = s3, bucket, sleep

    def require(self, prefix: str, place: str) -> None:
        """CommandError where there is no such bucket; RetryError where it may not be listed."""
        try:
            self._page(self._s3.list_objects_v2, Prefix=prefix, MaxKeys=1)
        except RetryError as error:
            if isinstance(error.__cause__, ParamValidationError):
                raise CommandError(f"bucket_name={self.bucket} is no name of a bucket: {error.__cause__}") from error
            if not isinstance(error.__cause__, ClientError) or code_of(error.__cause__) != "NoSuchBucket":
                raise
            text = f"there is no bucket {self.bucket} on {place}: check bucket_name, --local, --aws and --region"
            raise CommandError(text) from error

    def is_versioned(self) -> bool:
        """Whether the bucket keeps versions, or has kept them once."""
        return bool(self._page(self._s3.get_bucket_versioning).get("Status"))

    def objects(self, prefix: str) -> Iterator[Candidate]:
        """The current objects below the prefix, in the order of their keys."""
        more: dict[str, str] = {}
        while True:
            page = self._page(self._s3.list_objects_v2, Prefix=prefix, **more)
            for entry in page.get("Contents", []):
                yield Candidate(entry["Key"], entry["Size"], entry["ETag"].strip('"'), entry["LastModified"])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def versions(self, prefix: str) -> Iterator[list[Candidate]]:
        """All versions and delete markers of one key after the other, each key's from the oldest to the newest."""
        versions: list[Candidate] = []
        for version in self._versions(prefix):
            if versions and versions[0].key != version.key:
                yield _by_age(versions)
                versions = []
            versions.append(version)
        if versions:
            yield _by_age(versions)

    def expires(self, prefix: str) -> bool:
        """Whether a lifecycle rule lets what lies below the prefix expire; rules that we may not see are none."""
        try:
            rules = self._page(self._s3.get_bucket_lifecycle_configuration)["Rules"]
        except RetryError:
            return False
        return any(_lets_expire(rule, prefix) for rule in rules)

    def _versions(self, prefix: str) -> Iterator[Candidate]:
        more: dict[str, str] = {}
        while True:
            page = self._page(self._s3.list_object_versions, Prefix=prefix, **more)
            found = [_version(entry, is_marker=False) for entry in page.get("Versions", [])]
            found += [_version(entry, is_marker=True) for entry in page.get("DeleteMarkers", [])]
            # S3 orders keys by their bytes, and botocore parts versions from markers.
            yield from sorted(found, key=lambda version: version.key.encode())
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def _page(self, call: Callable[..., Any], **request: Any) -> Any:
        for attempt in count():
            try:
                with retried(f"{call.__name__} s3://{self.bucket}"):
                    return call(Bucket=self.bucket, **request)
            except RetryError as error:
                if attempt + 1 >= _tries(error.__cause__) or self._sleep(min(2**attempt, _LONGEST_PAUSE)):
                    raise


def _tries(cause: BaseException | None) -> int:
    """How often a page is asked for that ends so: a service that is overloaded has minutes, a refusal is for good."""
    if isinstance(cause, ClientError):
        return _TRIES_WHEN_BUSY if status_of(cause) in _BUSY or code_of(cause) in THROTTLED else 1
    return 1 if isinstance(cause, ParamValidationError) else _TRIES


def _lets_expire(rule: Mapping[str, Any], prefix: str) -> bool:
    """Whether all below the prefix expires by this rule: not only markers, nor what has a tag or a size."""
    where = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    when = rule.get("Expiration", {})
    is_for_all = set(where) <= {"Prefix"} and prefix.startswith(where.get("Prefix", ""))
    return rule["Status"] == "Enabled" and is_for_all and ("Days" in when or "Date" in when)


def _version(entry: dict[str, Any], *, is_marker: bool) -> Candidate:
    return Candidate(
        entry["Key"],
        entry.get("Size", 0),
        entry.get("ETag", "").strip('"'),
        entry["LastModified"],
        entry["VersionId"],
        entry["IsLatest"],
        is_marker,
    )


def _by_age(versions: Sequence[Candidate]) -> list[Candidate]:
    """The oldest first; S3 lists the newest first, which decides between those of the same second."""
    return sorted(reversed(versions), key=lambda version: (version.is_latest, version.modified))
