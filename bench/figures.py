"""One measurement, and the medians of several."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cases import Case

RESAMPLED = 10_000


@dataclass(frozen=True)
class Figure:
    """What one sample gave. Times are milliseconds; processor times are per request."""

    side: str
    case: Case
    per_second: float
    p50: float
    p99: float
    web_ms: float
    database_ms: float
    redis_ms: float

    @property
    def processor_ms(self) -> float:
        return self.web_ms + self.database_ms + self.redis_ms


@dataclass(frozen=True)
class Typical:
    """Medians over the rounds; `spread` is the quickest round over the slowest, as a sign of noise."""

    per_second: float
    p50: float
    p99: float
    web_ms: float
    database_ms: float
    redis_ms: float
    processor_ms: float
    spread: float


def typical(figures: Iterable[Figure]) -> Typical:
    found = list(figures)
    rates = [each.per_second for each in found]

    def middle(name: str) -> float:
        return float(median(getattr(each, name) for each in found))

    return Typical(
        per_second=middle("per_second"),
        p50=middle("p50"),
        p99=middle("p99"),
        web_ms=middle("web_ms"),
        database_ms=middle("database_ms"),
        redis_ms=middle("redis_ms"),
        processor_ms=middle("processor_ms"),
        spread=max(rates) / min(rates),
    )


def middle_within(values: Sequence[float]) -> tuple[float, float, float]:
    """The median of these, and between what it lies with 95 % confidence: the percentile bootstrap of Efron."""
    chance = random.Random("bootstrap")
    again = sorted(median(chance.choices(values, k=len(values))) for _ in range(RESAMPLED))
    return median(values), again[RESAMPLED // 40], again[-RESAMPLED // 40]
