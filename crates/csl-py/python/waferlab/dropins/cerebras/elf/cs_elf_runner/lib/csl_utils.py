"""Reads what the <debug> library recorded."""

from waferlab.elf_runner import read_trace

__all__ = ["read_trace"]
