"""The gallery of components, for who draws the pages: in development only."""

from flask import render_template
from flask.typing import ResponseReturnValue


def show_components() -> ResponseReturnValue:
    return render_template("farm/components.html")
