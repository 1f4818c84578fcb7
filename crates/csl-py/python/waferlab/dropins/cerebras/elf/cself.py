"""The ELF files of a compiled program."""

from waferlab.elf_runner import ELFMemory

__all__ = ["ELFMemory"]
