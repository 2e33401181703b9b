"""The page over HTTP: what it answers, that visitors are apart, and that no file can be read through it."""

import base64
import functools
import http.server
import io
import json
import os
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from pgan_tf.errors import UserError
from pgan_tf.explore import serve, uploads

NETWORK, SLIDERS = "00000-tiny-s1", [0.0] * 16


@pytest.fixture(scope="module")
def address(run):
    with serve.private_folder():
        page, how = serve.opened([run])
        _, address, _ = page.launch(**how, prevent_thread_lock=True)
        yield address
        page.close(verbose=False)


@pytest.fixture
def visitor(address):
    return Client(address, verbose=False)


def status(address: str, path: str, data: bytes | None = None, **headers) -> int:
    request = urllib.request.Request(address.rstrip("/") + path, data, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_it_listens_on_this_machine_alone(address):
    assert address.startswith("http://127.0.0.1:")
    port = int(address.rstrip("/").rpartition(":")[2])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for other in (other for other in others if not other.startswith("127.")):
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((other, port), timeout=5).close()


def pixels(answer: dict) -> Image.Image:
    """The picture that an answer holds."""
    head, _, data = answer["url"].partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_visit(visitor, tmp_path):
    drawn, chosen = visitor.predict(NETWORK, 4, "all", 1.0, 3, api_name="/draw")
    assert len(drawn) == 3
    assert pixels(drawn[0]["image"]).tobytes() == pixels(chosen).tobytes()
    changed = visitor.predict(NETWORK, 1.0, 1, *[2.0, *SLIDERS[1:]], api_name="/change")
    assert pixels(changed).tobytes() != pixels(chosen).tobytes()
    for _ in range(2):
        pins = visitor.predict(NETWORK, 1.0, api_name="/pin")
    assert len(pins["value"] if isinstance(pins, dict) else pins) == 2
    three, way = visitor.predict(NETWORK, 1.0, 1, 2, ["1-8"], api_name="/mix")
    assert (len(three), len(way)) == (3, 4)
    assert len(visitor.predict(NETWORK, 1.0, api_name="/nearest")) == 3 * 6
    pixels(chosen).save(tmp_path / "mine.png")
    found = visitor.predict(NETWORK, handle_file(tmp_path / "mine.png"), "crop", "0", 10, api_name="/project")
    assert found[2].startswith("10 of 10 steps, loss 0.")


def test_answers_hold_their_pictures(address, visitor):
    """Nothing is left on the disk that would have to be fetched, and that others could ask for."""
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    before = set(folder.rglob("*"))
    visitor.predict(NETWORK, 5, "all", 1.0, 3, api_name="/draw")
    visitor.predict(NETWORK, 1.0, 1, *[2.0, *SLIDERS[1:]], api_name="/change")
    assert set(folder.rglob("*")) == before


def test_visitors_have_pins_of_their_own(address):
    one, other = Client(address, verbose=False), Client(address, verbose=False)
    for visitor in (one, other):
        visitor.predict(NETWORK, 1, "all", 1.0, 1, api_name="/draw")
    one.predict(NETWORK, 1.0, api_name="/pin")
    with pytest.raises(AppError, match="nothing is pinned yet"):
        other.predict(NETWORK, 1.0, 1, 1, [], api_name="/mix")


def bad_uploads(folder: Path) -> dict[str, Path]:
    Image.new("1", (2**15, 2**15)).save(folder / "bomb.png")
    (folder / "page.png").write_text("<html>")
    return {"a bomb": folder / "bomb.png", "no picture": folder / "page.png"}


def test_bad_uploads_are_refused_in_a_line(visitor, tmp_path, capfd):
    for path in bad_uploads(tmp_path).values():
        with pytest.raises(AppError, match="the file: ") as caught:
            visitor.predict(NETWORK, handle_file(path), "crop", "0", 10, api_name="/project")
        assert "/" not in str(caught.value).replace("and/or", "")
    assert "Traceback" not in capfd.readouterr().err


def test_large_uploads_are_refused_before_they_are_kept(address):
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = head + bytes(uploads.MOST_BYTES + 1) + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert status(address, "/gradio_api/upload", head + b"small\r\n--x--\r\n", **headers) == 200
    assert status(address, "/gradio_api/upload", body, **headers) == 413


ROUTES = ["/file=", "/gradio_api/file=", "/file/", "/gradio_api/file/", "/static/", "/assets/", "/theme.css/", "/"]


def spellings(path: Path) -> list[str]:
    """Ways to ask for a file that are not the plain one."""
    up = "../" * 12 + str(path).lstrip("/")
    return [str(path), up, urllib.parse.quote(str(path), safe=""), urllib.parse.quote(up, safe=""), f"//{path}",
            up.replace("../", "..%2f"), up.replace("../", "%2e%2e/"), f"file://{path}", f"/./{path}"]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
def test_no_file_can_be_read(address, run, tmp_path, route):
    (tmp_path / "secret.txt").write_text("secret")
    files = [Path("/etc/passwd"), run / "config.json", run / "network-000010.keras", tmp_path / "secret.txt"]
    for file in [*files, Path("setup.py")]:
        for spelling in [*spellings(file.absolute()), str(file)]:
            assert status(address, route + spelling) >= 400, (route, spelling)


@pytest.fixture
def inner(tmp_path):
    """A picture on a server that only this machine reaches -> its address."""
    Image.new("L", (16, 16), 77).save(tmp_path / "inner.png")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/inner.png"
        server.shutdown()


@pytest.mark.parametrize("source", ["path", "file", "http"])
def test_what_is_named_in_place_of_an_upload_is_not_read(address, run, inner, source):
    """Neither a file of the machine nor what it alone can fetch."""
    secret = run / "secret.png"
    Image.new("L", (16, 16), 77).save(secret)
    url = {"path": {}, "file": {"url": f"file://{secret}"}, "http": {"url": inner}}[source]
    named = {"path": inner if source == "http" else str(secret), "meta": {"_type": "gradio.FileData"}, **url}
    body = json.dumps({"data": [NETWORK, named, "crop", "0", 10]}).encode()
    said = asked(f"{address}gradio_api/call/project", body)
    assert "steps" not in said
    assert "error" in said


def asked(address: str, body: bytes) -> str:
    """What an event says at its end, or "error" where it is not even begun."""
    try:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        event = json.load(urllib.request.urlopen(request))["event_id"]
        return urllib.request.urlopen(f"{address}/{event}").read().decode()
    except urllib.error.HTTPError:
        return "error"


def test_other_sites_get_no_answer(address):
    headers = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    body = json.dumps({"data": [NETWORK, 1, "all", 1.0, 1], "session_hash": "x", "fn_index": 0}).encode()
    request = urllib.request.Request(f"{address}gradio_api/call/draw", body, headers)
    try:
        allowed = urllib.request.urlopen(request).headers.get("access-control-allow-origin")
    except urllib.error.HTTPError:
        return
    assert allowed not in ("*", "https://evil.example")


def test_places_where_nothing_can_listen_are_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match=r"--port=\d+: another program has it"):
            serve.check_place("127.0.0.1", taken.getsockname()[1])
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(UserError, match=f"--host={host}: is no address of this machine"):
            serve.check_place(host, None)


def test_the_folder_of_visits_is_private_and_goes(monkeypatch):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    with serve.private_folder() as folder:
        (folder / "upload.png").touch()
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
