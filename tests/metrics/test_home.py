"""A user without a home, as in a container: caches lie elsewhere, and nothing fails."""

import pytest
from pgan_tf.metrics import cache, home
from pgan_tf.metrics.extractors import mnist_classifier
from pgan_tf.metrics.weights import locate


@pytest.mark.parametrize("known", [True, False])
def test_every_folder_of_the_user_is_known(tmp_path, monkeypatch, known):
    for name in ("XDG_CACHE_HOME", "KERAS_HOME", "TORCH_HOME", mnist_classifier.ENVIRONMENT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    if known:
        monkeypatch.setenv("HOME", str(tmp_path / "me"))
    else:  # what Path.home does then
        monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert home.home().parent == tmp_path
    assert home.home().name == "me" or home.home().name.startswith("pgan_tf-")
    for path in (cache.default_folder(), mnist_classifier.default_path(), *locate.folders()[1:]):
        assert path.is_relative_to(home.home())
