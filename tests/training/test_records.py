"""What a run that goes on keeps of its records."""

import json

from pgan_tf.config import Config
from pgan_tf.training.records import Records


def test_rows_after_the_checkpoint_go_and_results_of_no_time_stay(tmp_path):
    ticks = [json.dumps({"tick": tick, "images": 1000 * tick}) for tick in (1, 2, 3)]
    baseline = json.dumps({"metric": "swd", "fakes": "Reals2", "values": {"avg": 4.9}})
    (tmp_path / "metrics.jsonl").write_text("\n".join([*ticks, baseline, ticks[0][:9]]))
    Records(tmp_path, Config()).rewind(2000)
    assert (tmp_path / "metrics.jsonl").read_text().splitlines() == [*ticks[:2], baseline]
