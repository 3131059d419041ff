"""Photographs: nothing of an upload is believed, and nothing of it is kept but what it shows.

Its pixels are counted before one of them is decoded, its format is what its bytes say.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import IO

from PIL import Image, ImageCms, ImageOps
from sqlalchemy import delete, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.catalogue.models import Article, Picture, PictureSize
from portal.infra import locks

WIDTHS = (160, 320, 640, 960)
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 60_000_000
"""Of a JPEG, which is decoded at a fraction of its size."""
MOST_WHOLE = 24_000_000
"""Of what is decoded whole."""
MOST_SIDE = 16_000
FORMATS = ("JPEG", "PNG", "WEBP")


class PictureRefusal(StrEnum):
    """Why an upload is no picture for us; its words are in the templates."""

    MISSING = "missing"
    TOO_HEAVY = "too_heavy"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


def widths(width: int) -> list[int]:
    """In which widths there is a file of a picture that is so wide."""
    return [smaller for smaller in WIDTHS if smaller < width] + [width]


def picture_file(session: Session, digest: str, width: int) -> bytes | None:
    """A picture's WebP file in one of its widths."""
    of = (Picture.digest == digest, PictureSize.width == width)
    return session.scalar(
        select(PictureSize.data).join(Picture, Picture.id == PictureSize.picture_id).where(*of)
    )


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an upload shows, as it is kept: width → file."""

    width: int
    height: int
    files: Mapping[int, bytes]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.files[self.width]).hexdigest()[:32]


def read(upload: IO[bytes]) -> Encoded | PictureRefusal:
    """Decode and encode it, which takes a moment: nothing is to be locked meanwhile."""
    data = upload.read(MOST_BYTES + 1)
    if not data:
        return PictureRefusal.MISSING
    if len(data) > MOST_BYTES:
        return PictureRefusal.TOO_HEAVY
    shown = _decode(data)
    if isinstance(shown, PictureRefusal):
        return shown
    files = {width: _encode(shown, width) for width in widths(shown.width)}
    return Encoded(shown.width, shown.height, files)


def store(session: Session, encoded: Encoded, *, instead_of: int | None = None) -> Picture:
    """Keep it, the same picture once. Locked with the picture that it replaces: nobody removes it before we show it.

    By their numbers: two who swap the pictures of two articles wait for each other and never for ever.
    """
    digest = encoded.digest
    concerned = select(Picture).where(or_(Picture.digest == digest, Picture.id == instead_of))
    held = session.scalars(locks.for_update(concerned.order_by(Picture.id), of=Picture)).all()
    if known := next((picture for picture in held if picture.digest == digest), None):
        return known
    picture = Picture(digest=digest, width=encoded.width, height=encoded.height)
    with suppress(IntegrityError), session.begin_nested():  # somebody else's may come first
        session.add(picture)
        session.flush()
        session.add_all(
            PictureSize(picture_id=picture.id, width=width, data=data)
            for width, data in encoded.files.items()
        )
    return session.scalars(select(Picture).where(Picture.digest == digest)).one()


def forget_unused(session: Session, picture_id: int) -> None:
    """Remove a picture that no article shows any more."""
    shown = exists().where(Article.picture_id == picture_id)
    with suppress(IntegrityError), session.begin_nested():  # another article may just have taken it
        session.execute(delete(Picture).where(Picture.id == picture_id, ~shown))


def _decode(data: bytes) -> Image.Image | PictureRefusal:
    """Upright, in colours that every screen shows, at most as wide as the widest file."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            most = MOST_WHOLE if image.format in {"PNG", "WEBP"} else MOST_PIXELS
            if image.width * image.height > most or max(image.size) > MOST_SIDE:
                return PictureRefusal.TOO_LARGE
            image.draft(None, (WIDTHS[-1], WIDTHS[-1]))  # a JPEG may be decoded at a fraction of its size
            profile = image.info.get("icc_profile")
            ImageOps.exif_transpose(image, in_place=True)
            plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return PictureRefusal.TOO_LARGE
    except Exception:  # decoders at odds with a file raise all sorts of things
        return PictureRefusal.UNREADABLE
    shown = _resized(plain, min(plain.width, WIDTHS[-1]))
    return _in_srgb(shown, profile) if profile else shown


def _resized(image: Image.Image, width: int) -> Image.Image:
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Phones write wider colours than a page without a profile shows."""
    with suppress(ImageCms.PyCMSError, OSError):
        theirs, ours = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, theirs, ours) or image
    return image


def _encode(shown: Image.Image, width: int) -> bytes:
    file = BytesIO()
    _resized(shown, width).save(file, "WEBP", quality=60, method=4)
    return file.getvalue()
