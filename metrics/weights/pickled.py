"""Pickles read as data: numbers, text, containers, and what a table of names stands for; nothing of theirs is run.

A pickle is a program for a machine with a stack, whose instructions may call any function by its name. This machine has
the instructions that data needs. It calls only the functions of a table that its caller gives, and it is bounded: so
many instructions, text and bytes no longer than the file, and plain values as keys. (A tuple of tuples that share their
parts may have 2^60 of them in a hundred bytes, and hashing it visits each.)
Source: the documentation in Python's pickletools, which also reads the instructions here.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO, NamedTuple

GREATEST_KEY = 2**61 - 1  # from here on Python's hash of an integer repeats itself
KEYS = (str, bytes, int, float, bool, type(None))


class PickleError(ValueError):
    """What a pickle has that data has not: the words for it, without the file's name."""


class Function(NamedTuple):
    """What a pickle may call: `call` gets arguments of its choice."""

    call: Callable


class Part:
    """What a pickle may give a state to. A subclass looks at it in `set_state`."""

    def set_state(self, state: object) -> None:
        raise NotImplementedError


class Reading(NamedTuple):
    """How to read a kind of file.

    names: (module, name) -> a Function, or a value that may be passed on. needless: what a message says of any other.
    text: the encoding of Python 2's text; None leaves it as bytes. most: instructions. persistent: identity -> value.
    """

    names: Mapping[tuple[str, str], object]
    needless: str
    most: int
    text: str | None = None
    persistent: Callable[[object], object] | None = None


def read(content: BinaryIO, reading: Reading) -> object:
    """The value of the pickle that begins at the position of `content`, which is behind it afterwards.

    PickleError: it wants what is not data. A damaged one may raise any other Exception.
    """
    machine = _Machine(reading)
    for count, (instruction, argument, _) in enumerate(pickletools.genops(content)):
        if count >= reading.most:
            raise PickleError(f"damaged: its pickle has more than {reading.most:,} operations")
        if instruction.name == "STOP":
            return machine.stack.pop()
        if instruction.name not in _INSTRUCTIONS:
            raise PickleError(f"its pickle has the instruction {instruction.name}, {reading.needless}")
        _INSTRUCTIONS[instruction.name](machine, argument)
    raise PickleError("damaged: its pickle has no end")


def check_keys(keys: Iterable) -> list:
    """Those of a dictionary, or what is in a set. PickleError unless hashing each takes no longer than reading it."""
    keys = list(keys)
    for key in keys:
        if type(key) not in KEYS or (type(key) is int and abs(key) >= GREATEST_KEY):
            raise PickleError(f"damaged: a {type(key).__name__} as a key")
    return keys


class _Machine:
    """The stack, and the marks' stacks below it; the memo."""

    def __init__(self, reading: Reading):
        self.reading = reading
        self.stack: list = []
        self.below: list[list] = []
        self.memo: dict[int, object] = {}

    def push(self, value: object) -> None:
        self.stack.append(value)

    def text(self, argument: str) -> None:
        """Python 2's; pickletools gives its bytes as Latin-1."""
        content = argument.encode("latin1")
        self.push(content if self.reading.text is None else content.decode(self.reading.text))

    def mark(self, _: object) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list:
        items, self.stack = self.stack, self.below.pop()
        return items

    def last(self, count: int) -> list:
        items = self.stack[-count:]
        if len(items) < count:
            raise PickleError("damaged: its pickle takes what is not there")
        del self.stack[-count:]
        return items

    def extend(self, items: list) -> None:
        """Of a list, or a set."""
        target = self.stack[-1]
        if type(target) is set:
            target.update(check_keys(items))
        elif type(target) is list:
            target.extend(items)
        else:
            raise PickleError(f"damaged: its pickle adds to a {type(target).__name__}")

    def set_items(self, items: list) -> None:
        target = self.stack[-1]
        if type(target) not in (dict, OrderedDict) or len(items) % 2:
            raise PickleError(f"damaged: its pickle sets items of a {type(target).__name__}")
        target.update(zip(check_keys(items[::2]), items[1::2], strict=True))

    def dictionary(self, _: object) -> None:
        items = self.since_mark()
        self.push({})
        self.set_items(items)

    def store(self, index: object) -> None:
        self.memo[int(index)] = self.stack[-1]

    def recall(self, index: object) -> None:
        self.push(self.memo[int(index)])

    def look_up(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("damaged: its pickle asks for what is no name")
        if (module, name) not in self.reading.names:
            wanted = repr(f"{module}.{name}"[:100])[1:-1]  # one line, whatever the file calls it
            raise PickleError(f"its pickle asks for {wanted}, {self.reading.needless}")
        self.push(self.reading.names[module, name])

    def call(self, _: object) -> None:
        function, arguments = self.last(2)
        if not isinstance(function, Function) or type(arguments) is not tuple:
            raise PickleError("damaged: its pickle calls what is no function")
        self.push(function.call(*arguments))

    def build(self, _: object) -> None:
        """Attributes that torch gives its dictionaries are left out."""
        part, state = self.last(2)
        if isinstance(part, Part):
            part.set_state(state)
        elif type(part) is not OrderedDict:
            raise PickleError("damaged: its pickle changes what it is given")
        self.push(part)

    def persistent(self, _: object) -> None:
        if self.reading.persistent is None:
            raise PickleError(f"its pickle has the instruction BINPERSID, {self.reading.needless}")
        self.push(self.reading.persistent(self.stack.pop()))


_VALUES = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
)  # fmt: skip
_INSTRUCTIONS: dict[str, Callable[[_Machine, object], object]] = {
    **{name: _Machine.push for name in _VALUES},
    **{name: _Machine.text for name in ("STRING", "BINSTRING", "SHORT_BINSTRING")},
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "MARK": _Machine.mark,
    "POP": lambda machine, _: machine.last(1) if machine.stack else machine.since_mark(),
    "POP_MARK": lambda machine, _: machine.since_mark(),
    "DUP": lambda machine, _: machine.push(machine.stack[-1]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.last(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.last(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.last(3))),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "LIST": lambda machine, _: machine.push(machine.since_mark()),
    "APPEND": lambda machine, _: machine.extend(machine.last(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "DICT": _Machine.dictionary,
    "SETITEM": lambda machine, _: machine.set_items(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "EMPTY_SET": lambda machine, _: machine.push(set()),
    "ADDITEMS": lambda machine, _: machine.extend(machine.since_mark()),
    "FROZENSET": lambda machine, _: machine.push(frozenset(check_keys(machine.since_mark()))),
    **{name: _Machine.store for name in ("PUT", "BINPUT", "LONG_BINPUT")},
    "MEMOIZE": lambda machine, _: machine.store(len(machine.memo)),
    **{
        name: lambda machine, index: machine.push(machine.memo[int(index)]) for name in ("GET", "BINGET", "LONG_BINGET")
    },
    "GLOBAL": lambda machine, names: machine.look_up(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.look_up(*machine.last(2)),
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}
