"""The appliance client under the vendor's name; it compiles and simulates on this machine."""
from waferlab.cs_python import hide_client

hide_client(__name__)

from waferlab.appliance import SdkCompiler, SdkLauncher, SdkRuntime, Task
from . import debug_util, sdk_utils
