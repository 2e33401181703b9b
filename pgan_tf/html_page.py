"""Markdown as one page of HTML that needs nothing else: its pictures are in it, and nothing is loaded from anywhere.

Light or dark as the reader's system is. HTML in the Markdown is shown, not obeyed.
"""

from __future__ import annotations

import base64
import html
import urllib.parse
from pathlib import Path

PICTURES = {  # suffix: its media type
    ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".gif": "image/gif", ".svg": "image/svg+xml",
}  # fmt: skip
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ --ink: #1c2024; --soft: #5b6570; --paper: #ffffff; --band: #f3f5f7; --line: #d5dadf; --link: #0b5cad; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e4e7ea; --soft: #9aa4ae; --paper: #15181b; --band: #1f2428; --line: #3a4249; --link: #7ab8ff; }}
}}
body {{ margin: 0 auto; padding: 1.5rem; max-width: 62rem; color: var(--ink); background: var(--paper);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }}
h1, h2, h3 {{ line-height: 1.25; margin: 2rem 0 0.75rem; }}
h1 {{ margin-top: 0; }}
a {{ color: var(--link); }}
em {{ color: var(--soft); }}
img {{ max-width: 100%; height: auto; }}
p > img:only-child {{ width: auto; max-height: 34rem; border-radius: 6px; }}
table {{ display: block; overflow-x: auto; border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.35rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }}
th {{ color: var(--soft); font-weight: 600; }}
code {{ font: 0.9em/1.5 ui-monospace, monospace; background: var(--band); padding: 0.1em 0.3em; border-radius: 3px; }}
pre {{ background: var(--band); padding: 0.75rem 1rem; border-radius: 6px; overflow-x: auto; }}
pre code {{ padding: 0; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def page(markdown: str, folder: Path, title: str) -> str:
    """The page of `markdown`, whose pictures lie in `folder`.

    Of a picture that is not there, lies elsewhere or is of another kind than PICTURES, its description stands.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        for part in token.children or ():
            if part.type == "image":
                _embed(part, folder)
    body = parser.renderer.render(tokens, parser.options, {})
    return PAGE.format(title=html.escape(title), body=body)


def _embed(image, folder: Path) -> None:
    """Puts the picture into the token of it, or its description."""
    content = _read(folder, urllib.parse.unquote(str(image.attrs["src"])))
    if content:
        image.attrs["src"] = content
    else:
        image.type = "text"  # its content is the description


def _read(folder: Path, name: str) -> str:
    """A picture of the folder as an address that holds it; '' where there is none."""
    kind = PICTURES.get(Path(name).suffix.lower())
    try:
        path = (folder / name).resolve()
        if kind is None or not path.is_relative_to(folder.resolve()):
            return ""
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    except (OSError, ValueError):
        return ""
