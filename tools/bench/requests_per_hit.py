"""How many requests to AWS a hit costs, counted where botocore sends them."""

from collections import Counter
from typing import Any

import handlers.wiring.reader as wiring
from handlers.reader import lambda_handler
from tests.benchmarks.channel import Channel
from tests.benchmarks.samples import CONTEXT, STALE_MONTH, VIEW, proxy_event

HITS = 50


def counted() -> Counter[str]:
    """Count the requests of the clients that the reader makes from now on, by event name."""
    sent: Counter[str] = Counter()
    make = wiring.client

    def client(*arguments: Any) -> Any:
        made = make(*arguments)
        made.meta.events.register(
            "before-send", lambda event_name, **_: sent.update([event_name.split(".")[1]])
        )
        return made

    wiring.client = client
    return sent


def main() -> None:
    channel, _ = Channel.from_arguments()
    sent = counted()
    events = [proxy_event(), proxy_event("/tags"), proxy_event(**VIEW)]
    stale = proxy_event("/balances", target_date=STALE_MONTH.end.isoformat())
    channel.begin(len(events) + 1)
    for event in events:
        sent.clear()
        for _ in range(HITS):
            lambda_handler(event, CONTEXT)
        channel.value("s3_requests", sent["s3"] / HITS)
        channel.step()
    sent.clear()
    for _ in range(HITS):
        lambda_handler(stale, CONTEXT)
    channel.value("stale_sends", sent["sqs"])
    channel.step()


if __name__ == "__main__":
    main()
