"""Photographs as phones and as attackers send them."""

from io import BytesIO
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 800), mode: str = "RGB", **more: Any) -> bytes:
    """A gradient, which every format draws small."""
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, kind, **more)
    return file.getvalue()


class Photograph(BytesIO):
    """A small picture that can be sent again and again: a client closes what it has sent."""

    def __init__(self) -> None:
        super().__init__(picture(size=(40, 30)))

    def close(self) -> None:
        self.seek(0)
