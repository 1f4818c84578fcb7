"""The appliance package under the vendor's name."""
from waferlab.cs_python import hide_client

hide_client(__name__)

import logging

logger = logging.getLogger("cerebras.appliance")
