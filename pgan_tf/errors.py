"""The one base of everything that a program ends with in one line for its user."""


class UserError(Exception):
    """What the user can mend: the message is one line that names the file, flag or value and says what to do.

    status: the exit status of the program; 2 for wrong input, 1 for a fault on the way.
    """

    status = 2
