"""`python -m waferlab.sweeps`, which `waferlab sweep` becomes."""
import sys

from waferlab.sweeps import main

if __name__ == "__main__":
    sys.exit(main())
