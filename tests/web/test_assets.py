"""Static files: addresses that change with the contents, kept for ever only then, compressed for who can read it."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from flask import Flask

from portal.settings import ROOT
from portal.web.assets import FOREVER, STYLESHEET, read_assets
from tests.client import Browser


@pytest.fixture
def backend() -> str:
    return "sqlite"


FOLDER = ROOT / "static"


@pytest.fixture
def stylesheet(app: Flask) -> str:
    """Its address as pages have it."""
    return str(app.jinja_env.globals["asset"](STYLESHEET))


def test_an_address_changes_with_the_contents_and_with_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    file.write_text("one")
    before = read_assets(tmp_path)["a.js"].digest
    assert read_assets(tmp_path)["a.js"].digest == before
    file.write_text("two")
    assert read_assets(tmp_path)["a.js"].digest != before


def test_the_stylesheet_is_every_sheet_in_the_order_of_its_layers() -> None:
    body = read_assets(FOLDER)[STYLESHEET].body
    order = ("tokens.css", "base.css", "layout.css", "components/*.css", "pages/*.css", "print.css")
    layers = [sorted((FOLDER / "css").glob(pattern)) for pattern in order]
    sheets = [path for layer in layers for path in layer]
    assert set(sheets) == set((FOLDER / "css").rglob("*.css"))
    assert [body.count(path.read_bytes()) for path in sheets] == [1] * len(sheets)
    places = [body.index(path.read_bytes()) for path in sheets]
    assert places == sorted(places)


def test_a_sheet_of_others_stands_alone_and_below_our_own(client: Browser, stylesheet: str) -> None:
    [path] = FOLDER.glob("vendor/*.css")
    served = client.get("/static/vendor/leaflet.css").text
    assert served.startswith("@layer vendor {")
    assert path.read_bytes().decode() in served
    ours = client.get(stylesheet).text
    layers = [name.strip() for name in re.findall(r"@layer ([^{;]+);", ours)[0].split(",")]
    assert layers.index("base") < layers.index("vendor") < layers.index("layout")
    assert ".leaflet-pane" not in ours


def test_a_file_is_kept_for_ever_under_the_address_of_its_contents_only(
    client: Browser, stylesheet: str
) -> None:
    assert client.get(stylesheet).headers["Cache-Control"] == FOREVER
    bare, _, digest = stylesheet.partition("?v=")
    for other in (
        bare,
        f"{bare}?v=",
        f"{bare}?v={digest[:-1]}",
        f"{bare}?v={'0' * 16}",
        f"{bare}?v={digest}0",
    ):
        assert client.get(other).headers["Cache-Control"] == "no-cache", other


def test_what_is_shown_is_the_file_however_it_is_compressed(client: Browser, stylesheet: str) -> None:
    plain = client.get(stylesheet, headers={"Accept-Encoding": "identity"})
    assert plain.content_encoding is None
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}
    for accepted, chosen in {"br": "br", "gzip": "gzip", "gzip, br": "br", "gzip, br;q=0": "gzip"}.items():
        packed = client.get(stylesheet, headers={"Accept-Encoding": accepted})
        assert packed.content_encoding == chosen, accepted
        assert len(packed.data) < len(plain.data)
        assert unpack[chosen](packed.data) == plain.data
        assert "Accept-Encoding" in packed.vary


def test_a_browser_that_has_it_is_told_so_and_gets_nothing(client: Browser, stylesheet: str) -> None:
    for encoding in ("br", "gzip", "identity"):
        headers = {"Accept-Encoding": encoding}
        first = client.get(stylesheet, headers=headers)
        again = client.get(stylesheet, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == FOREVER
        other = client.get(stylesheet, headers={**headers, "If-None-Match": '"of another time"'})
        assert (other.status_code, other.data) == (200, first.data)


def test_every_encoding_has_its_own_tag(client: Browser, stylesheet: str) -> None:
    tags = {
        client.get(stylesheet, headers={"Accept-Encoding": e}).headers["ETag"]
        for e in ("br", "gzip", "identity")
    }
    assert len(tags) == 3


def test_nothing_but_the_files_themselves_is_served(client: Browser) -> None:
    outside = ("../wsgi.py", "..%2fwsgi.py", "%2e%2e/wsgi.py", "..%2f..%2fetc/passwd", "%00")
    for path in ("", "js", "css/tokens.css", "vendor/README.md", *outside):
        assert client.get(f"/static/{path}").status_code == 404, path


def test_every_page_finds_its_files(client: Browser) -> None:
    page = client.get("/").text
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert any(address.startswith("/static/site.css") for address in named)
    for address in named:
        response = client.get(address)
        assert (response.status_code, response.headers["Cache-Control"]) == (200, FOREVER), address
    for path in (FOLDER / "css").rglob("*.css"):
        assert "url(" not in path.read_text(), f"{path.name} names a file by an address without its hash"


def test_an_asset_that_does_not_exist_fails_its_page(app: Flask) -> None:
    with pytest.raises(KeyError):
        app.jinja_env.globals["asset"]("js/missing.js")
