"""The site of the docs: its page tree has every page, its API page every name; and the notebook runs."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from PIL import Image

import pgan_tf

ROOT = Path(__file__).resolve().parents[2]
DOCS, NOTEBOOK = ROOT / "docs", ROOT / "notebooks" / "quickstart.ipynb"
GENERATED = {"options.md"}  # by docs/site.py, when the site is built


def pages(tree) -> list[str]:
    """The files of mkdocs' nav."""
    if isinstance(tree, str):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree
    return [page for part in parts for page in pages(part)]


def test_the_page_tree_has_every_page_once():
    listed = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(listed) == sorted(there | GENERATED)


def test_every_page_is_reached_from_the_first_ones():
    """By links alone, as on GitHub."""
    seen, queue = set(), [ROOT / "README.md", DOCS / "index.md"]
    while queue:
        page = queue.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = re.findall(r"\]\((?!https?:)([^)#]+\.md)(?:#[^)]*)?\)", page.read_text())
        queue += [(page.parent / target).resolve() for target in targets]
    assert set(DOCS.rglob("*.md")) <= seen


def test_the_reference_has_every_public_name():
    said = re.findall(r"^::: ([\w.]+)$", (DOCS / "api.md").read_text(), re.M)
    assert sorted(name.rpartition(".")[2] for name in said) == sorted(pgan_tf.__all__)
    for name in said:
        module, _, last = name.rpartition(".")
        assert getattr(pgan_tf, last).__module__ == module
        assert getattr(pgan_tf, last).__doc__


def code_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_the_pages_names_what_there_is(page):
    blocks = code_blocks(page)
    assert blocks
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pgan_tf":
                assert node.attr in pgan_tf.__all__


# ---- the notebook ----------------------------------------------------------------------------------------------------

SMALL = """
options = {"resolution": 16, "total_kimg": 0.1, "fmap_max": 8, "latent_size": 8, "precision": "float32",
           "lod_training_kimg_dict": {4: 0.02, 8: 0.02}, "lod_transition_kimg_dict": {8: 0.02, 16: 0.02}}
images = 64
"""


def shown(source: str, names: dict):
    """What a cell shows last, as in a notebook: the value of its last expression."""
    *before, last = ast.parse(source).body or [ast.Pass()]
    if not isinstance(last, ast.Expr):
        before, last = [*before, last], None
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text())["cells"]


def test_the_notebook_runs(tmp_path, monkeypatch, capsys):
    """Its code cells one after the other, smaller by the one that is tagged `parameters`."""
    monkeypatch.chdir(tmp_path)
    names, results = {}, []
    for cell in cells():
        if cell["cell_type"] == "code":
            results.append(shown("".join(cell["source"]), names))
            if "parameters" in cell["metadata"].get("tags", []):
                exec(SMALL, names)
    pictures = [result.size for result in results if isinstance(result, Image.Image)]
    assert pictures == [(640, 192), (640, 256), (768, 128)]
    assert names["run"].kimg == pytest.approx(0.1, abs=0.05)
    assert "SWD" in capsys.readouterr().out


def test_the_notebook_is_small_and_bears_no_place():
    text = NOTEBOOK.read_text()
    assert len(text) < 300_000
    assert str(ROOT) not in text
    assert not re.search(r"/(?:home|root|tmp|Users)/", text)
    assert len({cell["id"] for cell in cells()}) == len(cells())
    assert sum("parameters" in cell["metadata"].get("tags", []) for cell in cells()) == 1
