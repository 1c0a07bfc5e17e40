"""The zip of the image service: that of the other functions, and what only it needs."""

import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest

from setup_scripts import package
from setup_scripts.trim import SERVICES

IMPORTS = (
    "import sys; sys.path[:0] = [sys.argv[1]]; import pipeline.image_service.services, lambda_function.work, idna; "
    "print(idna.__file__)"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where zips are built once for all tests."""
    return tmp_path_factory.mktemp("home")


def built(home, **options):
    runtime = replace(package.local_runtime(), **options)
    return package.build(runtime, home, say=lambda text: None)


def services(names):
    return {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 3}


def test_it_holds_what_reaches_beyond_s3_and_sqs_and_the_other_does_not(home):
    with zipfile.ZipFile(built(home)) as other, zipfile.ZipFile(built(home, image_service=True)) as own:
        names, own_names = set(other.namelist()), set(own.namelist())

    assert services(names) == set(SERVICES) and services(own_names) == {"s3", "sqs", "ssm"}
    assert "ssm" not in SERVICES
    assert "idna/core.py" in own_names - names
    assert {name for name in own_names - names if not name.startswith(("idna", "botocore/data/ssm"))} == set()


def test_what_it_needs_is_imported_from_it(home, tmp_path):
    path = built(home, image_service=True)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")

    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORTS, str(tmp_path / "site")], capture_output=True, text=True, timeout=120
    )

    assert ended.stdout.startswith(str(tmp_path / "site")), ended.stderr


def test_for_aws_its_wheels_are_taken_by_their_hashes():
    listed = package.requirements_for(replace(package.aws_runtime(), image_service=True))

    assert "idna==" in listed
    assert all("--hash=" in line or line.startswith((" ", "#")) or line.endswith("\\") for line in listed.splitlines())
