"""How many requests to AWS a hit costs, counted where they are sent."""

from collections import Counter
from typing import Any

from botocore.httpsession import URLLib3Session

from handlers.reader import lambda_handler
from tools.bench.channel import Channel
from tools.bench.samples import CONTEXT, STALE_MONTH, VIEW, month, proxy_event

HITS = 50


def counted() -> Counter[str]:
    """Count what is sent from now on by HTTP method: S3 is asked with GET, SQS with POST."""
    sent: Counter[str] = Counter()
    send = URLLib3Session.send

    def counting(self: URLLib3Session, request: Any) -> Any:
        sent[request.method] += 1
        return send(self, request)

    URLLib3Session.send = counting  # type: ignore[method-assign]
    return sent


def main() -> None:
    """Ask for each kind of hit many times; tell the requests of each."""
    channel, _ = Channel.from_arguments()
    sent = counted()
    events = [proxy_event(), proxy_event("/tags"), proxy_event(parameters=VIEW)]
    stale = proxy_event("/balances", parameters=month(STALE_MONTH))
    channel.begin(len(events) + 1)
    for event in events:
        sent.clear()
        for _ in range(HITS):
            lambda_handler(event, CONTEXT)
        channel.value("s3_requests", sent["GET"] / HITS)
        channel.step()
    sent.clear()
    for _ in range(HITS):
        lambda_handler(stale, CONTEXT)
    channel.value("stale_sends", sent["POST"])
    channel.step()


if __name__ == "__main__":
    main()
