"""The benchmark of threads: which ways it measures, and how it compares them."""

from benchmarks.batches.measure import Took, Way, batch, row, ways
from benchmarks.whole_way.pictures import SIZES


def test_every_way_is_compared_with_one_thread_on_as_many_cores_with_the_same_waits():
    for size in SIZES:
        measured = list(ways(size))

        bases = {(way.wait_ms, way.cores) for way in measured if way.threads == 1 and way.processes == 1}
        assert {(way.wait_ms, way.cores) for way in measured} == bases


def test_ways_are_compared_within_a_round_so_that_a_busy_round_counts_for_both():
    way = Way("48 kB", 0, 2, 2)
    base = [Took(10, 2.0, 2.0), Took(10, 20.0, 2.0), Took(10, 2.0, 2.0)]
    took = [Took(10, 1.0, 2.0), Took(10, 10.0, 2.0), Took(10, 1.0, 2.0)]

    found = row(way, took, base)

    assert found.faster == 2
    assert found.busy == 2
    assert found.images_per_second == 10


def test_threads_of_a_batch_wait_for_their_calls_side_by_side():
    # Six calls of 50 ms each for twelve images: 3.6 s for one thread, 0.3 s for twelve, and some work.
    took = batch("48 kB", threads=12, wait_ms=50)

    assert took.images == 12
    assert took.seconds >= 0.3
    # However busy the machine is: what was not spent on the processor by twelve threads is far below what one waits.
    assert took.cpu > 0
