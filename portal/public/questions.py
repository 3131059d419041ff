"""What is asked often, and how to get in."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.infra.orm import db
from portal.messages.questions import below_headings
from portal.messages.questions import questions as find_questions
from portal.public import blueprint

LONGEST = 100


@blueprint.get("/questions")
def questions() -> ResponseReturnValue:
    typed = request.args.get("q", "").strip()[:LONGEST]
    found = find_questions(db.session(), typed)
    return render_template(
        "public/questions.html",
        groups=below_headings(found),
        answers=len(found),
        typed=typed,
        longest=LONGEST,
    )
