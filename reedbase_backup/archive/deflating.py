"""Deflate in a thread of its own: isal lets go of the GIL, so another core reads meanwhile."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread

from isal import isal_zlib

# One that is compressed and one that waits: more would cost memory and gain no time.
_UNDER_WAY = 2

_Job = tuple[isal_zlib.Compress, bytes]
_Result = bytes | Exception


class Deflating:
    """Compresses one piece after another, and gives them back in their order.

    The thread is there from the first piece until `close`.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._results: SimpleQueue[_Result] = SimpleQueue()
        self._thread: Thread | None = None
        self._under_way = 0

    def add(self, deflate: isal_zlib.Compress, data: bytes) -> list[bytes]:
        """Have `data` compressed, and return what came of earlier pieces so far."""
        if self._thread is None and not self._start():
            return [deflate.compress(data)]
        self._jobs.put((deflate, data))
        self._under_way += 1
        return self._taken(_UNDER_WAY)

    def rest(self) -> list[bytes]:
        """Wait for all pieces, and return what came of them."""
        return self._taken(0)

    def close(self) -> None:
        """End the thread, which may be in the middle of a piece."""
        if self._thread is None:
            return
        self._jobs.put(None)
        # Interrupted while it was started, it may not be there yet, and ends as it comes.
        if self._thread.is_alive():
            self._thread.join()
        self._thread = None

    def _start(self) -> bool:
        self._thread = Thread(
            target=_compress_all,
            args=(self._jobs, self._results),
            name="reedbackup-deflate",
            daemon=True,
        )
        try:
            self._thread.start()
        except RuntimeError:
            # This user has as many threads as the system allows.
            self._thread = None
            return False
        return True

    def _taken(self, left: int) -> list[bytes]:
        """Return results until no more than `left` are missing."""
        taken = []
        while self._under_way > left:
            result = self._results.get()
            self._under_way -= 1
            if not isinstance(result, bytes):
                raise result
            taken.append(result)
        return taken


def _compress_all(jobs: SimpleQueue[_Job | None], results: SimpleQueue[_Result]) -> None:
    while (job := jobs.get()) is not None:
        deflate, data = job
        try:
            results.put(deflate.compress(data))
        except Exception as error:  # noqa: BLE001 - not handled, but raised in the other thread
            results.put(error)
