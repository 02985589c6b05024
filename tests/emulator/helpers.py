"""What tests hand to the SDKs and read out of their exceptions."""

from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.mgmt.batch.models import (
    Application,
    ApplicationProperties,
    BatchAccountCreateParameters,
    BatchAccountCreateProperties,
    BatchAccountUpdateParameters,
    BatchAccountUpdateProperties,
)


def application(**properties: Any) -> Application:
    return Application(properties=ApplicationProperties(**properties))


def new_account(location: str = "westeurope", **properties: Any) -> BatchAccountCreateParameters:
    return BatchAccountCreateParameters(location=location, properties=BatchAccountCreateProperties(**properties))


def changed_account(tags: dict[str, str] | None = None, **properties: Any) -> BatchAccountUpdateParameters:
    return BatchAccountUpdateParameters(tags=tags, properties=BatchAccountUpdateProperties(**properties))


def code(error: HttpResponseError) -> tuple[int | None, str]:
    """Status and error code."""
    return error.status_code, str(error.error.code) if error.error else ""


def message(error: HttpResponseError) -> str:
    return str(error.error.message) if error.error else ""
