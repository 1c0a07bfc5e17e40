"""From a folder of pictures to records, outputs and the gallery, and back, as a person goes it."""

from __future__ import annotations

import subprocess
import urllib.request

import pytest

from tests.deployed import Deployment, write_pictures
from tests.images import jpeg, photo, png, truncated
from tests.odd_keys import ODD_KEYS
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

JPEG = jpeg(photo((600, 400)), quality=95)


def read(url: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read(), answer.headers["Content-Type"]


def test_a_folder_becomes_records_and_pictures(deployment: Deployment, tmp_path):
    folder = write_pictures(
        tmp_path, {"way/été + 1.jpg": JPEG, "way/alpha.png": png(photo((300, 200), "RGBA")), "way/notes.txt": b"text"}
    )

    done = deployment.command("upload_folder_images.py", str(folder))

    assert done.returncode == 0, done.stderr
    assert "way/été + 1.jpg" in done.stdout and "DONE" in done.stdout
    record = deployment.record("way/été + 1.jpg")
    assert record["Outcome"] == "DONE" and "thumbnails/" in record["ThumbnailURL"]
    data, content_type = read(record["ThumbnailURL"])
    assert (len(data), content_type) == (record["ThumbnailBytes"], "image/webp")
    data, content_type = read(record["CompressedURL"])
    assert (len(data), content_type) == (record["CompressedBytes"], "image/jpeg")
    assert record["CompressedBytes"] < record["OriginalBytes"] == len(JPEG)


def test_a_second_upload_changes_nothing(deployment: Deployment, tmp_path):
    folder = write_pictures(tmp_path, {"twice/a.jpg": JPEG})
    deployment.command("upload_folder_images.py", str(folder))
    before = deployment.record("twice/a.jpg")

    done = deployment.command("upload_folder_images.py", str(folder))

    assert done.returncode == 0 and "unchanged" in done.stdout
    assert deployment.record("twice/a.jpg") == before


def test_a_picture_that_fails_is_named_with_its_reason_and_the_others_are_done(deployment: Deployment, tmp_path):
    folder = write_pictures(tmp_path, {"bad/good.jpg": JPEG, "bad/cut.jpg": truncated(JPEG)})

    done = deployment.command("upload_folder_images.py", str(folder))

    assert done.returncode == 1
    assert "bad/cut.jpg: TRUNCATED_IMAGE" in done.stderr
    assert deployment.record("bad/good.jpg")["Outcome"] == "DONE"
    assert deployment.record("bad/cut.jpg")["ErrorCode"] == "TRUNCATED_IMAGE"


def test_our_message_for_an_object_that_is_there_does_it_again(deployment: Deployment, tmp_path):
    folder = write_pictures(tmp_path, {"again/a.jpg": JPEG})
    deployment.command("upload_folder_images.py", str(folder))
    before = deployment.record("again/a.jpg")

    done = deployment.command("upload_folder_images.py", str(folder), "--send-messages")

    assert done.returncode == 0, done.stderr
    again = eventually(lambda: later(deployment.record("again/a.jpg"), before["ProcessedAt"]))
    assert again["ThumbnailKey"] == before["ThumbnailKey"]


def later(record, moment):
    return record if record["ProcessedAt"] > moment else None


def test_odd_keys_go_the_whole_way(deployment: Deployment):
    s3, bucket = deployment.cloud.client("s3"), deployment.resources["images-bucket"]
    for key in ODD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=JPEG)

    def arrived():
        rows = deployment.json_lines("query.py", 'SELECT ImageID, ThumbnailURL FROM "ImageMetadata"')
        found = {row["ImageID"]: row.get("ThumbnailURL") for row in rows if row["ImageID"] in ODD_KEYS}
        return found if len(found) == len(ODD_KEYS) else None

    found = eventually(arrived)
    assert len(set(found.values())) == len(ODD_KEYS)
    for url in found.values():
        assert read(url)[1] == "image/webp", url


def test_a_copy_by_the_aws_cli_ends_in_the_gallery(deployment: Deployment, aws_cli, tmp_path):
    picture = tmp_path / "été + 1.jpg"
    picture.write_bytes(JPEG)
    target = f"s3://{deployment.resources['images-bucket']}/cli/"

    subprocess.run(
        [aws_cli, "--endpoint-url", deployment.cloud.endpoint_url, "s3", "cp", str(picture), target],
        env=deployment.cloud.environ, check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    record = eventually(lambda: deployment.record("cli/été + 1.jpg"))
    assert record["Outcome"] == "DONE"


def test_deleting_an_original_takes_its_record_and_pictures_away(deployment: Deployment):
    deployment.upload("gone/a.jpg", JPEG)
    record = eventually(lambda: deployment.record("gone/a.jpg"))

    deployment.cloud.client("s3").delete_object(Bucket=deployment.resources["images-bucket"], Key="gone/a.jpg")

    eventually(lambda: deployment.record("gone/a.jpg") is None)
    # Outputs go after the record that names them.
    eventually(lambda: not outputs_of(deployment, "gone/a.jpg"))
    assert record["ThumbnailKey"] and record["CompressedKey"]


def outputs_of(deployment: Deployment, key: str) -> list[str]:
    s3, bucket = deployment.cloud.client("s3"), deployment.resources["thumbnails-bucket"]
    pages = [s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/{key}/") for folder in ("thumbnails", "compressed")]
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def test_the_printed_queries_work_as_printed(deployment: Deployment):
    deployment.upload("statue_small.jpg", JPEG)
    deployment.upload("old_image.jpg", JPEG)
    eventually(lambda: deployment.record("statue_small.jpg") and deployment.record("old_image.jpg"))
    query = deployment.json_lines

    [whole] = query("query.py", "SELECT * FROM \"ImageMetadata\" WHERE ImageID = 'statue_small.jpg';")
    [short] = query(
        "query.py", "SELECT ImageID, ThumbnailURL FROM \"ImageMetadata\" WHERE ImageID = 'statue_small.jpg';"
    )
    many = query("query.py", "SELECT * FROM \"ImageMetadata\" WHERE contains(ThumbnailURL, 'thumbnails/');")
    query("query.py", "UPDATE \"ImageMetadata\"\nSET Note = 'Reprocessed'\nWHERE ImageID = 'statue_small.jpg';")
    query("query.py", "DELETE FROM \"ImageMetadata\" WHERE ImageID = 'old_image.jpg';")

    assert whole["ImageID"] == "statue_small.jpg" and whole["Outcome"] == "DONE"
    assert set(short) == {"ImageID", "ThumbnailURL"}
    assert {"statue_small.jpg", "old_image.jpg"} <= {row["ImageID"] for row in many}
    assert deployment.record("statue_small.jpg")["Note"] == "Reprocessed"
    assert deployment.record("old_image.jpg") is None


def test_status_counts_what_is_there(deployment: Deployment):
    deployment.upload("counted/a.jpg", JPEG)
    eventually(lambda: deployment.record("counted/a.jpg"))

    done = deployment.command("status.py")

    assert done.returncode == 0 and "DONE" in done.stdout and "Dead letters" in done.stdout
