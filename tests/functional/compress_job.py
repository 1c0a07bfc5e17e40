"""The buckets of a job of AWS Batch in memory (moto), and the job in this process."""

from __future__ import annotations

import json
import threading

import boto3

from bulk.batch_job import BatchJob
from tests.images import jpeg, photo

ENVIRON = {
    "AWS_REGION": "us-east-1",
    "IN_BUCKET": "lists",
    "JSON_LOCATION": "may.json",
    "OUT_BUCKET": "out",
    "OUT_KEY": "compressed",
    "BATCH_JOB_KEY": "batch_1",
}
RESULTS = "compressed/_results/lists/may.json/batch_1.json"
GOOD = jpeg(photo((64, 48)), quality=95)


class Buckets:
    """A client that notes its calls, and what stands in the buckets."""

    def __init__(self):
        self.client = boto3.client("s3", region_name="us-east-1")
        self.calls: list[str] = []
        for bucket in ("lists", "photos", "others", "out"):
            self.client.create_bucket(Bucket=bucket)

    def put(self, bucket, key, data):
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def list(self, *images, **batches):
        self.put("lists", "may.json", json.dumps({"batch_1": list(images), **batches}).encode())

    def keys(self, bucket="out"):
        found = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {entry["Key"] for entry in found if "_results" not in entry["Key"]}

    def etags(self):
        return {entry["Key"]: entry["ETag"] for entry in self.client.list_objects_v2(Bucket="out")["Contents"]}

    def results(self, key=RESULTS):
        return json.load(self.client.get_object(Bucket="out", Key=key)["Body"])

    def watch(self, client):
        client.meta.events.register("before-call.s3.*", lambda model, **_: self.calls.append(model.name))


def work(buckets, *, stop=None, **environ):
    """The job as `main` runs it, with its calls noted."""
    job = BatchJob.of(ENVIRON | environ, 2)
    buckets.watch(job.s3)
    buckets.calls.clear()
    return job.run(stop or threading.Event()), job
