"""Typed parts of addresses."""

from datetime import date

from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, ValidationError


class DateConverter(BaseConverter):
    """A calendar day written 2026-06-01; anything else is a 404, so are years near the ends of the calendar."""

    regex = r"2[0-9]{3}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValidationError from None

    def to_url(self, value: date) -> str:
        return value.isoformat()


class MonthConverter(DateConverter):
    """A month written 2026-06, which is its first day."""

    regex = r"2[0-9]{3}-[0-9]{2}"
    weight = 50  # before what is a number of any kind

    def to_python(self, value: str) -> date:
        return super().to_python(f"{value}-01")

    def to_url(self, value: date) -> str:
        return f"{value:%Y-%m}"


class IdConverter(IntegerConverter):
    """A row's key, below a thousand million; anything else is a 404, and never reaches the database."""

    regex = r"[1-9][0-9]{0,8}"


def init_app(app: Flask) -> None:
    app.url_map.converters["date"] = DateConverter
    app.url_map.converters["month"] = MonthConverter
    app.url_map.converters["id"] = IdConverter
