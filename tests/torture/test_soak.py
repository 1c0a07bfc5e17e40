"""All flows together for half a minute; `make soak MINUTES=60` does it for as long as you like."""

from __future__ import annotations

import pytest

from tests.torture.results import Results
from tests.torture.soak.run import soak

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("kills_cloud", [False, True], ids=["stopped", "killed"])
def test_all_flows_together_lose_nothing(tmp_path, full_torture, results: Results, kills_cloud):
    soaked = soak(tmp_path, 600 if full_torture else 12, seed=1, kills_cloud=kills_cloud, is_slice=not full_torture)

    assert soaked.wrongs == []
    results.say(**soaked.figures)
