"""`status.py --logs`: the lines of one image are found, by the key as a person knows it."""

import pytest

from tests.images import jpeg, photo, truncated
from tests.waiting import eventually

FACTS = ("key", "outcome", "message_id", "ms", "bytes", "version")


def logged(deployment, key):
    return eventually(lambda: deployment.json_lines("status.py", "--logs", key))


@pytest.mark.parametrize("key", ["logs/plain.jpg", 'logs/ni\u00f1a "*" {x} + y.jpg'])
def test_an_image_that_is_done_has_a_line_with_all_that_matters(deployment, key):
    data = jpeg(photo((300, 200)), quality=95)
    deployment.upload(key, data)

    done = logged(deployment, key)[0]

    assert [name for name in FACTS if name not in done] == []
    assert (done["key"], done["outcome"], done["bytes"]) == (key, "DONE", len(data))


def test_a_failed_image_has_its_code_in_the_log(deployment):
    deployment.upload("logs/cut.jpg", truncated(jpeg(photo((300, 200)))))

    assert logged(deployment, "logs/cut.jpg")[0]["code"] == "TRUNCATED_IMAGE"


def test_an_image_that_never_was_has_no_lines(deployment):
    done = deployment.command("status.py", "--logs", "logs/never.jpg")

    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing was logged about 'logs/never.jpg'" in done.stderr
