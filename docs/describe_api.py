"""Writes lambda_function/openapi.json: what the gallery API takes and gives."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import models_json_schema

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lambda_function.gallery_parameters import DEFAULT_LIMIT, MAX_BYTES, MAX_LIMIT
from pipeline.errors import MEANINGS
from pipeline.gallery.wanted import Order
from pipeline.job import Outcome
from pipeline.keys import MAX_KEY_BYTES
from pipeline.settings import ROOT
from pipeline.table.items import CAPTURE_FIELDS, PUBLIC_FIELDS
from pipeline.version import VERSION

TARGET = ROOT / "lambda_function" / "openapi.json"
JSON = "application/json"
PROBLEM = "application/problem+json"
TIME = r"^\d{4}-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?)?$"


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Output(Closed):
    """One picture that was made of an image."""

    OutputName: str
    OutputKey: str
    OutputURL: str
    OutputType: str
    OutputBytes: int
    OutputWidth: int
    OutputHeight: int


#: Users may write to the table as well: nothing but the key is certain to be there, or of its usual type.
_FIELDS: dict[str, tuple[Any, str]] = {
    "ImageID": (str, "the key of the original in the uploads bucket"),
    "Outcome": (str, "DONE or FAILED"),
    "ErrorCode": (str, "why it failed: " + "; ".join(f"{code}: {meaning}" for code, meaning in MEANINGS.items())),
    "ThumbnailURL": (str, "fits into 256 × 256 pixels"),
    "CompressedURL": (str, "full size, fewer bytes"),
    "Outputs": (list[Output], "all pictures that were made: thumbnail, compressed, variants such as avif-640"),
    "OriginalBytes": (int, "size of the original"),
    "CompressedBytes": (int, "size of the compressed picture"),
    "ThumbnailBytes": (int, "size of the thumbnail"),
    "SavedPercent": (float, "how much smaller the compressed picture is; negative where it grew"),
    "PixelWidth": (int, "width as shown"),
    "PixelHeight": (int, "height as shown"),
    "ImageFormat": (str, "format of the original, such as JPEG"),
    "Placeholder": (str, "a ThumbHash in base64"),
    "ProcessedAt": (str, "when the record was written, ISO 8601 in UTC"),
    "TakenAt": (str, "when the picture was taken; shown where the operator allows it"),
    "CameraModel": (str, "with which camera; shown where the operator allows it"),
}


def _image_model() -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (kind, Field(... if name == "ImageID" else None, description=text))
        for name, (kind, text) in _FIELDS.items()
    }
    assert set(fields) == {*PUBLIC_FIELDS, *CAPTURE_FIELDS}, "the fields above are not those that the API shows"
    return create_model("Image", __base__=Closed, __doc__="What is shown of one image.", **fields)


Image: Any = _image_model()


class Images(Closed):
    """One page. It may be short, even empty, and still have a cursor: filters look at a bounded number of images.

    Images with many variants fill a page sooner than its limit says.
    """

    images: list[Image]
    cursor: str | None = Field(description="for the next page, with the same parameters; null after the last one")


class Stats(Closed):
    """Sums over all images. `formats` and `months` count problems too."""

    images: int = Field(ge=0, description="images that are done")
    problems: int = Field(ge=0, description="images that could not be processed")
    original_bytes: int = Field(ge=0)
    compressed_bytes: int = Field(ge=0)
    saved_bytes: int
    variants: int = Field(ge=0, description="outputs besides thumbnails and compressed pictures")
    variant_bytes: int = Field(ge=0)
    formats: dict[str, int]
    months: dict[str, int] = Field(description="by the month in which they were processed, in UTC")
    price_per_gb_month: float = Field(ge=0, description="as the operator set it")
    saved_per_month: float = Field(description="what the saved bytes would cost each month")


class Problem(Closed):
    """Why there is no answer (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str = Field(description="what is wrong, and what would be right")


def description() -> dict[str, Any]:
    """The whole document."""
    _, schemas = models_json_schema(
        [(model, "serialization") for model in (Images, Image, Stats, Problem)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gallery API",
            "version": VERSION,
            "description": "Reads what the image pipeline keeps of its images. It changes nothing and needs no key.",
        },
        "paths": {
            "/images": _get("List images, page by page", "Images", _listing(), refuses=True),
            "/image": _get("Read one image", "Image", [_key()], refuses=True, missing=True),
            "/stats": _get("Read the totals", "Stats", []),
            "/openapi.json": _get("Read this description", None, []),
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _get(
    summary: str, model: str | None, parameters: list[Any], *, refuses: bool = False, missing: bool = False
) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"} if model else {"type": "object"}
    problem = {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    responses: dict[str, Any] = {
        "200": {"description": "here it is", "content": {JSON: {"schema": schema}}},
        "304": {"description": "nothing has changed since the ETag that was sent"},
        "400": {"description": "a parameter is wrong; the detail says which and why", **problem},
    }
    if missing:
        responses["404"] = {"description": "there is no such image", **problem}
    responses["503"] = {"description": "try again after the seconds in Retry-After", **problem}
    return {"get": {"summary": summary, "parameters": parameters, "responses": responses}}


def _listing() -> list[dict[str, Any]]:
    whole = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    size = {"type": "integer", "maximum": MAX_BYTES}
    time = {"type": "string", "pattern": TIME, "examples": ["2026-03", "2026-03-01T12:00:00Z"]}
    key = {"type": "string", "maxLength": MAX_KEY_BYTES}
    image_format = {"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$", "examples": ["JPEG"]}
    return [
        _query("limit", "at most how many images", whole),
        _query("cursor", "where to go on; from the page before", {"type": "string"}),
        _query("prefix", "only keys that begin with this; sorts by name, unless told otherwise", key),
        _query("format", "only originals of this format", image_format),
        _query("outcome", "only these", {"type": "string", "enum": list(Outcome)}),
        _query("since", "only images processed then or later, in UTC", time),
        _query("until", "only images processed before, in UTC", time),
        _query("min_bytes", "only originals of this size or more", {**size, "minimum": 0}),
        _query("max_bytes", "only originals below this size", {**size, "minimum": 1}),
        _query("sort", "`newest`, unless a prefix is asked for", {"type": "string", "enum": list(Order)}),
    ]


def _key() -> dict[str, Any]:
    key = {"type": "string", "minLength": 1, "maxLength": MAX_KEY_BYTES}
    return _query("key", "the key of the image, percent-encoded", key) | {"required": True}


def _query(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "required": False, "schema": schema}


def text() -> str:
    return json.dumps(description(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="examples:\n  python docs/describe_api.py\n  python docs/describe_api.py --check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is old")
    old = not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text()
    arguments = parser.parse_args()
    if arguments.check:
        print("lambda_function/openapi.json " + ("is old: run `make openapi`" if old else "is up to date"))
        return 1 if old else 0
    TARGET.write_text(text(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
