"""Papers as PDF files, set by typst from `templates/pdf`."""

import json
import threading
from typing import Any

import typst

from portal.settings import ROOT

_TEMPLATES = ROOT / "templates" / "pdf"
_own = threading.local()

CONTENT_TYPE = "application/pdf"


def render(name: str, /, *, tagged: bool = True, **data: Any) -> bytes:
    """Set `templates/pdf/<name>.typ`: what JSON can say reaches it as values, never as source.

    The same data make the same bytes. The tags by which a PDF is read aloud weigh ten times what they tag:
    a paper that is printed, and is a page as well, goes without.
    """
    inputs = {"data": json.dumps(data)}
    written = _compiler().compile(input=str(_TEMPLATES / f"{name}.typ"), sys_inputs=inputs, pdf_tags=tagged)
    assert isinstance(written, bytes)
    return written


def _compiler() -> typst.Compiler:
    """One a thread: it is not made to be shared, and keeps its fonts in memory."""
    if not hasattr(_own, "compiler"):
        _own.compiler = typst.Compiler(root=str(_TEMPLATES))
    compiler: typst.Compiler = _own.compiler
    return compiler
