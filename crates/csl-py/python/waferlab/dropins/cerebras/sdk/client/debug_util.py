"""Symbols of a finished run under the vendor's name."""
from waferlab.debug_util import debug_util
