"""Tables that come in: sent, tried by the worker, then written; and everything that goes out as one file."""

from io import BytesIO
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import defer
from werkzeug.datastructures import FileStorage
from wtforms import BooleanField, Form

from portal.exchange import archives, imports
from portal.exchange.lines import Context
from portal.exchange.models import Archive, RunState, Subject, TableImport
from portal.exchange.reading import MOST_BYTES, MOST_LINES
from portal.exchange.tables import Format, make
from portal.farm import blueprint, staff
from portal.farm.downloads import attachment
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.web.forms import Chosen, choices
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import takes_uploads

ADDRESS = "/imports/<id:import_id>"
SHOWN = 10
SUBJECTS = {
    Subject.PEOPLE: _l("Abonné·es"),
    Subject.SUBSCRIPTIONS: _l("Abonnements"),
    Subject.POINTS: _l("Points de retrait"),
    Subject.PRODUCTS: _l("Produits des paniers"),
    Subject.ARTICLES: _l("Articles de la boutique"),
}
MODELS = {
    "abonnes": Subject.PEOPLE,
    "abonnements": Subject.SUBSCRIPTIONS,
    "points-de-retrait": Subject.POINTS,
    "produits": Subject.PRODUCTS,
    "boutique": Subject.ARTICLES,
}
"""By the words of their addresses."""


class SendForm(Form):
    subject = Chosen(_l("Ce que le fichier contient"))
    invites = BooleanField(_l("Inviter par mail chaque nouvelle personne à choisir son mot de passe"))

    def process(self, *args: Any, **values: Any) -> None:
        self.subject.choices = choices((subject, str(words)) for subject, words in SUBJECTS.items())
        super().process(*args, **values)


@blueprint.get("/imports")
@needs(Permission.EXCHANGE)
def exchange() -> ResponseReturnValue:
    """The page; as an answer to HTMX, how far the archive is."""
    if is_htmx():
        return render_template("farm/exchange/_archives.html", archives=_archives())
    return _page(SendForm(invites=False))


@blueprint.post("/imports")
@needs(Permission.EXCHANGE)
@takes_uploads
def send_table() -> ResponseReturnValue:
    form, upload = SendForm(request.form), request.files.get("fichier")
    data = _read(upload) if upload else b""
    refusal = "missing" if not data else "too_big" if len(data) > MOST_BYTES else None
    if refusal or not form.validate():
        return _page(form, 422, refusal=refusal)
    assert upload
    sent = imports.take_in(
        db.session(),
        form.subject.data,
        data,
        upload.filename or "",
        invites=form.invites.data and form.subject.data is Subject.PEOPLE,
        at=clock.now(),
        by=staff().id,
    )
    return _to(sent.id)


@blueprint.get("/imports/modeles/<subject>.<ending>")
@needs(Permission.EXCHANGE)
def table_model(subject: str, ending: str) -> ResponseReturnValue:
    """What a table may hold, with a line as an example."""
    if subject not in MODELS or ending not in set(Format):
        abort(404)
    columns = _columns(MODELS[subject])
    heads = {column.head: (lambda _row, sample=column.sample: sample) for column in columns}
    file, _rows = make(Format(ending), heads, [()])
    return attachment(file, f"modele-{subject}.{ending}", Format(ending).content_type)


@blueprint.get(ADDRESS)
@needs(Permission.EXCHANGE)
def table_import(import_id: int) -> ResponseReturnValue:
    return _import_page(_import_or_404(import_id))


@blueprint.post(f"{ADDRESS}/colonnes")
@needs(Permission.EXCHANGE)
def assign_columns(import_id: int) -> ResponseReturnValue:
    """Say which of the file's columns are meant by heads that nobody knows."""
    found = _import_or_404(import_id)
    free = _unknown(found)
    known = {column.key for column in _columns(found.subject)} - set(found.report.get("columns", ()))
    places = {request.form.get(f"colonne-{place}", ""): place for place, _head in free}
    places.pop("", None)
    if not set(places) <= known:
        abort(422)
    if not places or not imports.assign(db.session(), import_id, places):
        return _import_page(found, status=422, refused="columns")
    return _to(import_id)


@blueprint.post(f"{ADDRESS}/ecriture")
@needs(Permission.EXCHANGE)
def write_table(import_id: int) -> ResponseReturnValue:
    found = _import_or_404(import_id)
    if not imports.begin(db.session(), import_id, at=clock.now(), by=staff().id):
        return _import_page(found, status=422, refused="begin")
    return _to(import_id)


@blueprint.post(f"{ADDRESS}/abandon")
@needs(Permission.EXCHANGE)
def drop_table(import_id: int) -> ResponseReturnValue:
    found = _import_or_404(import_id)
    if not imports.drop(db.session(), import_id, at=clock.now(), by=staff().id):
        return _import_page(found, status=422, refused="begin")
    flash(_("Le fichier est oublié."), "success")
    return redirect(url_for("farm.exchange"), 303)


@blueprint.post("/imports/archives")
@needs(Permission.ARCHIVE)
def ask_archive() -> ResponseReturnValue:
    archives.ask(db.session(), at=clock.now(), by=staff().id)
    return redirect(url_for("farm.exchange", _anchor="tout"), 303)


@blueprint.post("/imports/archives/<id:archive_id>")
@needs(Permission.ARCHIVE)
def take_archive(archive_id: int) -> ResponseReturnValue:
    now = clock.now()
    data = archives.take(db.session(), archive_id, at=now, by=staff().id)
    if data is None:
        abort(404)
    return attachment(BytesIO(data), f"ferme-{local_day(now)}.zip", "application/zip")


def _read(upload: FileStorage) -> bytes:
    try:
        return upload.stream.read(MOST_BYTES + 1)
    finally:
        upload.close()


def _to(import_id: int) -> ResponseReturnValue:
    return redirect(url_for("farm.table_import", import_id=import_id), 303)


def _import_or_404(import_id: int) -> TableImport:
    that = select(TableImport).where(TableImport.id == import_id).options(defer(TableImport.data))
    return db.session().scalar(that) or abort(404)


def _columns(subject: Subject) -> Any:
    context = Context(db.session(), clock.now(), staff().id, False)
    return imports.WRITERS[subject](context).columns


def _unknown(found: TableImport) -> list[tuple[int, str]]:
    """The file's heads that say nothing to us: (place, head)."""
    taken = set(found.report.get("columns", {}).values())
    return [(n, head) for n, head in enumerate(found.report.get("heads", ())) if n not in taken and head]


def _import_page(found: TableImport, *, status: int = 200, refused: str | None = None) -> ResponseReturnValue:
    """The page; as an answer to HTMX, how far it is."""
    columns = _columns(found.subject)
    known = found.report.get("columns", {})
    page = render_template(
        "farm/exchange/_run.html" if is_htmx() else "farm/exchange/page.html",
        run=found,
        subject=SUBJECTS[found.subject],
        working=found.state in {RunState.READING, RunState.WRITING},
        recognised=[(c.head, found.report["heads"][known[c.key]]) for c in columns if c.key in known],
        unknown=_unknown(found),
        free=[column for column in columns if column.key not in known],
        heads={column.key: column.head for column in columns},
        refused=refused,
        nav_current="farm.index",
    )
    return make_response(page, status)


def _page(form: SendForm, status: int = 200, *, refusal: str | None = None) -> ResponseReturnValue:
    session = db.session()
    recent = select(TableImport).options(defer(TableImport.data)).order_by(TableImport.id.desc())
    page = render_template(
        "farm/exchange/list.html",
        form=form,
        refusal=refusal,
        subjects=SUBJECTS,
        models=MODELS,
        runs=session.scalars(recent.limit(SHOWN)).all(),
        archives=_archives(),
        most_megabytes=MOST_BYTES // 1024**2,
        most_lines=MOST_LINES,
        nav_current="farm.index",
    )
    return make_response(page, status)


def _archives() -> list[Archive]:
    return list(
        db.session().scalars(select(Archive).options(defer(Archive.data)).order_by(Archive.id.desc()))
    )
