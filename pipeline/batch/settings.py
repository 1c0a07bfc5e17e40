"""What one job of AWS Batch is told: by which list it works, where its outputs go, and which batch is its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.batch.file_list import BUCKET, batch_name, batch_number
from pipeline.settings import SettingsError

#: Set by AWS Batch on the children of an array job, which count from 0.
ARRAY_INDEX = "AWS_BATCH_JOB_ARRAY_INDEX"
BATCH = "BATCH_JOB_KEY"
INDEXES = "BATCH_INDEXES"
LIST_ETAG = "BATCH_LIST_ETAG"
#: In MB, from the job definition: on Fargate a container does not see where its task ends.
MEMORY = "BATCH_JOB_MEMORY"

_REQUIRED = ("AWS_REGION", "IN_BUCKET", "JSON_LOCATION", "OUT_BUCKET", "OUT_KEY")
_SWITCH = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}
_BUCKET = re.compile(BUCKET)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")


class Layout(StrEnum):
    """Where an output lies below OUT_KEY: by bucket and whole key of its source, or by its last part alone."""

    FULL = "full"
    BASENAME = "basename"


@dataclass(frozen=True, kw_only=True)
class BatchSettings:
    """One run over a list. `json_location` ends with a slash where the list is in shards.

    `out_key` has no slash at its ends; empty, outputs lie at the top of the bucket. `indexes`: key of a JSON list of
    the batches that a retry is about, in the order of its children; in the bucket of the list.
    `list_etag`: of the list, or of its manifest, where only that very one is meant.
    """

    region: str
    in_bucket: str
    json_location: str
    out_bucket: str
    out_key: str
    divide_camera_wise: bool = False
    layout: Layout = Layout.FULL
    indexes: str | None = None
    list_etag: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> BatchSettings:
        """Raises SettingsError with one line that names every variable that is missing, or the one that is wrong."""
        missing = [name for name in _REQUIRED if not environ.get(name, "").strip()]
        if missing:
            raise SettingsError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: see --help")
        return cls(
            region=_matching(environ, "AWS_REGION", _REGION, "a region such as us-east-1"),
            in_bucket=_matching(environ, "IN_BUCKET", _BUCKET, "the name of a bucket"),
            json_location=_location(environ, "JSON_LOCATION"),
            out_bucket=_matching(environ, "OUT_BUCKET", _BUCKET, "the name of a bucket"),
            out_key=environ["OUT_KEY"].strip().strip("/"),
            divide_camera_wise=_switch(environ, "DIVIDE_CAMERA_WISE"),
            layout=_layout(environ, "OUT_LAYOUT"),
            indexes=environ.get("BATCH_INDEXES", "").strip() or None,
            list_etag=environ.get("BATCH_LIST_ETAG", "").strip() or None,
        )

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` makes an equal value."""
        variables = {
            "AWS_REGION": self.region,
            "IN_BUCKET": self.in_bucket,
            "JSON_LOCATION": self.json_location,
            "OUT_BUCKET": self.out_bucket,
            "OUT_KEY": self.out_key or "/",
            "DIVIDE_CAMERA_WISE": str(self.divide_camera_wise).lower(),
            "OUT_LAYOUT": self.layout.value,
        }
        optional = {INDEXES: self.indexes, LIST_ETAG: self.list_etag}
        return variables | {name: value for name, value in optional.items() if value}


def own_batch(environ: Mapping[str, str], indexes: list[int] | None = None) -> int:
    """The number of the batch that this job is for; `indexes`: the batches of a retry.

    BATCH_JOB_KEY counts; the array index of AWS Batch stands for it where it is not set. SettingsError where neither
    is, or where they disagree.
    """
    index = _array_index(environ)
    told = environ.get("BATCH_JOB_KEY", "").strip()
    meant = None if index is None else _batch_at(index, indexes)
    if not told and meant is None:
        raise SettingsError(f"{BATCH} is not set, nor {ARRAY_INDEX}: say which batch this job is, for example batch_1")
    if not told:
        assert meant is not None
        return meant
    try:
        number = batch_number(told)
    except ValueError as error:
        raise SettingsError(f"{BATCH}={error}") from error
    if meant not in (None, number):
        raise SettingsError(f"{BATCH}={told} and {ARRAY_INDEX}={index} ({batch_name(meant or 0)}) disagree: set one")
    return number


def _array_index(environ: Mapping[str, str]) -> int | None:
    text = environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "").strip()
    if not text:
        return None
    if not text.isdecimal():
        raise SettingsError(f"{ARRAY_INDEX}={text!r} is no whole number from 0")
    return int(text)


def _batch_at(index: int, indexes: list[int] | None) -> int:
    if indexes is None:
        return index + 1
    if index >= len(indexes):
        raise SettingsError(f"{ARRAY_INDEX}={index}, but the list of this retry has only {len(indexes)} batches")
    return indexes[index]


def _matching(environ: Mapping[str, str], name: str, pattern: re.Pattern[str], what: str) -> str:
    value = environ[name].strip()
    if not pattern.fullmatch(value):
        raise SettingsError(f"{name}={value!r} is not {what}")
    return value


def _location(environ: Mapping[str, str], name: str) -> str:
    value = environ[name].strip()
    if value.startswith(("s3://", "/")):
        raise SettingsError(f"{name}={value!r}: give the key alone, without bucket and without a slash in front")
    return value


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in _SWITCH:
        raise SettingsError(f"{name}={value!r} is neither true nor false. Leave it out for false.")
    return _SWITCH[value]


def _layout(environ: Mapping[str, str], name: str) -> Layout:
    value = environ.get(name, "").strip().lower() or Layout.FULL
    try:
        return Layout(value)
    except ValueError:
        raise SettingsError(f"{name}={value!r} is neither full nor basename. Leave it out for full.") from None
