"""The handler's answers against a bare GetObject of the same object, on the same loopback S3.

Called as Lambda calls it, with proxy events; logs and metrics are on, and their lines are read by
another process. Neither Lambda's own work nor API Gateway's is in it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import boto3

from core.model.datasets import PROGRAM_LISTS, entry_key
from handlers.reader import lambda_handler
from tools.bench.channel import Channel
from tools.bench.harness import ratios, seconds, settled
from tools.bench.samples import (
    CONTEXT,
    FRESH_MONTH,
    STALE_MONTH,
    VIEW,
    month,
    proxy_event,
)

ROUNDS, TURNS = 20, 20

Cost = Callable[[], float]
Pair = tuple[Cost, Cost]


def answer(event: Mapping[str, Any], status: int = 200) -> Cost:
    """Return how to measure the handler's answer to an event, which is checked once."""
    given = lambda_handler(event, CONTEXT)
    if given["statusCode"] != status:
        raise RuntimeError(f"{event['path']} was answered with {given['statusCode']}")
    return settled(seconds(lambda: lambda_handler(event, CONTEXT)))


class Object:
    """The programs entry on S3, as a plain client sees it."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._s3: Any = boto3.client("s3")
        self._place = {"Bucket": bucket, "Key": entry_key(prefix, PROGRAM_LISTS)}
        self._body = self._read()
        self._changes = 0

    def get(self) -> Cost:
        """Return how to measure a bare read."""
        return settled(seconds(self._read))

    def renewed_before(self, cost: Cost) -> Cost:
        """Return the same measurement, each time after the object was written with a new ETag."""

        def run() -> float:
            self._changes += 1
            self._s3.put_object(**self._place, Body=self._body + b" " * self._changes)
            return cost()

        return run

    def _read(self) -> bytes:
        body: bytes = self._s3.get_object(**self._place)["Body"].read()
        return body


def pairs(stored: Object, size: str) -> dict[str, Pair]:
    """Return, by row, what is measured and what it is compared with."""
    plain = answer(proxy_event())
    first = seconds(lambda: lambda_handler(proxy_event(), CONTEXT))
    etag = lambda_handler(proxy_event(), CONTEXT)["headers"]["ETag"]
    conditional = answer(proxy_event(headers={"If-None-Match": etag}), 304)
    return {
        f"warm_{size}": (plain, stored.get()),
        f"conditional_{size}": (conditional, stored.get()),
        f"renewed_{size}": (stored.renewed_before(first), stored.get()),
    }


def more_pairs(stored: Object) -> dict[str, Pair]:
    """Return what is measured on the small entry alone."""
    fresh = proxy_event("/balances", parameters=month(FRESH_MONTH))
    stale = proxy_event("/balances", parameters=month(STALE_MONTH))
    return {
        "view_7k": (answer(proxy_event(parameters=VIEW)), stored.get()),
        "page_7k": (answer(proxy_event("/", {"Accept": "text/html"})), stored.get()),
        "stale": (answer(stale), answer(fresh)),
    }


def main() -> None:
    """Measure one size of entry; tell the ratios of each round."""
    channel, (bucket, size) = Channel.from_arguments()
    stored = Object(bucket, f"{size}/")
    measured = pairs(stored, size) | (more_pairs(stored) if size == "7k" else {})
    channel.begin(ROUNDS * len(measured))
    for row, (subject, baseline) in measured.items():
        for ratio in ratios(subject, baseline, rounds=ROUNDS, turns=TURNS):
            channel.value(row, ratio)
            channel.step()


if __name__ == "__main__":
    main()
