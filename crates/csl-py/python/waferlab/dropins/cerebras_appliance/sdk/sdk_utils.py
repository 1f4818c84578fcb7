"""Helpers around SdkRuntime under the vendor's name."""
from waferlab.sdk_utils import *
