"""Where images come from and where numbers go; the metrics themselves are in the package `metrics`."""
