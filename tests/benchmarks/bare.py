"""What the portal is measured beside: the plainest Flask page that reads as many rows and sends as many bytes.

It stands on what the portal stands on, the ORM and Jinja, and does nothing else: nobody signs in, nothing is decided
or translated. `?rows=3&rows=40&bytes=12000` reads 3 rows, then 40; a change of the portal's counts as reading none.
"""

import os
from itertools import cycle, islice

from flask import Flask, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

LINE = 100
"""More bytes than a line of the page has; spaces fill the rest."""


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str | None]


app = Flask(__name__)
engine = create_engine(os.environ["DATABASE_URL"])
template = app.jinja_env.from_string(
    """<!doctype html>
<html lang="en"><title>People</title>
<ul>{% for person in people %}
<li><a href="/{{ person.id }}">{{ person.first_name }} {{ person.last_name }}</a>, {{ person.email }}</li>{% endfor %}
</ul></html>"""
)


@app.get("/")
def page() -> bytes:
    size, numbers = int(request.args["bytes"]), request.args.getlist("rows", int)
    with Session(engine) as session:
        people = [person for n in numbers for person in session.scalars(select(Person).limit(n))]
        return template.render(people=islice(cycle(people), size // LINE)).encode().ljust(size)
