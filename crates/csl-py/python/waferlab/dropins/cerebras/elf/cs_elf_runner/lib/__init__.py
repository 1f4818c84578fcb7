"""Helpers of CSELFRunner's hosts."""
