"""Puts pictures into s3://photos and the example of a file list into s3://lists, for docker-compose.yml."""

from __future__ import annotations

import argparse
from pathlib import Path

import boto3

BUCKETS = ("photos", "lists", "out")
FILE_LIST = Path(__file__).resolve().parent / "file_list.json"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  python test_files/upload_examples.py img",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the pictures, those of img/")
    folder = parser.parse_args().folder
    s3 = boto3.client("s3")
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket)
    for picture in sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"):
        s3.upload_file(str(picture), "photos", picture.name)
    s3.upload_file(str(FILE_LIST), "lists", FILE_LIST.name)
    print(f"{folder} → s3://photos, {FILE_LIST.name} → s3://lists")


if __name__ == "__main__":
    main()
