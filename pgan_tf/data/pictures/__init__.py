"""Any picture file -> sRGB pixels: formats, opening, colour, rare layouts, orientation."""
