"""Signals while the machine runs: SIGTERM ends the run with a report, as Ctrl-C does, and then the process. Where the
machine runs in another thread than the main one, that thread ends with the report before the process does."""
import signal
import sys
import threading
import time

# The seconds that a thread gets to end its run and to print the report.
_PATIENCE = 5
# The threads, other than the main one, in which a machine runs.
_workers = set()
_state = {"terminated": False, "ending": False}


class Terminated(SystemExit):
    """Ends the process with the status that shells give to one that SIGTERM has ended."""

    def __init__(self):
        super().__init__(128 + signal.SIGTERM)


def _terminate(_number, _frame):
    _state["terminated"] = True
    raise Terminated


def _is_free():
    """Whether this thread can handle SIGTERM, and the program neither handles nor ignores it."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def watch():
    """Takes SIGTERM over for good, so that it also reaches machines in other threads."""
    if _is_free():
        signal.signal(signal.SIGTERM, _terminate)


def begin():
    """Takes SIGTERM over while the machine runs. Returns whether it did."""
    if threading.current_thread() is not threading.main_thread():
        _workers.add(threading.current_thread())
    if not _is_free():
        return False
    signal.signal(signal.SIGTERM, _terminate)
    return True


def end(taken):
    """Gives it back, if it was taken over."""
    _workers.discard(threading.current_thread())
    if taken:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def is_terminated():
    """Whether SIGTERM ends the process."""
    return _state["terminated"]


def is_ending():
    """Whether a run in this thread is to end, because a signal ends the process."""
    return _state["ending"] and threading.current_thread() in _workers


def _end():
    """Lets the threads end their runs where Ctrl-C or SIGTERM has ended the main thread."""
    if _state["terminated"] or isinstance(getattr(sys, "last_value", None), KeyboardInterrupt):
        _state["ending"] = True
        for thread in list(_workers):
            _wait_for(thread)


def _wait_for(thread):
    """Waits until a thread has ended. Its join() does not wait once a signal has interrupted another join() of it."""
    until = time.monotonic() + _PATIENCE
    while thread.ident in sys._current_frames() and time.monotonic() < until:
        time.sleep(0.01)


# Before the interpreter waits for threads, and long before it stops the daemons among them.
threading._register_atexit(_end)
