"""The one error that bad input raises in this package."""


class DataError(ValueError):
    """Bad input: the message is one line that names the file, flag or value and says what to do about it."""
