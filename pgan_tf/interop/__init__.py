"""Networks of others into ours, and ours into formats of others."""
