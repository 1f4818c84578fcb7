"""`python -m waferlab.sweeps`, which `waferlab sweep` becomes."""
import sys

from waferlab.sweeps.command import main

if __name__ == "__main__":
    sys.exit(main())
