"""S3 and SQS on loopback, with the entries that the hits are measured on, until it is ended.

In a process of its own: what it costs must not be what the reader costs.
"""

import gc
import threading

from core.model.datasets import entry_key
from core.model.entry import encode
from local.aws.server import AwsServer
from local.loopback.ports import PortError
from tools.bench.channel import Channel
from tools.bench.samples import (
    FRESH_MONTH,
    LARGE_BYTES,
    SMALL_BYTES,
    STALE_MONTH,
    balances_entry,
    programs_entry,
)

BUCKET = "benchmark"
ENTRIES = {
    "7k/": [
        programs_entry(SMALL_BYTES),
        balances_entry(FRESH_MONTH, SMALL_BYTES, fresh=True),
        balances_entry(STALE_MONTH, SMALL_BYTES, fresh=False),
    ],
    "600k/": [programs_entry(LARGE_BYTES)],
}
"""By cache prefix."""


def main() -> None:
    """Serve until this process is ended."""
    channel, (port,) = Channel.from_arguments()
    try:
        server = AwsServer(int(port))
    except PortError as exc:
        channel.refuse(f"{exc} (--port)")
        return
    fill(server)
    # The collector would go through all of the emulator, now in one request, now in another.
    gc.freeze()
    queue = server.client("sqs").create_queue(
        QueueName="benchmark.fifo",
        Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    )
    channel.ready(
        AWS_ENDPOINT_URL=server.url, CACHE_BUCKET=BUCKET, REBUILD_QUEUE_URL=queue["QueueUrl"]
    )
    threading.Event().wait()


def fill(server: AwsServer) -> None:
    """Store the entries."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for prefix, entries in ENTRIES.items():
        for entry in entries:
            s3.put_object(Bucket=BUCKET, Key=entry_key(prefix, entry.dataset), Body=encode(entry))


if __name__ == "__main__":
    main()
