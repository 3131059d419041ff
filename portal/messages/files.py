"""What comes with a message: photographs are drawn anew, a PDF is kept as it is, anything else is refused."""

from collections.abc import Sequence
from enum import StrEnum
from typing import IO

from portal.catalogue import pictures
from portal.catalogue.pictures import PictureRefusal
from portal.messages.models import ContactFile

MOST_FILES = 3
MOST_BYTES = 5 * 1024 * 1024
_PDF, _PDF_ENDS = b"%PDF-", b"%%EOF"
_TAIL = 2048


class FileRefusal(StrEnum):
    """Why files do not come with a message; its words are in the templates."""

    TOO_MANY = "too_many"
    TOO_HEAVY = "too_heavy"
    OTHER_KIND = "other_kind"


def read(uploads: Sequence[IO[bytes]]) -> list[ContactFile] | FileRefusal:
    """Under names of ours, their kind by what is in them: nothing of what a browser says is believed."""
    if len(uploads) > MOST_FILES:
        return FileRefusal.TOO_MANY
    files = []
    for number, upload in enumerate(uploads, 1):
        file = _read(upload, number)
        if isinstance(file, FileRefusal):
            return file
        files.append(file)
    return files


def _read(upload: IO[bytes], number: int) -> ContactFile | FileRefusal:
    data = upload.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        return FileRefusal.TOO_HEAVY
    if data.startswith(_PDF) and _PDF_ENDS in data[-_TAIL:]:
        return ContactFile(name=f"piece-{number}.pdf", content_type="application/pdf", data=data)
    upload.seek(0)
    shown = pictures.read(upload)
    if isinstance(shown, PictureRefusal):
        return FileRefusal.TOO_HEAVY if shown is PictureRefusal.TOO_LARGE else FileRefusal.OTHER_KIND
    return ContactFile(name=f"piece-{number}.webp", content_type="image/webp", data=shown.files[shown.width])
