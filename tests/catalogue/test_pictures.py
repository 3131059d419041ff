"""Uploads: what is kept of a photograph, and what is no photograph."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms
from sqlalchemy import func, select

from portal.catalogue import pictures
from portal.catalogue.models import Picture, PictureSize
from portal.catalogue.pictures import Encoded, PictureRefusal, picture_file, read, store
from tests.photographs import picture
from tests.shop.making import article

ROTATED = 6


def stored(session, data: bytes) -> Picture:
    encoded = read(BytesIO(data))
    assert isinstance(encoded, Encoded), encoded
    return store(session, encoded)


def files(session, made: Picture) -> dict[int, bytes]:
    of_it = select(PictureSize.width, PictureSize.data).where(PictureSize.picture_id == made.id)
    return dict(session.execute(of_it).all())


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=["WEBP"])


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with no pixel in it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = (
        struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_kept_as_webp_in_the_widths_that_pages_ask_for(session, kind):
    made = stored(session, picture(kind, (1200, 800)))
    kept = files(session, made)
    assert sorted(kept) == [160, 320, 640, 960] == pictures.widths(made.width)
    assert [opened(kept[width]).size for width in sorted(kept)] == [
        (160, 107),
        (320, 213),
        (640, 427),
        (960, 640),
    ]
    assert (made.width, made.height) == (960, 640)
    assert picture_file(session, made.digest, 320) == kept[320]
    assert picture_file(session, made.digest, 321) is None is picture_file(session, "0" * 32, 320)


@pytest.mark.parametrize(
    ("size", "widths"),
    [((1, 1), [1]), ((160, 90), [160]), ((500, 2000), [160, 320, 500]), ((9000, 1), [160, 320, 640, 960])],
)
def test_a_small_picture_is_never_enlarged(session, size, widths):
    made = stored(session, picture("PNG", size))
    assert sorted(files(session, made)) == widths


def test_the_same_picture_is_kept_once(session):
    first, second = stored(session, picture()), stored(session, picture())
    assert first.id == second.id != stored(session, picture(size=(900, 800))).id
    assert session.scalar(select(func.count(Picture.id))) == 2


def test_a_picture_stands_upright_and_says_nothing_of_where_it_was_taken(session):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = ROTATED, "chez Camille"
    exif.get_ifd(0x8825)[2] = (44.0, 20.0, 42.7)
    made = stored(session, picture("JPEG", (1200, 800), exif=exif, comment=b"chez Camille"))
    assert (made.width, made.height) == (800, 1200)
    for data in files(session, made).values():
        assert not any(mark in data for mark in (b"EXIF", b"XMP ", b"ICCP", b"Camille"))
        assert not opened(data).getexif()


def test_colours_are_those_that_the_profile_means(session):
    """Phones write a profile of wider colours beside theirs; this one calls green what others call red."""
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = usual.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")
    for profile, (red, green) in ((usual, (250, 5)), (swapped, (5, 250)), (b"no profile", (250, 5))):
        file = BytesIO()
        Image.new("RGB", (64, 64), (255, 0, 0)).save(file, "PNG", icc_profile=profile)
        [kept] = files(session, stored(session, file.getvalue())).values()
        shown = opened(kept).convert("RGB").getpixel((9, 9))
        assert abs(shown[0] - red) < 15 and abs(shown[1] - green) < 15, (profile[:20], shown)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("JPEG", "CMYK"), ("PNG", "I;16")],
)
def test_every_kind_of_pixel_is_taken(session, kind, mode):
    assert stored(session, picture(kind, (64, 64), mode)).width == 64


def test_what_is_seen_through_stays_so(session):
    file = BytesIO()
    Image.new("RGBA", (64, 64), (200, 0, 0, 0)).save(file, "PNG")
    [kept] = files(session, stored(session, file.getvalue())).values()
    assert opened(kept).convert("RGBA").getpixel((9, 9))[3] == 0


@pytest.mark.parametrize(
    "size", [(30_000, 30_000), (6001, 4001), (16_001, 1), (1, 16_001), (2**31 - 1, 2**31 - 1)]
)
def test_pixels_are_counted_before_one_is_decoded(size, monkeypatch):
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    assert read(BytesIO(png_of_size(*size))) is PictureRefusal.TOO_LARGE


def test_a_photograph_of_a_good_phone_is_taken(session):
    assert stored(session, picture("JPEG", (8192, 6144))).width == 960


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><script>alert(1)</script>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"GIF89a" + b"\0" * 100,
        b"%PDF-1.7",
        b"\0",
        picture("GIF", (10, 10), "L"),
        picture("BMP", (10, 10)),
        picture("TIFF", (10, 10)),
        picture("JPEG", (1200, 800))[:3000],
        picture("PNG", (1200, 800))[:500],
        picture("WEBP", (1200, 800))[:200],
        png_of_size(100, 100),
        png_of_size(0, 100),
    ],
)
def test_what_is_no_whole_picture_is_refused(data):
    assert read(BytesIO(data)) is PictureRefusal.UNREADABLE


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04", b"GIF89a"])
def test_of_a_picture_that_is_something_else_too_only_the_picture_is_kept(session, tail):
    for kind in ("JPEG", "PNG", "WEBP"):
        for data in files(session, stored(session, picture(kind, (64, 48)) + tail)).values():
            assert tail not in data


def test_what_is_too_heavy_is_refused_unread(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_BYTES", 1000)
    assert read(BytesIO(picture() + b"\0" * 1000)) is PictureRefusal.TOO_HEAVY
    assert read(BytesIO(b"")) is PictureRefusal.MISSING


def test_a_picture_goes_when_no_article_shows_it_any_more(session):
    made = stored(session, picture())
    one, other = article(session, "Miel", picture_id=made.id), article(session, "Pollen", picture_id=made.id)
    one.picture_id = None
    session.flush()
    pictures.forget_unused(session, made.id)
    assert session.scalar(select(func.count(Picture.id))) == 1
    other.picture_id = None
    session.flush()
    pictures.forget_unused(session, made.id)
    assert (
        session.scalar(select(func.count(Picture.id)))
        == 0
        == session.scalar(select(func.count(PictureSize.width)))
    )
