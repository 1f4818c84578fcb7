"""CSELFRunner, the host API of SDK 0.4 to 0.8."""

from waferlab.elf_runner import CSELFRunner

__all__ = ["CSELFRunner"]
