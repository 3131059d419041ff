"""What is asked often, with its answer: ours until the farm writes its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.infra import audit, locks
from portal.infra.orm import View
from portal.messages.first_questions import FIRST_QUESTIONS
from portal.messages.models import Question
from portal.rules.alphabet import finds, slug_of

ROOT = 5
"""So many letters tell a word, however it ends."""


@dataclass(frozen=True, slots=True)
class QuestionView:
    """Without an `id` it is one of ours."""

    id: int | None
    heading: str
    asked: str
    answer: str


OURS = [QuestionView(None, *question) for question in FIRST_QUESTIONS]
_IN_ORDER = select(
    View(QuestionView, id=Question.id, heading=Question.heading, asked=Question.asked, answer=Question.answer)
).order_by(Question.position, Question.id)


def own_questions(session: Session) -> list[QuestionView]:
    """What the farm has written, in its order."""
    return list(session.scalars(_IN_ORDER))


def questions(session: Session, typed: str = "") -> list[QuestionView]:
    """Those that hold every word that was typed; if there are none, those nearest to some of them."""
    known = own_questions(session) or OURS
    return [view for view in known if _holds(view, typed)] or _near(known, typed)


def _holds(view: QuestionView, typed: str) -> bool:
    return finds(typed, view.heading, view.asked, view.answer)


def _near(known: list[QuestionView], typed: str) -> list[QuestionView]:
    """Those that hold the most of the roots of the longer words."""
    roots = [word[:ROOT] for word in slug_of(typed).split("-") if len(word) >= ROOT]
    held = [sum(_holds(view, root) for root in roots) for view in known]
    most = max(held, default=0)
    return [view for view, number in zip(known, held, strict=True) if most and number == most]


def below_headings(views: Iterable[QuestionView]) -> dict[str, list[QuestionView]]:
    """In the order of each heading's first question."""
    groups: dict[str, list[QuestionView]] = {}
    for view in views:
        groups.setdefault(view.heading, []).append(view)
    return groups


def find_question(session: Session, question_id: int) -> QuestionView | None:
    return session.scalar(_IN_ORDER.where(Question.id == question_id))


def start_with_ours(session: Session, *, at: datetime, by: int | None) -> bool:
    """Make ours the farm's own, to be changed; nothing where it has written any."""
    if _all_locked(session):
        return False
    rows = [
        Question(heading=view.heading, asked=view.asked, answer=view.answer, position=position)
        for position, view in enumerate(OURS)
    ]
    session.add_all(rows)
    session.flush()
    after = {"questions": len(rows)}
    audit.record(session, "question.start", ("question", rows[0].id), at=at, by=by, after=after)
    return True


def add_question(
    session: Session, *, heading: str, asked: str, answer: str, at: datetime, by: int
) -> Question:
    rows = _all_locked(session)
    question = Question(
        heading=heading, asked=asked, answer=answer, position=rows[-1].position + 1 if rows else 0
    )
    session.add(question)
    session.flush()
    audit.record(session, "question.create", ("question", question.id), at=at, by=by)
    return question


def change_question(
    session: Session, question_id: int, *, heading: str, asked: str, answer: str, at: datetime, by: int
) -> bool | None:
    """Whether it was otherwise until now; None where it has been removed."""
    question = _locked(session, question_id)
    if question is None:
        return None
    values = {"heading": heading, "asked": asked, "answer": answer}
    return bool(audit.change(session, question, values, at=at, by=by, unsaid={"asked", "answer"}))


def remove_question(session: Session, question_id: int, *, at: datetime, by: int) -> bool:
    """Whether it was still there."""
    question = _locked(session, question_id)
    if question is None:
        return False
    session.delete(question)
    audit.record(session, "question.remove", ("question", question_id), at=at, by=by)
    return True


def place_question(session: Session, question_id: int, place: int, *, at: datetime, by: int) -> bool:
    """Put it into its place among those below its heading, from nought; whether it was elsewhere."""
    rows = _all_locked(session)
    moved = next((row for row in rows if row.id == question_id), None)
    if moved is None:
        return False
    below = [row for row in rows if row.heading == moved.heading]
    before = below.index(moved)
    below.remove(moved)
    below.insert(place, moved)
    after = below.index(moved)
    if before == after:
        return False
    turn = iter(below)
    ordered = [next(turn) if row.heading == moved.heading else row for row in rows]
    for position, row in enumerate(ordered):
        row.position = position
    said = {"before": {"place": before}, "after": {"place": after}}
    audit.record(session, "question.place", ("question", question_id), at=at, by=by, **said)
    return True


def _all_locked(session: Session) -> list[Question]:
    in_order = select(Question).order_by(Question.id)
    rows = session.scalars(locks.for_update(in_order, of=Question)).all()
    return sorted(rows, key=lambda row: (row.position, row.id))


def _locked(session: Session, question_id: int) -> Question | None:
    return session.scalar(locks.for_update(select(Question).where(Question.id == question_id), of=Question))
