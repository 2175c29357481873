"""Ctrl-C, SIGTERM and a closed terminal: while starting they break off, later they ask to end."""

import contextlib
import signal
import threading
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Takes SIGINT, SIGTERM and SIGHUP of the process. To be made in the main thread.

    Until `wait` is called, and within `until_next_signal`, they raise KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._raises = True
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def wait(self) -> None:
        """Wait for a signal, which raises nothing any more."""
        self._raises = False
        # A handler runs in this thread, which a signal to another one would not wake.
        while not self._requested.wait(0.5):
            continue

    @contextlib.contextmanager
    def until_next_signal(self) -> Iterator[None]:
        """Let a further signal break off what runs in the context, and no more than that."""
        self._raises = True
        try:
            yield
        except KeyboardInterrupt:
            return
        finally:
            self._raises = False

    def _handle(self, *_: object) -> None:
        self._requested.set()
        if self._raises:
            raise KeyboardInterrupt
