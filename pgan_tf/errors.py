"""The one base of everything that a program ends with in one line for its user."""

import errno

# What helps where the system refuses, and where it is not plain from its own words.
WAYS_ON = {
    errno.ENOSPC: "make room or choose another place",
    errno.EDQUOT: "make room or choose another place",
    errno.EFBIG: "the disk takes no file of that size: give more --shards or choose another place",
    errno.EROFS: "choose another place",
    errno.EEXIST: "something has its name already: remove it or choose another name",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another place",
    errno.EACCES: "choose a place where you have the rights, or ask for them",
    errno.EPERM: "choose a place where you have the rights, or ask for them",
    errno.EMFILE: "raise the limit on open files: ulimit -n 4096",
    errno.ENFILE: "end other programs: they have all the files open that this machine allows",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: "check the disk or its connection",
    errno.ESTALE: "check the connection of the network drive",
    errno.ENOMEM: "end other programs: the memory is full",
}
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what keeps a file from being written to its end
_READING = (errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ENOMEM)


def system_words(error: OSError) -> str:
    """What the system says, in one line and without the file."""
    return error.strerror or (str(error).splitlines() or [type(error).__name__])[0]


def reason(error: OSError) -> str:
    """Why a file cannot be read: the system's words, and what to do where they do not say it."""
    words = system_words(error)
    return f"{words} ({WAYS_ON[error.errno]})" if error.errno in _READING else words


class UserError(Exception):
    """What the user can mend: the message is one line that names the file, flag or value and says what to do.

    status: the exit status of the program; 2 for wrong input, 1 for a fault on the way.
    """

    status = 2
