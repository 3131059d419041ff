"""Static files, read once at start: one stylesheet and one script out of many, hashed addresses, compressed bodies.

No build step: `static/css/` is concatenated in the order of its layers, as is what runs on every page, and a file's
address carries the hash of its contents, so that browsers may keep it for ever. Sheets of others are served one by
one, each in the layer `vendor`, so that our own have the last word.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli
from flask import Flask, Response, abort, request

from portal.settings import ROOT

STYLESHEET = "site.css"
CSS_ORDER = ("tokens.css", "base.css", "layout.css", "components/*.css", "pages/*.css", "print.css")
SCRIPT = "site.js"
SCRIPT_ORDER = ("vendor/htmx.min.js", "js/app.js")
FOREVER = "public, max-age=31536000, immutable"
COMPRESSIBLE = {"text/css", "text/javascript", "image/svg+xml", "application/manifest+json"}


@dataclass(frozen=True)
class Asset:
    body: bytes
    mimetype: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:16]

    @cached_property
    def encodings(self) -> dict[str, bytes]:
        """Bodies by content encoding, best first."""
        if self.mimetype not in COMPRESSIBLE:
            return {}
        return {"br": brotli.compress(self.body), "gzip": gzip.compress(self.body, mtime=0)}


def read_assets(folder: Path) -> dict[str, Asset]:
    """Every file below the folder by its path, the stylesheet and the script of every page."""
    assets = {
        path.relative_to(folder).as_posix(): Asset(path.read_bytes(), _mimetype(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".css", ".md"}
    }
    for path in sorted((folder / "vendor").glob("*.css")):
        body = b"@layer vendor {\n%b\n}\n" % path.read_bytes()
        assets[f"vendor/{path.name}"] = Asset(body, "text/css")
    assets[STYLESHEET] = _joined(folder / "css", CSS_ORDER, "text/css")
    assets[SCRIPT] = _joined(folder, SCRIPT_ORDER, "text/javascript")
    return assets


def _joined(folder: Path, order: tuple[str, ...], mimetype: str) -> Asset:
    files = [path for pattern in order for path in sorted(folder.glob(pattern))]
    return Asset(b"\n".join(path.read_bytes() for path in files), mimetype)


def _mimetype(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def answer(asset: Asset, *, forever: bool) -> Response:
    """The file, compressed as the browser likes it; kept for ever where the address names these very contents."""
    response = Response(asset.body, mimetype=asset.mimetype)
    for encoding, body in asset.encodings.items():
        if request.accept_encodings[encoding]:
            response.data = body
            response.content_encoding = encoding
            break
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = FOREVER if forever else "no-cache"
    response.set_etag(f"{asset.digest}-{response.content_encoding or 'id'}")
    response.make_conditional(request)
    return response


def init_app(app: Flask) -> None:
    folder = ROOT / "static"
    assets = read_assets(folder)

    def asset(name: str) -> str:
        """The hashed address of a file of static/; a name that does not exist fails the page."""
        if app.debug:
            assets.update(read_assets(folder))
        # not url_for: a request for an unknown host has none, and its error page is to be shown too
        return f"/static/{name}?v={assets[name].digest}"

    @app.get("/static/<path:name>", endpoint="static")
    def static(name: str) -> Response:
        found = assets.get(name)
        if found is None:
            abort(404)
        return answer(found, forever=request.args.get("v") == found.digest)

    app.jinja_env.globals["asset"] = asset
