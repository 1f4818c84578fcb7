"""The appliance client under its first name; it compiles and simulates on this machine."""
from waferlab.appliance import SdkCompiler, SdkLauncher, SdkRuntime, Task
from . import debug_util, sdk_utils
