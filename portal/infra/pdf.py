"""Papers as PDF files, set by typst from `templates/pdf`."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import typst
from flask import has_request_context

from portal.settings import ROOT

_TEMPLATES = ROOT / "templates" / "pdf"
_own = threading.local()
_beside = ThreadPoolExecutor(4, "typst")

AT_MOST = 8.0
"""Seconds that a page waits for a paper; the worker waits as long as it takes."""

CONTENT_TYPE = "application/pdf"


def render(name: str, /, *, tagged: bool = True, **data: Any) -> bytes:
    """Set `templates/pdf/<name>.typ`: what JSON can say reaches it as values, never as source.

    The same data make the same bytes. The tags by which a PDF is read aloud weigh ten times what they tag:
    a paper that is printed, and is a page as well, goes without.
    """
    return _compile(name, data, pdf_tags=tagged)


def archive(name: str, /, *, enclosed: bytes, schema: str, values: str, **data: Any) -> bytes:
    """Set a paper that is kept for years, with a file that its template attaches as `data.enclosed`: PDF/A-3.

    `schema` and `values` say in its metadata what it is besides, as RDF. Such a paper brings every letter's
    drawing along: a box stands for the few that none of our fonts has.
    """
    file = {"enclosed": enclosed.decode()}
    try:
        written = _compile(name, data | file, pdf_standards=_ARCHIVAL)
    except typst.TypstError:
        written = _compile(name, _drawable(data) | file, pdf_standards=_ARCHIVAL)
    return _describe(written, schema.encode(), values.encode())


def _compile(name: str, data: dict[str, Any], **options: Any) -> bytes:
    inputs = {"data": json.dumps(data)}
    compiled = partial(_compile_here, str(_TEMPLATES / f"{name}.typ"), sys_inputs=inputs, **options)
    # nobody can stop it: whoever waits for the page is let go, with a TimeoutError
    return _beside.submit(compiled).result(AT_MOST) if has_request_context() else compiled()


def _compile_here(path: str, **options: Any) -> bytes:
    written = _compiler().compile(input=path, **options)
    assert isinstance(written, bytes)
    return written


_ARCHIVAL = ["a-3a", "ua-1"]
"""May hold other files, and can be read aloud."""
_RARE = re.compile(
    "[^\n -~\u00a0-\u045f\u1e00-\u1eff\u2010-\u2027\u202f\u2030-\u205e\u20a0-\u20bf\u2190-\u25ff]"
)


def _drawable(value: Any) -> Any:
    match value:
        case str():
            return _RARE.sub("\u25a1", value)
        case dict():
            return {key: _drawable(held) for key, held in value.items()}
        case list() | tuple():
            return [_drawable(held) for held in value]
        case _:
            return value


_METADATA = re.compile(
    rb"\n(\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(.+?)\nendstream", re.S
)
_TRAILER = re.compile(rb"trailer\n<<(.+)>>\nstartxref\n(\d+)\n%%EOF\s*\Z", re.S)
_OBJECT = b"\n%b 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%b\nendstream\nendobj\n"
_TABLE = (
    b"xref\n0 1\n0000000000 65535 f \n%b 1\n%010d 00000 n \ntrailer\n<<%b/Prev %b>>\nstartxref\n%d\n%%%%EOF\n"
)
_SCHEMAS, _ALL = b"</rdf:Bag></pdfaExtension:schemas>", b"</rdf:RDF>"


def _describe(paper: bytes, schema: bytes, values: bytes) -> bytes:
    """Its metadata replaced by an update at its end, as PDF foresees: what typst has written stays as it is."""
    metadata, trailer = _METADATA.search(paper), _TRAILER.search(paper)
    assert metadata and trailer
    number, xmp = metadata.groups()
    xmp = xmp.replace(_SCHEMAS, schema + _SCHEMAS, 1).replace(_ALL, values + _ALL, 1)
    said, before = trailer.groups()
    update = _OBJECT % (number, len(xmp), xmp)
    table = _TABLE % (number, len(paper) + 1, said, before, len(paper) + len(update))
    return paper + update + table


def _compiler() -> typst.Compiler:
    """One a thread: it is not made to be shared, and keeps its fonts in memory."""
    if not hasattr(_own, "compiler"):
        _own.compiler = typst.Compiler(root=str(_TEMPLATES))
    compiler: typst.Compiler = _own.compiler
    return compiler
