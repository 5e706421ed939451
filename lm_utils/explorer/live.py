"""Training while somebody watches: one thread at a time, stopped by an event, never a lost error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import Event, Thread

Work = Callable[[Event], None]

_one_at_a_time = threading.Lock()
_running: set[LiveTraining] = set()


class LiveTraining:
    """Runs one piece of work in a thread; `ended` hears None, or one sentence about what went wrong."""

    def __init__(self, ended: Callable[[str | None], None]) -> None:
        self._ended = ended
        self._stop = Event()
        self._thread: Thread | None = None

    @property
    def running(self) -> bool:
        """Whether its thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Work) -> bool:
        """Begin, unless any training is running in this kernel; says whether it began."""
        with _one_at_a_time:
            if any(training.running for training in _running):
                return False
            self._stop = Event()
            self._thread = Thread(target=self._work, args=(work, self._stop), name="live training", daemon=True)
            _running.clear()
            _running.add(self)
            self._thread.start()
        return True

    def stop(self, wait: float = 0.0) -> None:
        """Ask the work to stop; with `wait`, give it so many seconds to end."""
        self._stop.set()
        if wait and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(wait)

    def _work(self, work: Work, stop: Event) -> None:
        """The thread: the work, then `ended`, whatever happened."""
        sentence: str | None = "The training ended unexpectedly."
        try:
            work(stop)
            sentence = None
        except Exception as problem:  # shown, not lost: nothing reads a thread's traceback in a notebook
            sentence = f"{type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else 'no message'}"
        finally:
            self._ended(sentence)


def stop_all(wait: float = 2.0) -> None:
    """Stop whatever still trains in this kernel: a cell that is run again starts with an empty house."""
    for training in tuple(_running):
        training.stop(wait)


class Pace:
    """Says whether it is time to draw again: never more often than `seconds`, and never over a share of all time."""

    def __init__(self, seconds: float = 0.3, share: float = 0.15) -> None:
        self.seconds, self.share = seconds, share
        self.spent = 0.0  # on all drawings so far
        self._drawn = self._cost = 0.0

    def due(self) -> bool:
        """Whether a drawing may be made now."""
        pause = max(self.seconds, self._cost / self.share)
        return time.perf_counter() - self._drawn >= pause

    def draw(self, draw: Callable[[], None]) -> None:
        """Draw, and remember how long it took."""
        started = time.perf_counter()
        draw()
        self._drawn = time.perf_counter()
        self._cost = self._drawn - started
        self.spent += self._cost
