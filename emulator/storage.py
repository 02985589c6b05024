"""Connection strings of blob stores."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

# Published with Azurite; the same on every machine.
_DEVELOPMENT = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
)


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """One storage account: its name, key and the address of its blob service without a trailing slash."""

    name: str
    key: str = field(repr=False)
    blob_endpoint: str


def parse_connections(texts: Iterable[str]) -> tuple[StorageConnection, ...]:
    """Connections of strings separated by blanks or newlines. Raises ValueError, never repeating a key."""
    found: dict[str, StorageConnection] = {}
    for text in " ".join(texts).split():
        connection = parse_connection(text)
        if connection.name in found:
            raise ValueError(f"the storage account {connection.name!r} is given twice")
        found[connection.name] = connection
    return tuple(found.values())


def parse_connection(text: str) -> StorageConnection:
    parts = dict(part.split("=", 1) for part in text.strip(";").split(";") if "=" in part)
    if parts.get("UseDevelopmentStorage", "").lower() == "true":
        return parse_connection(_DEVELOPMENT)
    try:
        name, key = parts["AccountName"], parts["AccountKey"]
        base64.b64decode(key, validate=True)
    except KeyError as error:
        raise ValueError(f"a connection string lacks {error.args[0]}") from None
    except binascii.Error:
        raise ValueError("AccountKey is not Base64") from None
    endpoint = parts.get("BlobEndpoint") or _public_endpoint(name, parts)
    return StorageConnection(name=name.lower(), key=key, blob_endpoint=endpoint.rstrip("/"))


def _public_endpoint(name: str, parts: dict[str, str]) -> str:
    scheme = parts.get("DefaultEndpointsProtocol", "https")
    return f"{scheme}://{name}.blob.{parts.get('EndpointSuffix', 'core.windows.net')}"
