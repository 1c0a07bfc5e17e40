"""When messages come: all at once, at random, or as a day goes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

DAY = 86_400
#: How much more comes at the busiest hour than on average; as much less comes at the quietest.
SWING = 0.9


def backlog(images: int) -> Iterator[tuple[float, int]]:
    """All are there at the start."""
    yield 0.0, images


def poisson(rate: float, images: int, *, seed: int = 0) -> Iterator[tuple[float, int]]:
    """One by one at random, `rate` a second on average."""
    rng = random.Random(seed)
    for _ in range(images):
        yield rng.expovariate(rate), 1


def day(images: int, *, seed: int = 0) -> Iterator[tuple[float, int]]:
    """About `images` in 24 hours, at random: most at noon, fewest at midnight."""
    rng, mean, now = random.Random(seed), images / DAY, 0.0
    last, highest = 0.0, mean * (1 + SWING)
    while (now := now + rng.expovariate(highest)) < DAY:
        # Thinning (Lewis and Shedler, 1979): of the busiest hour's arrivals, those that this hour would have.
        if rng.random() < _rate(now, mean) / highest:
            yield now - last, 1
            last = now


def _rate(now: float, mean: float) -> float:
    return mean * (1 - SWING * math.cos(2 * math.pi * now / DAY))


def lognormal(variation: float) -> Callable[[random.Random], float]:
    """Draws with mean 1 and standard deviation `variation`: most are a little quicker, a few much slower."""
    sigma = math.sqrt(math.log(1 + variation**2))
    return lambda rng: rng.lognormvariate(-(sigma**2) / 2, sigma)
