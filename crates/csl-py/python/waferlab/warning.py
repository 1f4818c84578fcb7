"""Warnings, shown at the line of the program that called the package."""
import difflib
import logging
import os
import sys
import warnings

logger = logging.getLogger("waferlab")

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def caller():
    """The frame of the first caller outside of this package, and its number of callees as `warnings` counts them here."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return frame, level


def warn(text):
    """Warns at the first caller outside of this package, unless `msg_level` asks for errors only."""
    if logger.isEnabledFor(logging.WARNING):
        warnings.warn(text, RuntimeWarning, stacklevel=caller()[1])


def place():
    """The file and the line of the program that calls the package, for `warn_at`."""
    frame, _ = caller()
    return frame.f_code.co_filename, frame.f_lineno


def warn_at(where, text):
    """Warns at a place of the program, where it does not call the package any more."""
    if logger.isEnabledFor(logging.WARNING):
        warnings.warn_explicit(text, RuntimeWarning, *where)


def unknown_words(who, given, known):
    """Warns of keyword arguments that are not known: the vendor's own classes and methods take any."""
    for word in given:
        if word not in known:
            near = difflib.get_close_matches(word, known, n=1)
            help = f"the nearest known one is {near[0]!r}" if near else f"known are {', '.join(known)}"
            warn(f"{who}() does without the keyword argument {word!r}, which it does not know; {help}")
