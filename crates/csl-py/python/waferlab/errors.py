"""Exceptions of the package. All are RuntimeErrors, as the vendor's own are."""
import os
import sys
import threading

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class SdkError(RuntimeError):
    """The base class of all errors of the host API."""


class ArgumentError(SdkError, ValueError):
    """A wrong argument: raised before anything moves."""


class CompileError(SdkError):
    """A program that does not compile; the text holds the diagnostics."""


class SimulationError(SdkError):
    """A fault of a PE, or a run that can make no more progress; the text explains it."""


def _is_ours(trace):
    return os.path.abspath(trace.tb_frame.f_code.co_filename).startswith(_PACKAGE)


def _cut(error):
    """Ends the traceback of an error at the last line of the program: the frames of the package say nothing about it."""
    last, trace = None, error.__traceback__
    while trace is not None:
        last = trace if not _is_ours(trace) else last
        trace = trace.tb_next
    if last is not None:
        last.tb_next = None


def _shown(kind, error, trace, show=sys.excepthook):
    if isinstance(error, (SdkError, KeyboardInterrupt)):
        _cut(error)
    show(kind, error, trace)


def _shown_of_thread(raised, show=threading.excepthook):
    if isinstance(raised.exc_value, (SdkError, KeyboardInterrupt)):
        _cut(raised.exc_value)
    show(raised)


# A program's own hooks stay: they may want all frames.
if sys.excepthook is sys.__excepthook__:
    sys.excepthook = _shown
if threading.excepthook is getattr(threading, "__excepthook__", None):
    threading.excepthook = _shown_of_thread
