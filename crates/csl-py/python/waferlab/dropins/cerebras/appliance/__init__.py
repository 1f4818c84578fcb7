"""The appliance package under the vendor's name."""
import logging

logger = logging.getLogger("cerebras.appliance")
