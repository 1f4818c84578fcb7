"""Points and rectangles under the vendor's name."""
from waferlab.geometry import IntRectangle, IntVector
