"""report.md: what it says of a run that has ended, and of one that has not."""

import json

import pytest

from pgan_tf.config import Config
from pgan_tf.training.run_report import write_report

TICK = {
    "tick": 1, "kimg": 2.0, "train_seconds": 60.0, "resolution": 8, "nonfinite_rounds": 0, "timing/tick_seconds": 60.0,
    "timing/images_per_second": 33.0, "memory/process_peak_mb": 700.0, "loss/D": 1.0, "loss/G": -1.0,
}  # fmt: skip


@pytest.mark.parametrize(("total_kimg", "goes_on"), [(2.0, False), (3.0, True)])
def test_how_to_go_on_stands_where_the_run_is_not_finished(tmp_path, total_kimg, goes_on):
    folder = tmp_path / "two words"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text(json.dumps(TICK) + "\n")
    write_report(folder, Config.from_values({"total_kimg": total_kimg, "minibatch_dict": {4: 8, 8: 16}}))
    text = (folder / "report.md").read_text()
    assert (f"python train.py --resume='{folder}'" in text) is goes_on
    assert f"tensorboard --logdir '{folder}'" in text
    assert "--minibatch_dict=4:8,8:16\n" in text
    assert f"The run has seen 2.0 of {total_kimg:g} thousand real images in 1m 00s. No round had a loss" in text
