"""What the end-to-end tests share: a deployment on the local cloud, the AWS CLI, and a gallery full of pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.deployed import Deployment
from tests.e2e.gallery import MANY, ODD, Gallery, Shown, copy_of, gallery_of, write_records
from tests.images import jpeg, photo, png
from tests.local_cloud_fixture import ROOT, running_local_cloud
from tests.waiting import eventually


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Set up once for the session in a local cloud of its own; every test uses keys of its own."""
    with running_local_cloud(tmp_path_factory.mktemp("deployment")) as cloud:
        deployment = Deployment(cloud)
        done = deployment.command("setup.py", "--local")
        assert done.returncode == 0, done.stderr
        yield deployment


@pytest.fixture(scope="session")
def aws_cli() -> str:
    """The AWS CLI; it pins a botocore of its own, so `make test` puts it into an environment of its own."""
    path = ROOT / ".venv-aws" / "bin" / "aws"
    if path.exists():
        return str(path)
    found = shutil.which("aws")
    if found:
        return found
    give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    give_up("the AWS CLI is not installed; `make test` installs it")


@pytest.fixture(scope="session")
def shown(deployment: Deployment) -> Shown:
    data = jpeg(photo((600, 400)), quality=95)
    deployment.upload("page/one.jpg", data)
    deployment.upload(ODD, data)
    deployment.upload("page/tall.png", png(photo((200, 400), "RGBA")))
    deployment.upload("page/broken.jpg", data[:200])
    keys = ["page/one.jpg", ODD, "page/tall.png", "page/broken.jpg"]
    eventually(lambda: all(deployment.record(key) for key in keys))
    picture = deployment.record("page/one.jpg")
    assert picture
    write_records(deployment, (copy_of(picture, number) for number in range(MANY)))
    return Shown(deployment, picture)


@pytest.fixture
def gallery(browser: Browser, shown: Shown) -> Iterator[Gallery]:
    with gallery_of(browser, shown.deployment, viewport={"width": 1280, "height": 800}) as gallery:
        yield gallery
        assert gallery.seen()["violations"] == []
