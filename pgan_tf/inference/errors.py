"""What cannot be generated, in one line for the user."""

from pgan_tf.errors import UserError


class GenerateError(UserError, ValueError):
    """Wrong input to a command on a trained network: the message is one line that says what is wrong and what to do."""
