"""The one error that bad input raises in this package."""

from pgan_tf.errors import UserError


class DataError(UserError, ValueError):
    """Bad input: the message is one line that names the file, flag or value and says what to do about it."""
