"""Who looks whether a server runs does not keep one from starting."""

import threading

import pytest

from local_cloud.lock import AlreadyRunningError, _is_free, hold


def test_a_look_at_the_lock_holds_no_server_up(tmp_path):
    path = tmp_path / "server.lock"
    path.touch()
    with path.open() as looking:
        assert _is_free(looking)
        threading.Timer(0.2, looking.close).start()

        hold(path).close()


def test_a_second_server_is_refused(tmp_path):
    with hold(tmp_path / "server.lock"), pytest.raises(AlreadyRunningError):
        hold(tmp_path / "server.lock")
