"""A file list over several jobs that are stopped and killed, on a network that fails: each output once, and right."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from bulk.local_jobs import LocalJobs
from bulk.output_layout import output_place
from pipeline.batch.file_list import batch_name, source_of
from pipeline.batch.settings import BatchSettings
from pipeline.batch.stored_lists import StoredList
from pipeline.errors import RetryError
from pipeline.images.options import COMPRESSED, ImageOptions
from pipeline.images.transform import transform
from tests.images import jpeg, photo, png, truncated
from tests.local_cloud_fixture import LocalCloud
from tests.torture.fault_proxy import Call, fault_proxy, mixed
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud]

SEED = 8
OPTIONS = ImageOptions(outputs=(("compressed", COMPRESSED),))
#: In turn: what is uploaded under one name to both buckets, and whether it can be compressed. A name may lie.
PICTURES = [
    (jpeg(photo((320, 240)), quality=95), jpeg(photo((240, 320)), quality=95), True),
    (png(photo((160, 120))), png(photo((120, 160))), True),
    (jpeg(photo((200, 200)), quality=90), jpeg(photo((220, 200)), quality=90), True),
    (jpeg(photo((320, 200)), quality=90), jpeg(photo((200, 320)), quality=90), True),
    (truncated(jpeg(photo((320, 240)), quality=95)), b"no picture", False),
]
MENDED = jpeg(photo((120, 90)), quality=95)


@dataclass
class Lists:
    """Buckets of their own in a local cloud: images under the same names in two of them, and a list of all."""

    cloud: LocalCloud
    images: int
    batches: int
    s3: Any = None
    settings: Any = None
    good: dict[str, bytes] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        mark = uuid.uuid4().hex[:8]
        self.s3 = self.cloud.client("s3")
        buckets = [f"photos-{mark}", f"others-{mark}"]
        self.settings = BatchSettings(
            region="us-east-1",
            in_bucket=f"lists-{mark}",
            json_location="may.json",
            out_bucket=f"out-{mark}",
            out_key="compressed",
        )
        for bucket in (*buckets, f"lists-{mark}", f"out-{mark}"):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(Bucket=f"out-{mark}", VersioningConfiguration={"Status": "Enabled"})
        batches: dict[str, list[str]] = {batch_name(number): [] for number in range(1, self.batches + 1)}
        for index in range(self.images):
            *pictures, is_good = PICTURES[index // 2 % len(PICTURES)]
            data = pictures[index % 2]
            image = f"s3://{buckets[index % 2]}/folder/{index // 2:04}.jpg"
            self.put(image, data, is_good)
            batches[batch_name(index % self.batches + 1)].append(image)
        self.s3.put_object(Bucket=f"lists-{mark}", Key="may.json", Body=json.dumps(batches).encode())

    def put(self, image: str, data: bytes, is_good: bool) -> None:
        source = source_of(image)
        self.s3.put_object(Bucket=source.bucket, Key=source.key, Body=data)
        self.bad.discard(image)
        if is_good:
            self.good[image] = data
        else:
            self.bad.add(image)

    def jobs(self, address: str, at_once: int) -> LocalJobs:
        environ = {**self.cloud.environ, **self.settings.to_environment(), "AWS_ENDPOINT_URL": address}
        return LocalJobs(lambda: environ, at_once, attempts=400, tell=lambda text: None)

    def results(self) -> list[dict[str, Any]]:
        folder = f"compressed/_results/{self.settings.in_bucket}/may.json"
        keys = [f"{folder}/{batch_name(number)}.json" for number in range(1, self.batches + 1)]
        return [json.load(self.s3.get_object(Bucket=self.settings.out_bucket, Key=key)["Body"]) for key in keys]

    def wrongs(self) -> list[str]:
        """What is not as it must be: an output missing, written more than once, with other bytes; a row too few."""
        expected = {}
        for image, data in self.good.items():
            (output,) = transform(data, OPTIONS).outputs
            ext = {"JPEG": "jpg", "PNG": "png"}[output.format]
            expected[f"{output_place(self.settings, source_of(image))}.{ext}"] = output.data
        versions = Counter(self._versions())
        found = [f"{key}: {count} versions" for key, count in versions.items() if count != 1]
        found += [f"{key}: not expected" for key in versions.keys() - expected.keys()]
        found += [f"{key}: missing" for key in expected.keys() - versions.keys()]
        found += [f"{key}: other bytes" for key in expected.keys() & versions.keys() if self._get(key) != expected[key]]
        return found + self._wrong_rows()

    def reasons(self) -> Counter[str]:
        """Why images are not done, for whoever reads of a failure."""
        rows = [row for result in self.results() for row in result["rows"] if row["outcome"] != "DONE"]
        return Counter(f"{row['code']} {row['reason']}"[:120] for row in rows)

    def _wrong_rows(self) -> list[str]:
        rows = {row["image"]: row["outcome"] for result in self.results() for row in result["rows"]}
        wanted = dict.fromkeys(self.good, "DONE") | dict.fromkeys(self.bad, "FAILED")
        return [f"{image}: {rows.get(image)}" for image in wanted | rows if rows.get(image) != wanted.get(image)]

    def _versions(self) -> list[str]:
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.settings.out_bucket)
        entries = [entry for page in pages for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, [])]
        return [entry["Key"] for entry in entries if "/_results/" not in entry["Key"]]

    def _get(self, key: str) -> bytes:
        data: bytes = self.s3.get_object(Bucket=self.settings.out_bucket, Key=key)["Body"].read()
        return data


class Killer:
    """Stops and kills running jobs at random moments, `times` in all."""

    def __init__(self, jobs: LocalJobs, times: int, pause: float) -> None:
        self.counts: Counter[str] = Counter()
        self._jobs, self._times, self._pause = jobs, times, pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        rng = random.Random(SEED)
        while self.counts.total() < self._times and not self._over.wait(self._pause * rng.uniform(0.5, 1.5)):
            running = [child for child in list(self._jobs.children.values()) if child.poll() is None]
            if running:
                child, way = rng.choice(running), rng.choice(("SIGTERM", "kill -9"))
                (child.terminate if way == "SIGTERM" else child.kill)()
                self.counts[way] += 1


@pytest.mark.parametrize("counts", [(900, 2), (2, 900), (9, 9)], ids=["its own", "a later one", "between them"])
def test_a_list_that_is_damaged_on_its_way_is_never_believed(local_cloud, counts):
    """The proxy damages the byte in the middle: of a batch, or of the marks between two of them."""
    s3, bucket = local_cloud.client("s3"), f"lists-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    batches = {batch_name(n): [f"s3://photos/{i}.jpg" for i in range(count)] for n, count in enumerate(counts, 1)}
    s3.put_object(Bucket=bucket, Key="may.json", Body=json.dumps(batches).encode())

    with fault_proxy(local_cloud.port, lambda call: "corrupted" * (call.operation == "GetObject")) as address:
        through = replace(local_cloud, port=urlsplit(address).port)

        with pytest.raises(RetryError, match="checksum"):
            StoredList(through.client("s3"), bucket, "may.json").images(1)


@pytest.mark.timeout(3600)
def test_jobs_that_are_stopped_and_killed_make_each_output_once_and_a_retry_touches_only_failures(
    local_cloud, full_torture, results: Results
):
    images, batches, kills = (4000, 16, 1000) if full_torture else (60, 4, 6)
    lists, faults = Lists(local_cloud, images, batches), Counter[str]()
    with fault_proxy(local_cloud.port, mixed(0.2, SEED, faults)) as address:
        jobs = lists.jobs(address, at_once=4)
        with Killer(jobs, kills, pause=0.7) as killer:
            ended = jobs.run(range(1, batches + 1))

    assert {one.exit_code for one in ended} <= {0, 1}, ended
    totals = lists.results()
    assert lists.wrongs() == [], lists.reasons()
    assert sum(total["images"] for total in totals) == images
    assert sum(total["compressed"] for total in totals) == len(lists.good)
    assert sum(total["failed"] for total in totals) == len(lists.bad)
    assert {one.exit_code for one in ended if lists.results()[one.number - 1]["failed"]} <= {1}

    touched = retry(lists, MENDED)
    results.say(seed=SEED, images=images, batches=batches, wrong=0, retry_touched=touched, **killer.counts, **faults)


def retry(lists: Lists, mended: bytes) -> int:
    """Mend every bad image and run the list again; how many images were fetched or written, which is just these."""
    failed = set(lists.bad)
    for image in failed:
        lists.put(image, mended, True)
    touched: set[str] = set()

    def note(call: Call) -> None:
        if call.operation in ("GetObject", "PutObject") and "folder/" in call.key:
            touched.add(f"{call.operation} {call.key.rpartition('folder/')[2][:4]}")

    with fault_proxy(lists.cloud.port, lambda call: None, note) as address:
        ended = lists.jobs(address, at_once=4).run(range(1, lists.batches + 1))
    names = {image.rpartition("/")[2][:4] for image in failed}
    assert {one.exit_code for one in ended} == {0}
    assert touched == {f"{operation} {name}" for operation in ("GetObject", "PutObject") for name in names}
    assert lists.wrongs() == []
    return len(failed)


@pytest.mark.timeout(600)
def test_the_same_list_twice_at_once_does_no_harm(local_cloud, full_torture):
    lists = Lists(local_cloud, 200 if full_torture else 30, 2)
    address = local_cloud.endpoint_url

    def run() -> None:
        lists.jobs(address, at_once=2).run((1, 2))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lists.wrongs() == []
