"""Which processes train together: as --workers and --task say it, or TF_CONFIG, which cluster managers set."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pgan_tf.option import ConfigError, shown, whole_number

VARIABLE = "TF_CONFIG"
HOW = "give all of them --workers=HOST:PORT,HOST:PORT and each its own --task=0, 1, .."
CHIEFS, WORKERS = ("chief", "master"), "worker"  # the jobs of a TF_CONFIG that train


class Cluster(NamedTuple):
    """The addresses of all workers, the chief's first, and which of them this process is."""

    addresses: tuple[str, ...]
    task: int = 0

    @property
    def chief(self) -> bool:
        """Whether this process is the one that decides and writes."""
        return self.task == 0

    def name(self, task: int) -> str:
        """'the chief (host:2222)', 'worker 1 (host:2223)'."""
        return f"{f'worker {task}' if task else 'the chief'} ({self.addresses[task]})"

    def port(self, task: int) -> int:
        return int(self.addresses[task].rpartition(":")[2])

    def host(self, task: int) -> str:
        return self.addresses[task].rpartition(":")[0].strip("[]")


def find(workers: str, task: int, environment: Mapping[str, str]) -> Cluster | None:
    """The cluster of this process; workers: '' where --workers is not given, task: -1 without --task.

    None where nothing names one. Raises ConfigError, one line: for what is no cluster, and where both say another.
    """
    said = _of_flags(workers, task) if workers or task >= 0 else None
    text = environment.get(VARIABLE, "").strip()
    found = _of_variable(text) if text else None
    if said and found and said != found:
        theirs, ours = (f"{','.join(cluster.addresses)} task {cluster.task}" for cluster in (found, said))
        raise ConfigError(f"--workers and --task say {ours}, {VARIABLE} says {theirs}: leave one of them out")
    return said or found


def _of_flags(workers: str, task: int) -> Cluster:
    if not workers:
        raise ConfigError(f"--task={task}: of which workers? {HOW}")
    addresses = tuple(address.strip() for address in workers.split(","))
    said = f"--workers={shown(workers)}"
    _check(addresses, said)
    if task < 0:
        raise ConfigError(f"{said}: which of them is this process? Add --task=0 for the first, the chief, "
                          "--task=1 for the next")  # fmt: skip
    if task >= len(addresses):
        raise ConfigError(f"--task={task}: --workers names {len(addresses)}, so it is 0 to {len(addresses) - 1}")
    return Cluster(addresses, task)


def _check(addresses: tuple[str, ...], said: str) -> None:
    """ConfigError unless all are host:port, and each another."""
    for address in addresses:
        host, _, port = address.rpartition(":")
        number = whole_number(port)
        if not host or re.search(r"[\s/@]", host) or number is None or not 0 < number < 2**16:
            raise ConfigError(f"{said}: {shown(address)!r} is not HOST:PORT, as in node1:2222")
        if addresses.count(address) > 1:
            raise ConfigError(f"{said}: names {address} twice; workers on one machine need a port each")


def _of_variable(text: str) -> Cluster:
    """What TF_CONFIG says. ConfigError."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{VARIABLE}={shown(text)}: is not JSON ({error}); {_form()}") from None
    jobs, task = (said.get(name) if isinstance(said, dict) else None for name in ("cluster", "task"))
    if not isinstance(jobs, dict) or not isinstance(task, dict):
        raise ConfigError(f"{VARIABLE}={shown(text)}: has no cluster or no task; {_form()}")
    chiefs = [address for job in CHIEFS for address in _addresses(jobs, job)]
    if len(chiefs) > 1:
        raise ConfigError(f"{VARIABLE}: names {len(chiefs)} chiefs; there can be one")
    addresses = (*chiefs, *_addresses(jobs, WORKERS))
    if not addresses:
        raise ConfigError(f"{VARIABLE}: its cluster names no chief and no worker; {_form()}")
    _check(addresses, f"{VARIABLE}")
    return Cluster(addresses, _number(task, len(chiefs), len(addresses)))


def _addresses(jobs: dict[str, Any], job: str) -> list[str]:
    addresses = jobs.get(job, [])
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise ConfigError(f"{VARIABLE}: its {job} is not a list of addresses; {_form()}")
    return addresses


def _number(task: dict[str, Any], chiefs: int, workers: int) -> int:
    """Which worker a task is, the chief being number 0."""
    job, index = task.get("type"), task.get("index", 0)
    number = whole_number(index) if isinstance(index, str) else index
    if job not in (*CHIEFS, WORKERS):
        raise ConfigError(f"{VARIABLE}: a task of type {shown(job)} has nothing to do here; start chief and workers")
    if type(number) is not int or number < 0:
        raise ConfigError(f"{VARIABLE}: its task has the index {shown(index)}; {_form()}")
    number += chiefs if job == WORKERS else 0
    if number >= (workers if job == WORKERS else chiefs):
        raise ConfigError(f"{VARIABLE}: there is no {job} {index} in its cluster")
    return number


def _form() -> str:
    return 'as in {"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
