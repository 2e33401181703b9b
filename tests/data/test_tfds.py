"""Sets of tensorflow-datasets, prepared from local files: pictures, labels, splits, several features."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.tfds import create_from_tfds
from pgan_tf.data.writer import order

tfds = pytest.importorskip("tensorflow_datasets")
AS_IS = Options(resolution=8, output=Output(shuffle=False))
CLASSES = ["ant", "bee", "cat"]


def picture(value: int, side: int = 8) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data_dir with the set `tiny_pictures`: 12 and 3 pictures, a mask each, two kinds of class."""
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "mask": tfds.features.Image(shape=(None, None, 1)),
            "label": tfds.features.ClassLabel(names=CLASSES),
            "colour": tfds.features.ClassLabel(num_classes=2),
            "depth": tfds.features.Image(shape=(None, None, 1), dtype=np.float32),
        }
    )

    class TinyPictures(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return self.dataset_info_from_configs(features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(0, 12), "test": self._generate_examples(100, 3)}

        def _generate_examples(self, first, count):
            for i in range(first, first + count):
                yield (
                    i,
                    {
                        "image": picture(i),
                        "mask": picture(255 - i)[..., :1],
                        "label": -1 if i >= 100 else i % 3,
                        "colour": i % 2,
                        "depth": picture(0)[..., :1].astype(np.float32),
                    },
                )

    data_dir = tmp_path_factory.mktemp("tfds")
    TinyPictures(data_dir=data_dir).download_and_prepare()
    return data_dir


def values(folder) -> list[int]:
    dataset = RecordDataset(folder)
    return dataset.read(8, np.arange(dataset.count))[:, 0, 0, 0].tolist()


def classes(folder) -> list[int]:
    return RecordDataset(folder).labels.argmax(axis=1).tolist()


def test_a_prepared_set_by_name_and_by_folder(prepared, tmp_path):
    """The pictures in the order of the set, which tfds chooses, labels with them; by two routes the same."""
    chosen = {"image": "image", "label": "label"}
    report = create_from_tfds(tmp_path / "a" / "set", "tiny_pictures", AS_IS, prepared, **chosen)
    create_from_tfds(tmp_path / "b" / "set", str(prepared / "tiny_pictures" / "1.0.0"), AS_IS, **chosen)
    found = values(tmp_path / "a" / "set")
    assert sorted(found) == list(range(12))
    assert classes(tmp_path / "a" / "set") == [value % 3 for value in found]
    assert report.label_names == CLASSES
    assert report.source == "tiny_pictures/1.0.0, train (12 pictures)"
    for path in (tmp_path / "a" / "set").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "set" / path.name).read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["set"]  # the temporary file is gone


def test_shuffled_by_workers(prepared, tmp_path):
    chosen = {"image": "mask", "label": "colour"}
    create_from_tfds(tmp_path / "a", "tiny_pictures", AS_IS, prepared, **chosen)
    create_from_tfds(
        tmp_path / "b", "tiny_pictures", Options(resolution=8, output=Output(workers=2)), prepared, **chosen
    )
    assert values(tmp_path / "b") == np.array(values(tmp_path / "a"))[order(12)].tolist()
    assert classes(tmp_path / "b") == [(255 - value) % 2 for value in values(tmp_path / "b")]


def test_parts_and_splits(prepared, tmp_path):
    chosen = {"image": "image", "label": "none"}
    create_from_tfds(tmp_path / "a", "tiny_pictures", AS_IS, prepared, **chosen)
    create_from_tfds(tmp_path / "part", "tiny_pictures", AS_IS, prepared, "train[25%:50%]", **chosen)
    create_from_tfds(tmp_path / "test", "tiny_pictures", AS_IS, prepared, "test", **chosen)
    assert values(tmp_path / "part") == values(tmp_path / "a")[3:6]
    assert sorted(values(tmp_path / "test")) == [100, 101, 102]
    assert RecordDataset(tmp_path / "test").labels is None


def test_a_folder_of_pictures(tmp_path):
    """SPLIT/CLASS/PICTURE, as tfds.ImageFolder; the same as `create_from_images` of the split, up to the order."""
    for i in range(9):
        path = tmp_path / "in" / "train" / CLASSES[i % 3] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i, side=11)).save(path)
    report = create_from_tfds(tmp_path / "a", str(tmp_path / "in"), Options(output=Output(shuffle=False)))
    create_from_images(tmp_path / "b", tmp_path / "in" / "train", AS_IS, labels="folders")
    assert dict(zip(values(tmp_path / "a"), classes(tmp_path / "a"), strict=True)) == dict(
        zip(values(tmp_path / "b"), classes(tmp_path / "b"), strict=True)
    )
    assert report.label_names == CLASSES
    assert "--resolution=8 was chosen" in str(report)
    assert report.sizes == {(11, 11): 9}


REFUSALS = {
    "--image=?: must be one of the set's features depth, image, mask": {},
    "--image=photo: must be one of": {"image": "photo"},
    "--image=depth: holds pixels of type float32": {"image": "depth"},
    "--label=?: must be one of the set's features colour, label": {"image": "image"},
    "--label=kind: must be one of": {"image": "image", "label": "kind"},
    "--label=label: not every picture of this split has one": {"image": "image", "label": "label", "split": "test"},
    "--split=valid: tensorflow-datasets cannot read it": {"image": "image", "label": "none", "split": "valid"},
}


@pytest.mark.parametrize("message", REFUSALS)
def test_refusals(prepared, tmp_path, message):
    with pytest.raises(DataError) as info:
        create_from_tfds(tmp_path / "out", "tiny_pictures", AS_IS, prepared, **REFUSALS[message])
    assert message in str(info.value)
    assert "\n" not in str(info.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_set(tmp_path):
    with pytest.raises(DataError, match="no_such_set: tensorflow-datasets cannot read it") as info:
        create_from_tfds(tmp_path / "out", "no_such_set", AS_IS, tmp_path)
    assert "\n" not in str(info.value)
