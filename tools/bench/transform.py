"""How the making of the program lists grows with the chart."""

import time

from core.transform.chart import Account
from core.transform.programs import program_lists
from tools.bench.channel import Channel
from tools.bench.harness import growth_exponent, ratios, seconds
from tools.bench.samples import program_names

ROUNDS = 9
SMALLEST = 1_500
SIZES = (6_000, 24_000, 60_000)


def chart(codes: int) -> list[Account]:
    """Return so many accounts of two parts each, one program in seven inactive."""
    return [
        Account(f"{code}{part:02}", "A" if int(code) % 7 else "I", title)
        for code, title in program_names(codes // 2)
        for part in range(2)
    ]


def main() -> None:
    """Make the lists of each size in turns with as many of the smallest; tell the ratios."""
    channel, _ = Channel.from_arguments()
    smallest = chart(SMALLEST)
    channel.begin(ROUNDS * len(SIZES))
    for size in SIZES:
        accounts, factor = chart(size), size // SMALLEST

        def once(accounts: list[Account] = accounts) -> None:
            program_lists(accounts, frozenset())

        def as_many(times: int = factor) -> None:
            for _ in range(times):
                program_lists(smallest, frozenset())

        # The small chart as often as it takes to have the same number of codes.
        clock = time.process_time
        for ratio in ratios(seconds(once, clock), seconds(as_many, clock), rounds=ROUNDS, turns=1):
            channel.series("transform", str(size), ratio * factor)
            if size == SIZES[-1]:
                channel.value("transform", growth_exponent(ratio * factor, factor))
            channel.step()


if __name__ == "__main__":
    main()
