"""The host API of SDK 0.4 to 0.8."""
