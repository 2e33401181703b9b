"""The named feature extractors."""
