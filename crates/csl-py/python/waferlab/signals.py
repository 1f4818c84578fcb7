"""SIGTERM while the machine runs ends the run with a report, as Ctrl-C does, and then the process."""
import signal
import threading


class Terminated(SystemExit):
    """Ends the process with the status that shells give to one that SIGTERM has ended."""

    def __init__(self):
        super().__init__(128 + signal.SIGTERM)


def _terminate(_number, _frame):
    raise Terminated


def begin():
    """Takes SIGTERM over, unless the program handles or ignores it. Returns whether it did."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return False
    signal.signal(signal.SIGTERM, _terminate)
    return True


def end():
    """Gives it back."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
