"""Suites: several flagfiles times several seeds, trained, measured and compared with error bars."""
