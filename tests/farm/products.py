"""What the shop sells, as the tests of its pages name and read it."""

from datetime import date
from io import BytesIO

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.catalogue.models import Article, ArticlePrice
from tests.client import Browser

LIST = "/ferme/produits"
ADD, HONEY = f"{LIST}/ajout", f"{LIST}/1"
NO_NUMBERS = ["-1", "0x1", "1e3", "1_0", "+1", "１", "١", "1" + "0" * 20, "NaN", "9" * 20_000, "1 000", "x"]


def row(session: Session, article_id: int = 1) -> Article:
    session.expire_all()
    return session.get_one(Article, article_id)


def prices(session: Session, article_id: int = 1) -> list[tuple[date, int]]:
    of_it = select(ArticlePrice).where(ArticlePrice.article_id == article_id).order_by(ArticlePrice.since)
    return [(price.since, price.price.cents) for price in session.scalars(of_it)]


def send(browser: Browser, data: bytes, name: str = "photo.jpg"):
    """Encoded here: the client would leave a file of its own open for what is heavy."""
    boundary, body = encode_multipart(
        {"csrf_token": browser.token, "photo": FileStorage(BytesIO(data), name)}
    )
    return browser.post(f"{HONEY}/photo", data=body, content_type=f"multipart/form-data; boundary={boundary}")
