"""Helpers of the older releases under the vendor's name."""
from waferlab.debug_util import debug_util
from waferlab.port_map import convert_input_tensor, format_output_tensor, prepare_output_tensor
from waferlab.sdk_utils import input_array_to_u32, memcpy_view, output_array_from_u32
