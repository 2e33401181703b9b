"""metrics.jsonl: what is ours is read, whatever else is in it; each line is whole."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pgan_tf.config import Config
from pgan_tf.evaluation import results
from pgan_tf.training.records import Records
from pgan_tf.training.run_report import NEEDS, write_report

TICK = {"tick": 1, "kimg": 2.0, "images": 2000, **dict.fromkeys(NEEDS, 8.0)}
RESULT = {"metric": "swd", "title": "SWD", "fakes": "network-000002.keras", "count": 9, "kimg": 2, "images": 2000,
          "values": {"avg": 3.0}}  # fmt: skip
STRANGE = {
    "binary": b"\x00\xff\xfe\x81" * 50,
    "zeros": bytes(500),
    "words": b"not json",
    "number": b"3",
    "list": b"[1, 2]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "digits": b"1" * 10_000,
    "other": b'{"note": "mine"}',
    "a tick of words": b'{"tick": "a", "kimg": 1}',
    "a tick of nothing": b'{"tick": 1}',
    "a tick of a number without end": json.dumps({**TICK, "kimg": 10**400}).encode(),
    "a tick of no time": json.dumps({**TICK, "train_seconds": float("nan")}).encode(),
    "a tick without end": json.dumps({**TICK, "timing/tick_seconds": float("inf")}).encode(),
    "a loss without end": json.dumps({**TICK, "loss/D": 10**400}).encode(),
    "a tick of yes": b'{"tick": true, "kimg": true}',
    "no metric": json.dumps({**RESULT, "metric": "beauty"}).encode(),
    "a metric of lists": json.dumps({**RESULT, "metric": []}).encode(),
    "no value": json.dumps({**RESULT, "values": {}}).encode(),
    "a value of words": json.dumps({**RESULT, "values": {"avg": "3"}}).encode(),
    "values of a list": json.dumps({**RESULT, "values": [3]}).encode(),
    "a title of numbers": json.dumps({**RESULT, "title": 3}).encode(),
    "a time of words": json.dumps({**RESULT, "kimg": "2"}).encode(),
    "versions of words": json.dumps({**RESULT, "versions": "3"}).encode(),
    "no count": json.dumps({**RESULT, "count": None}).encode(),
    "reals of numbers": json.dumps({**RESULT, "reals": 3}).encode(),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
def test_lines_that_are_not_ours_are_passed_over_and_named_once(tmp_path, capsys, strange):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"\n".join([json.dumps(TICK).encode(), strange, json.dumps(RESULT).encode(), b'{"cut o']))
    for _ in range(2):
        assert results.read(path) == [RESULT]
        assert results.read_ticks(path, NEEDS) == [TICK]
    assert results.table(results.read(path)).row_count == 1
    write_report(tmp_path, Config())
    assert "| SWD | 9 | 3 | 2.0 | 3 | 2.0 |" in (tmp_path / "report.md").read_text()
    assert capsys.readouterr().err == f"{path}: line 2 is none that this program writes; passed over\n"


def test_a_tick_without_what_is_needed_is_anothers_and_nothing_is_said(tmp_path, capsys):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(tick) + "\n" for tick in (TICK, {**TICK, "probability/real": 0.5})))
    assert results.read_ticks(path, ("probability/real",)) == [{**TICK, "probability/real": 0.5}]
    assert results.read_ticks(path, ("no/such",)) == []
    assert capsys.readouterr().err == ""
    path.write_text(json.dumps({**TICK, "probability/real": "high"}) + "\n")
    assert results.read_ticks(path, ("probability/real",)) == []
    assert "line 1 is none" in capsys.readouterr().err


def test_a_loss_may_be_no_number(tmp_path):
    """It is what --nan=skip goes on from; a report is written of it."""
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps({**TICK, "loss/D": float("nan"), "loss/G": float("inf")}) + "\n")
    assert len(results.read_ticks(path, NEEDS)) == 1
    write_report(tmp_path, Config())
    assert "| +nan | +inf |" in (tmp_path / "report.md").read_text()


def test_a_run_that_goes_on_keeps_the_lines_of_others(tmp_path):
    """All that is JSON and no later than the checkpoint; what is none can be no line of anybody."""
    path, later = tmp_path / "metrics.jsonl", json.dumps({**TICK, "images": 2001}).encode()
    path.write_bytes(b"\n".join([json.dumps(TICK).encode(), *STRANGE.values(), later, json.dumps(RESULT).encode()]))
    Records(tmp_path, Config()).rewind(2000)
    others = [line for name, line in STRANGE.items() if name not in ("binary", "zeros", "words", "deep", "digits")]
    expected = [json.dumps(TICK).encode(), *others, json.dumps(RESULT).encode()]
    assert path.read_bytes().splitlines() == expected


@pytest.mark.parametrize("before", [b"", b'{"cut o', b'{"a": 1}\n', b"\n"])
def test_a_line_is_added_whole(tmp_path, before):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(before)
    results.append(path, RESULT)
    results.append(path, RESULT)
    assert results.read(path) == [RESULT, RESULT]
    assert path.read_bytes().startswith(before)


def test_nobody_who_reads_the_messages_is_needed(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(b"x\n" + json.dumps(RESULT).encode() + b"\n")
    code = (
        "import sys; from pathlib import Path; from pgan_tf.evaluation import results; "
        "sys.exit(len(results.read(Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "metrics.jsonl")]
    ended = subprocess.run(["sh", "-c", '"$@" 2>&-', "-", *command], cwd=Path(__file__).resolve().parents[2])
    assert ended.returncode == 1


def swd(kimg: float, value: float, count: int = 2048, reals: str = "mine", fakes: str = "training") -> dict:
    return {"metric": "swd", "title": "SWD x1e3", "fakes": fakes, "count": count, "reals": reals, "kimg": kimg,
            "images": 1000 * kimg, "values": {"avg": value}}  # fmt: skip


def test_only_what_can_be_compared_is_one_series():
    """A number depends on the count of images, and on what it is against."""
    rows = [swd(1, 9), swd(2, 8), swd(2, 5, count=16384), swd(2, 7, reals="other")]
    assert results.series(rows[:2]) == {"SWD x1e3": rows[:2]}
    assert results.series(rows[:3]) == {"SWD x1e3, 2,048 of each": rows[:2], "SWD x1e3, 16,384 of each": rows[2:3]}
    assert list(results.series(rows)) == [
        "SWD x1e3, 2,048 of each, against mine", "SWD x1e3, 16,384 of each, against mine",
        "SWD x1e3, 2,048 of each, against other",
    ]  # fmt: skip
    later = swd(2, 5, count=16384, fakes="network-000002.keras")
    assert list(results.scalars(rows[0])) == ["metrics/swd/avg"]
    assert list(results.scalars(later)) == ["metrics/swd-16384/avg"]


def test_the_best_of_a_run_is_of_equal_counts(tmp_path):
    rows = [swd(1, 7), swd(2, 8), swd(2, 5, count=16384)]
    (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    write_report(tmp_path, Config())
    text = (tmp_path / "report.md").read_text()
    assert "| SWD x1e3, 2,048 of each | 2048 | 8 | 2.0 | 7 | 1.0 |" in text
    assert "| SWD x1e3, 16,384 of each | 16384 | 5 | 2.0 | 5 | 2.0 |" in text
