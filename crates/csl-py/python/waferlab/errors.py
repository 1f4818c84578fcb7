"""Exceptions of the package. All are RuntimeErrors, as the vendor's own are."""


class SdkError(RuntimeError):
    """The base class of all errors of the host API."""


class ArgumentError(SdkError, ValueError):
    """A wrong argument: raised before anything moves."""


class CompileError(SdkError):
    """A program that does not compile; the text holds the diagnostics."""


class SimulationError(SdkError):
    """A fault of a PE, or a run that can make no more progress; the text explains it."""
