"""Photographs of what the shop sells: an address names its bytes for ever."""

from flask import Response, abort

from portal.catalogue.pictures import picture_file
from portal.infra.orm import db
from portal.public import blueprint
from portal.web.assets import Asset, answer


@blueprint.get("/photos/<digest>-<id:width>.webp")
def picture(digest: str, width: int) -> Response:
    data = picture_file(db.session(), digest, width)
    if data is None:
        abort(404)
    return answer(Asset(data, "image/webp"), forever=True)
