"""Images that nodes can be made from."""

from typing import Any

from starlette.responses import Response

from emulator import answers, odata
from emulator.call import Call
from emulator.catalogue.images import IMAGES, Image
from emulator.data.pages import page, sliced


async def list_supported_images(call: Call) -> Response:
    wanted = odata.query(call, odata.fields.IMAGE)
    value, last = sliced([body for image in IMAGES if wanted.matches(body := _body(image))], call, _key)
    return page(call, "supportedimages", value, last)


def _key(body: dict[str, Any]) -> str:
    image = body["imageReference"]
    return f"{image['publisher']}/{image['offer']}/{image['sku']}"


def _body(image: Image) -> dict[str, Any]:
    return answers.without_none(
        {
            "nodeAgentSKUId": image.node_agent,
            "imageReference": {
                "publisher": image.publisher,
                "offer": image.offer,
                "sku": image.sku,
                "version": "latest",
            },
            "osType": image.os_type,
            "capabilities": list(image.capabilities) or None,
            "batchSupportEndOfLife": image.end_of_life,
            "verificationType": "verified" if image.verified else "unverified",
        }
    )
