"""What the fuzzer begins with: a small file of every kind, and a text of every shape."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Seeds for each format, and their greatest size: libFuzzer learns more from many runs than from large files.
SEEDS, SEED_BYTES = 60, 20_000

_CURSOR = b"lS4sRQ2kFGkWyyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIseyIwIjoiYS5qcGcifV0"
_TEXTS = {
    "messages": (
        b'{"bucket_name":"uploads","image_key":"a b.jpg","force":true}',
        b'{"source":"aws.s3","detail-type":"Object Created",'
        b'"detail":{"bucket":{"name":"uploads"},"object":{"key":"a"}}}',
        b'{"Type":"Notification","Message":"{\\"Event\\":\\"s3:TestEvent\\"}"}',
        b'{"image_url":"https://h/a.jpg","redirect_queue":"q","postback_url":"https://h/","bucket_name":"b","n":1e9}',
    ),
    "keys": (b"a.jpg\n\na.jpg/b", b".sha256/a\n\n../b", "é".encode() * 600 + b"\n\n?#%"),
    "cursors": (_CURSOR, b"AAAAAAAAAABbIiIse31d"),
    "csv": (
        b"path\na.jpg\n",
        b'\xef\xbb\xbfid;path\r\n1;"s3://uploads/a ""b"".jpg"\r\n2;x',
        "path\té\n".encode("utf-16"),
        b"a.jpg\rb\xe9.jpg\r",
    ),
    "lists": (
        b"s3://bucket/a.jpg\t12\n\ns3://bucket/b/\n",
        b'{"batch_1": ["s3://bucket/a.jpg", "s3://bucket/b"], "batch_2": []}',
        b'{"shards": "batch_<n>.jsonl", "batches": 2, "images": 3, "bytes": null}',
        b'"s3://bucket/a.jpg"\n"s3://bucket/\\u00e9"\n',
    ),
}


def seeds(target: str) -> list[bytes]:
    """Always the same for a target and the corpora that are here."""
    if target in ("transform", "strip"):
        return [*_made(), *_had()]
    events = sorted((ROOT / "tests" / "events").glob("*.json")) if target == "messages" else ()
    return [*_TEXTS[target], *(path.read_bytes() for path in events)]


def _made() -> list[bytes]:
    from PIL import Image

    made = []
    for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"):
        file = BytesIO()
        Image.linear_gradient("L").resize((24, 16)).convert("RGB").save(file, form)
        made.append(file.getvalue())
    return made


def _had() -> list[bytes]:
    from benchmarks.corpus.sources import SOURCES, files_of
    from pipeline.images.formats import sniff

    by_format: dict[str, list[bytes]] = {}
    for path in (path for source in SOURCES for path in files_of(ROOT / ".corpora" / source.name)):
        data = path.read_bytes() if path.stat().st_size <= SEED_BYTES else b""
        if form := sniff(data):
            by_format.setdefault(form.name, []).append(data)
    chance = random.Random(1)
    return [data for files in by_format.values() for data in chance.sample(files, min(SEEDS, len(files)))]
