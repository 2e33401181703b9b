"""The job files of the docs: linted, then run with stand-ins of the cluster, which note what each process is told."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from absl.testing import flagsaver

from pgan_tf import flagfiles
from pgan_tf.config import Config, option_names
from pgan_tf.programs import train
from pgan_tf.workers import cluster

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SHELLCHECK = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
KUBERNETES = ("1.28", "1.37")  # the first whose pods carry their number as a label, and a late one
# What a cluster's programs do, as far as a job file can tell. `python` notes its arguments.
STAND_INS = {
    "python": "#!/bin/bash\nwords=$(printf '%s\\x1f' \"$@\")\necho \"$words\" >> \"$CALLS\"\n",
    "ssh": '#!/bin/bash\n[ "$1" = -n ] || exit 1\ncd "$HOME" && exec bash -c "$3"\n',
    "scp": "#!/bin/bash\nexit 0\n",
    "scontrol": '#!/bin/bash\n[ "$*" = "show hostnames $SLURM_JOB_NODELIST" ] && printf "%s\\n" a1 a2 b1 b2\n',
    "srun": "#!/bin/bash\nwhile [[ $1 = --* ]]; do shift; done\n"
            'for i in 0 1 2 3; do SLURM_PROCID=$i "$@" || exit; done\n',
}  # fmt: skip


def blocks(kind: str) -> list[str]:
    """The blocks of all pages that are fenced as this."""
    return [text for page in PAGES for text in re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.M | re.S)]


SCRIPTS, MANIFESTS = blocks("shell"), [text for text in blocks("yaml") if "apiVersion" in text]


# ---- what is wrong with one ------------------------------------------------------------------------------------------


def script_faults(script: str, folder: Path, *arguments: str) -> list[str]:
    """Of a shell script that starts all processes of a run."""
    text = script if script.startswith("#!") else f"#!/bin/bash\n{script}"
    linted = subprocess.run(
        [SHELLCHECK, "--severity=warning", "--format=gcc", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if linted.returncode:
        return linted.stdout.splitlines() or [linted.stderr]
    environment = {"SLURM_JOB_NODELIST": "a[1-2],b[1-2]", "SLURM_JOB_ID": "4711"}
    return run_faults(run(f"{text}\nwait", folder, environment, *arguments))


def run(script: str, folder: Path, environment: dict[str, str], *arguments: str) -> list[list[str]]:
    """Runs a script where the programs of a cluster are stand-ins; the arguments of each `python` that it starts."""
    programs, home = folder / "bin", folder / "home"
    for place in (home, home / "pgan_tf", folder):  # where each machine has the checkout
        (place / "pgan_tf" / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (place / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        for activate in (place / ".venv" / "bin" / "activate", place / "pgan_tf" / ".venv" / "bin" / "activate"):
            activate.touch()
    programs.mkdir(exist_ok=True)
    for name, text in STAND_INS.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    calls = folder / "calls"
    calls.write_text("")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    known = {"PATH": path, "HOME": str(home), "CALLS": str(calls), **environment}
    ended = subprocess.run(["bash", "-c", script, "job", *arguments], cwd=folder, env=known, check=False,
                           capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return [line.split("\x1f")[:-1] for line in calls.read_text().split("\n")[:-1]]


def run_faults(calls: list[list[str]], environment: dict[str, str] | None = None) -> list[str]:
    """Of the commands of all processes of a run, in any order: each is to be another of the same workers."""
    found, others = [], set()
    for program, *words in calls:
        if program != "train.py":
            return [f"starts {program}"]
        try:
            found.append(asked_cluster(words, environment or {}))
        except ValueError as error:
            return [str(error)]
        others.add(tuple(word for word in words if not word.startswith("--task")))
    if not found or {each.task for each in found} != set(range(len(found[0].addresses))) or len(found) < 2:
        return [f"starts {found}"]
    return [] if len(others) == 1 else [f"they differ: {others}"]


def asked_cluster(words: list[str], environment: dict[str, str]) -> cluster.Cluster:
    """Which process of which a command of train.py asks to be. ValueError for what train.py would refuse."""
    with flagsaver.flagsaver():
        assert len(train.parse_flags(["train.py", *flagfiles.first(words)])) == 1
        Config.from_values({name: train.FLAGS[name].value for name in option_names()})
        if train.FLAGS.strategy != "multi_worker":
            raise ValueError(f"--strategy={train.FLAGS.strategy}")
        return cluster.find(train.FLAGS.workers, train.FLAGS.task, environment)


def manifest_faults(text: str, folder: Path) -> list[str]:
    """Of an indexed job and its service."""
    try:
        parts = list(yaml.safe_load_all(text))
        for part in parts:
            for version in KUBERNETES:
                kubernetes_validate.validate(part, version, strict=True)
    except (yaml.YAMLError, kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return [str(error)]
    service, job = (next(part for part in parts if part["kind"] == kind) for kind in ("Service", "Job"))
    return [*naming_faults(service, job), *pod_faults(job, folder)]


def naming_faults(service: dict, job: dict) -> list[str]:
    """What the schemas cannot know: JOB-NUMBER.SUBDOMAIN is a name while all this holds."""
    name, spec = job["metadata"]["name"], job["spec"]
    rules = {
        "the pods have numbers": spec.get("completionMode") == "Indexed",
        "all run at the same time": spec["completions"] == spec.get("parallelism"),
        "none starts again by itself": spec.get("backoffLimit") == 0,
        "the service is their subdomain": spec["template"]["spec"].get("subdomain") == service["metadata"]["name"],
        "it finds them by what a job writes on them": service["spec"].get("selector") == {"job-name": name},
        "it has no address of its own": service["spec"].get("clusterIP") == "None",
        "names are host names": all(re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", each["metadata"]["name"])
                                    for each in (service, job)),
    }  # fmt: skip
    return [f"not so: {rule}" for rule, holds in rules.items() if not holds]


def pod_faults(job: dict, folder: Path) -> list[str]:
    """Of what the pods run."""
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
    if mounted - volumes or pod.get("restartPolicy") != "Never":
        return [f"mounts {mounted} of {volumes}, restartPolicy {pod.get('restartPolicy')}"]
    program, option, script = [*container["command"], *container["args"]]
    assert (program, option) == ("bash", "-c")
    script = script.replace("/data/", f"{folder}/")
    calls = [call for number in range(spec["completions"])
             for call in run(script, folder, {"JOB_COMPLETION_INDEX": str(number)})]  # fmt: skip
    if faults := run_faults(calls):
        return faults
    hosts = [address.rpartition(":")[0] for address in asked_cluster(calls[0][1:], {}).addresses]
    names = [f"{job['metadata']['name']}-{number}.{pod['subdomain']}" for number in range(spec["completions"])]
    return [] if hosts == names else [f"--workers are {hosts}, the pods {names}"]


# ---- the tests -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Where a job is started: with flags of one's own."""
    for place in (tmp_path, tmp_path / "pgan_tf", tmp_path / "home" / "pgan_tf"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "my.flags").write_text("--dataset=datasets/my\n")
    return tmp_path


def arguments_of(script: str) -> list[str]:
    """What a batch script is given by its user."""
    return ["--flagfile=my.flags"] if '"$@"' in script else []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda text: text.splitlines()[0][:40])
def test_scripts_start_all_processes_of_a_run(script, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert script_faults(script, folder, *arguments_of(script)) == []


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_manifests_start_all_processes_of_a_run(manifest, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert manifest_faults(manifest, folder) == []


def one(texts: list[str], word: str) -> str:
    (found,) = (text for text in texts if word in text)
    return found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SLURM_PROCID", "SLURM_PROCESS"), ('"$WORKERS"', '"$WORKER"'), ("paste -sd,)", "paste -sd,"),
        ("train.py", "train_py"), ("--strategy=multi_worker", ""), (":$port/", "/"), ("'exec", '"exec'),
        ('task "$@"', 'task --no_such_flag "$@"'), ("--strategy=", "--strategies="),
    ],
)  # fmt: skip
def test_a_broken_script_is_refused(old, new, folder, monkeypatch):
    monkeypatch.chdir(folder)
    script = one(SCRIPTS, "#SBATCH")
    assert script.count(old) == 1
    assert script_faults(script.replace(old, new), folder, *arguments_of(script))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("completions: 2", "completions: 3"), ("completions: 2", "completion: 2"), ("ons: 2", "ons: two"),
        ("parallelism: 2", "parallelism: 1"), ("Indexed", "NonIndexed"), ("batch/v1", "batch/v9"), ("d: Job", "d: Jub"),
        ("      subdomain: pgan", "      subdomain: pgans"), ("    spec:", "  spec:"), ("job-name: pgan", "job: pgan"),
        ("clusterIP: None", "clusterIP: 10.0.0.1"), ("pgan-1.pgan", "pgan-1"), ("pgan-0.pgan", "pgan_0.pgan"),
        ("[{name: data, mountPath", "[{name: dat, mountPath"), ("Never", "Always"), ("$JOB_COMPLETION_INDEX", "0"),
        ("image:", "picture:"), ("--strategy", "--strategies"), ("backoffLimit: 0", "backoffLimit: 6"),
    ],
)  # fmt: skip
def test_a_broken_manifest_is_refused(old, new, folder, monkeypatch):
    monkeypatch.chdir(folder)
    (manifest,) = MANIFESTS
    assert old in manifest
    assert manifest_faults(manifest.replace(old, new), folder)


def test_the_image_is_of_what_there_is():
    """Each instruction is one of a Dockerfile's, what it copies and installs is there."""
    (text,) = blocks("dockerfile")
    instructions = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert list(instructions) == ["FROM", "COPY", "WORKDIR", "RUN"]
    assert instructions["COPY"] == f". {instructions['WORKDIR']}"
    assert re.fullmatch(r"python:3\.1[0-3]-slim", instructions["FROM"])
    assert instructions["RUN"] == "pip install --no-cache-dir -e '.[gpu]'"
