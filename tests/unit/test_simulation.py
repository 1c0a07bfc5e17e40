"""The model of docs/scaling.md against what can be worked out without it."""

import math
import random

import pytest

from benchmarks.simulation.arrivals import DAY, backlog, day, lognormal, poisson
from benchmarks.simulation.limits import LIMITS
from benchmarks.simulation.model import Deployment, Part, Service, simulate
from benchmarks.simulation.plans import breaks_first
from tests.meta.project import ROOT

ONE_SECOND = Service(cpu=1.0, wait=0.0)


def servers(number: int, service: Service = ONE_SECOND, **others) -> Deployment:
    """So many batches at once from the first moment on."""
    return Deployment(service=service, most=number, first=number, **others)


def erlang_c(number: int, load: float) -> float:
    """The chance to wait in an M/M/c queue with `number` servers, of which `load` are busy on average."""
    busy = load**number / math.factorial(number) * number / (number - load)
    return busy / (sum(load**k / math.factorial(k) for k in range(number)) + busy)


@pytest.mark.parametrize("number, batch, images", [(1, 1, 7), (4, 1, 10), (4, 10, 1_000), (100, 10, 12_345)])
def test_a_backlog_of_like_images_goes_in_rounds(number, batch, images):
    run = simulate(servers(number, batch=batch), backlog(images))

    # One thread works a batch image by image; the last round may hold batches that are not full.
    rounds = math.ceil(images / batch / number)
    full = batch if images >= batch * (number * (rounds - 1) + 1) else images - batch * number * (rounds - 1)
    assert run.seconds == pytest.approx(batch * (rounds - 1) + full)
    assert run.images == images
    assert run.batches == math.ceil(images / batch)


@pytest.mark.parametrize("number, rate", [(1, 0.7), (4, 3.2), (20, 18.0)])
def test_random_arrivals_wait_as_long_as_erlang_says(number, rate):
    service = Service(cpu=1.0, wait=0.0, spread=lambda rng: rng.expovariate(1))

    run = simulate(servers(number, service, batch=1), poisson(rate, 100_000, seed=1), seed=2)

    waiting = erlang_c(number, rate) / (number - rate)
    assert run.mean_delay == pytest.approx(waiting + 1, rel=0.06)


def test_the_number_inside_is_what_little_says():
    deployment = servers(8, Service(cpu=0.5, wait=0.2, threads=2, spread=lognormal(0.5)))

    run = simulate(deployment, poisson(12, 50_000, seed=3), seed=4)

    inside, rate = run.area / run.seconds, run.images / run.seconds
    assert inside == pytest.approx(rate * run.mean_delay, rel=1e-6)


def test_a_trigger_runs_three_hundred_more_batches_each_minute():
    run = simulate(Deployment(service=Service(cpu=10.0, wait=0.0), most=1_000), backlog(100_000), every=1)

    running = {round(second): running for second, _, running, _ in run.timeline}
    assert [running[0], running[60], running[120]] == pytest.approx([5, 300, 600], abs=10)
    assert run.most_running == 1_000


def test_a_trigger_runs_never_more_batches_than_it_may():
    run = simulate(Deployment(service=ONE_SECOND, most=2), backlog(1_000))

    assert run.most_running == 2
    assert run.images / run.seconds == pytest.approx(2, rel=0.02)


def test_no_more_comes_through_than_the_narrowest_part_takes():
    parts = (Part("wide", 5_000, 1), Part("narrow", 3_500, 2))

    run = simulate(servers(1_000, Service(cpu=0.1, wait=0.0), parts=parts), backlog(200_000))

    assert run.images / run.seconds == pytest.approx(1_750, rel=0.02)
    assert run.held_up["narrow"] > 10 * run.held_up["wide"]


def test_a_part_that_is_wide_enough_holds_nobody_up():
    run = simulate(servers(10, parts=(Part("wide", 3_500, 2),)), backlog(10_000))

    # Only the first batches, which all come at once, wait for some milliseconds.
    assert run.held_up["wide"] < 0.001 * run.billed


@pytest.mark.parametrize(
    "images, threads, seconds",
    [
        (1, 1, 1.1),  # its own time and the waiting
        (10, 1, 11.0),  # one after the other
        (10, 2, 10.5),  # two threads wait side by side, five times, and share one processor
        (3, 2, 3.2),  # the last one by itself
    ],
)
def test_threads_wait_side_by_side_but_share_the_processor(images, threads, seconds):
    assert Service(cpu=1.0, wait=0.1, threads=threads).seconds(images, 1.0) == pytest.approx(seconds)


def test_threads_that_mostly_wait_are_nearly_as_quick_as_they_are_many():
    assert Service(cpu=0.0, wait=0.1, threads=5).seconds(10, 1.0) == pytest.approx(0.2)


def test_only_the_first_batches_meet_new_environments():
    run = simulate(servers(10, Service(cpu=1.0, wait=0.0, cold=2.0)), backlog(1_000))

    assert run.cold_starts == 10
    assert run.billed == pytest.approx(1_000 + 10 * 2)


def test_a_day_brings_its_images_and_most_of_them_at_noon():
    gaps = list(day(100_000, seed=5))

    times, now = [], 0.0
    for gap, _ in gaps:
        now += gap
        times.append(now)
    at_noon = sum(abs(time - DAY / 2) < DAY / 8 for time in times)
    assert len(times) == pytest.approx(100_000, rel=0.02)
    # The integral of 1 - 0.9 cos over the quarter of the day around noon.
    assert at_noon / len(times) == pytest.approx(0.25 + 0.9 * math.sin(math.pi / 4) / math.pi, abs=0.01)


def test_what_is_drawn_has_the_mean_one():
    rng, draw = random.Random(6), lognormal(0.5)
    drawn = [draw(rng) for _ in range(100_000)]

    mean = sum(drawn) / len(drawn)
    assert mean == pytest.approx(1, abs=0.01)
    assert math.sqrt(sum((one - mean) ** 2 for one in drawn) / len(drawn)) == pytest.approx(0.5, abs=0.02)


def test_quantiles_are_those_of_the_images_not_of_the_batches():
    run = simulate(servers(1, batch=10), iter([(0.0, 10), (100.0, 1)]))

    assert run.quantiles(0.5, 0.9, 1) == [10, 10, 10]
    assert sorted(run.delays) == [1, 10]


def test_the_same_seed_gives_the_same_figures():
    def play(seed: int):
        service = Service(cpu=0.1, wait=0.1, spread=lognormal(0.5))
        return simulate(Deployment(service=service, most=20), poisson(50, 5_000, seed=seed), seed=seed)

    assert play(1) == play(1)
    assert play(1) != play(2)


@pytest.mark.parametrize(
    "deployment, images, what",
    [
        # A day of work for each image: the fifth one would be too old.
        (servers(1, Service(cpu=DAY, wait=0.0), batch=1, parts=(Part("wide", 10, 1),)), 5, "the age of messages"),
        (servers(10, Service(cpu=0.1, wait=0.0), parts=(Part("narrow", 10, 1),)), 1_000, "narrow"),
        (servers(10, parts=(Part("wide", 10_000, 1),)), 1_000, "MaximumConcurrency"),
        (servers(10, parts=(Part("wide", 10_000, 1),)), 10, "nothing"),
    ],
)
def test_what_breaks_first_is_named(deployment, images, what):
    assert breaks_first(simulate(deployment, backlog(images)), deployment.most) == what


def test_every_limit_is_in_the_page_with_its_value_and_source():
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")

    assert len(LIMITS) > 12
    assert [limit.what for limit in LIMITS if limit.source not in page or f"{limit.value:,}" not in page] == []
