"""A page of HTML alone: pictures of its folder are in it, nothing else is, and no text becomes markup."""

import pytest

from pgan_tf.html_page import page

PICTURE = b"\x89PNG the content"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    for path in ("run/a b.png", "run/secret.txt", "outside.png", "run/c.svg"):
        (tmp_path / path).write_bytes(PICTURE)
    (tmp_path / "run" / "link.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "run" / "folder.png").mkdir()
    return tmp_path / "run"


@pytest.mark.parametrize("address", ["a%20b.png", "<a b.png>", "./a%20b.png", "c.svg"])
def test_pictures_of_the_folder_are_in_it(folder, address):
    assert "iVBO" not in page("", folder, "")
    assert ";base64,iVBORyB0aGU" not in page("", folder, "")
    text = page(f"![what it is]({address})", folder, "")
    assert 'alt="what it is"' in text
    assert 'src="data:image/' in text


OTHERS = (
    "secret.txt", "../outside.png", "link.png", "folder.png", "gone.png", "http://a.org/x.png", "//a.org/x.png",
    "file:///etc/x.png", "/etc/passwd", "%00.png", "data:image/png;base64,AAAA", "a" * 3000 + ".png",
)  # fmt: skip


@pytest.mark.parametrize("address", OTHERS)
def test_of_others_the_description_stands(folder, address):
    text = page(f"![what <i>it</i> is]({address})", folder, "")
    assert "<img" not in text
    assert "src=" not in text
    assert "what &lt;i&gt;it&lt;/i&gt; is" in text


HOSTILE = (
    "<script>alert(1)</script>", "<!-- a --><img src=x onerror=alert(1)>", "[a](javascript:alert(1))",
    "`<script>`", "| a |\n|---|\n| <script> |", "```\n</code></pre><script>\n```", "# <script>x</script>",
    '![x](a%20b.png "t\\" onload=alert(1)")', "[a](<x\" onclick=alert(1)>)", "&lt;script&gt;",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(folder, text):
    from html.parser import HTMLParser

    seen = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.append((tag, dict(attributes)))

    Tags().feed(page(text, folder, "</title><script>"))
    assert not {tag for tag, _ in seen} & {"script", "iframe", "object", "link"}
    assert not [name for _, attributes in seen for name in attributes if name.startswith("on")]
    assert not [1 for _, attributes in seen if attributes.get("href", "").startswith("javascript")]
