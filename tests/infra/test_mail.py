"""A mail is written from its templates: a subject on one line, a text, a page that looks like the site."""

import re

import pytest

from portal.infra.mail import link, render


@pytest.fixture
def write(app, tmp_path, monkeypatch):
    """Render a mail from templates of the test's own, in the site's layouts."""
    parts = {
        "subject.txt": "{{ _('Bonjour %(name)s : à vous !', name=name) }}\n",
        "text.txt": "{% extends 'mail/layout.txt' %}\n{% block content %}\n{{ name }}\n\n\n\n"
        "{{ link('public.home') }}\n{% endblock %}",
        "body.html": "{% extends 'mail/layout.html' %}{% from 'mail/button.html' import button %}"
        "{% block content %}<h1>{{ name }}</h1>{{ button(link('public.home'), _('Voir')) }}{% endblock %}",
    }
    folder = tmp_path / "mail" / "hello"
    folder.mkdir(parents=True)
    for name, source in parts.items():
        (folder / name).write_text(source, encoding="utf-8")
    monkeypatch.setattr(app.jinja_loader, "searchpath", [*app.jinja_loader.searchpath, str(tmp_path)])

    def render_within_request(name, **headers):
        with app.test_request_context("/", headers=headers):
            return render("hello", name=name)

    return render_within_request


def test_a_mail_has_subject_text_and_page_with_french_spaces(write):
    mail = write("Camille")
    assert mail.subject == "Bonjour Camille\u00a0: à vous\u202f!"
    assert mail.text.startswith("Camille\n\nhttp://localhost/\n")
    assert "Les Jardins du Test · 04 65 71 00 01" in mail.text
    assert "<h1>Camille</h1>" in mail.html
    assert '<html lang="fr">' in mail.html
    assert mail.html.count("<a ") - mail.html.count('href="tel:') == 1


def test_names_are_text_everywhere_and_stay_on_their_line(write):
    mail = write("<b>Camille & Cie</b>\r\nBcc: x@example.org")
    assert "\r" not in mail.subject
    assert "\n" not in mail.subject
    assert mail.subject.startswith("Bonjour <b>Camille & Cie</b> Bcc")
    assert "<b>Camille & Cie</b>" in mail.text
    assert "&lt;b&gt;Camille &amp; Cie&lt;/b&gt;" in mail.html


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded"])
def test_links_begin_with_the_base_url_whatever_the_request_says(write, header):
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    mail = write("Camille", **{header: value})
    assert "evil" not in mail.text + mail.html
    assert re.findall(r"http\S+?(?=[\"\s])", mail.text + mail.html) == ["http://localhost/"] * 2


def test_a_link_needs_no_request(app):
    with app.app_context():
        assert link("security.login", next="/espace") == "http://localhost/connexion?next=/espace"
