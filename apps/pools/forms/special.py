"""Fields that stand for more than one value of the document: package, user of the start task, mounts, remote access."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.pools.catalogue import ActiveApplication
from apps.pools.forms.engine import Part, Rows

# --- Application packages -------------------------------------------------------------------------------------------
PACKAGES = Rows(
    "applicationPackageReferences",
    _("Application packages"),
    (Part("reference", _("Package"), "choice"),),
    _("Add package"),
    help=_("Each node installs them when it joins, and again at each reboot or reimage. At most ten."),
)


def package_value(reference: Mapping[str, Any]) -> str:
    """How a form names a reference: application, a bar, and the version or nothing."""
    application = str(reference.get("applicationId") or "").rsplit("/", 1)[-1]
    return f"{application}|{reference.get('version') or ''}"


def package_choices(found: Iterable[ActiveApplication], present: Iterable[str]) -> list[tuple[str, Any]]:
    """Every active version, and each application's default; what is `present` and not there stays to choose from."""
    choices: list[tuple[str, Any]] = [("", _("–"))]
    for application in found:
        choices.append((f"{application.id}|", format_lazy("{} ({})", application.id, _("default version"))))
        choices += [(f"{application.id}|{version}", f"{application.id} {version}") for version in application.versions]
    known = {value.lower() for value, _label in choices}
    choices += [(value, value.replace("|", " ")) for value in present if value and value.lower() not in known]
    return choices


def packages_written(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The references of the rows, by the choices made in them."""
    found = []
    for row in rows:
        application, _bar, version = str(row.get("reference") or "").partition("|")
        found.append({"applicationId": application, **({"version": version} if version else {})})
    return found


# --- Who the start task runs as -------------------------------------------------------------------------------------
IDENTITIES = (
    ("", _("Its own user, without administrator rights")),
    ("task-admin", _("Its own user, with administrator rights")),
    ("pool-nonadmin", _("The pool's user, without administrator rights")),
    ("pool-admin", _("The pool's user, with administrator rights")),
    ("account", _("A user account of the pool")),
)


def identity_written(choice: str, name: str) -> dict[str, Any] | None:
    if choice == "account":
        return {"username": name} if name else None
    if not choice:
        return None
    scope, level = choice.split("-")
    return {"autoUser": {"scope": scope, "elevationLevel": level}}


def identity_read(found: Mapping[str, Any] | None) -> tuple[str, str]:
    """The choice, and the account's name."""
    if not found:
        return "", ""
    if found.get("username"):
        return "account", str(found["username"])
    user = found.get("autoUser") or {}
    scope, level = str(user.get("scope") or "pool").lower(), str(user.get("elevationLevel") or "nonadmin").lower()
    choice = f"{scope}-{level}"
    return ("" if choice == "task-nonadmin" else choice), ""


# --- SSH and RDP ----------------------------------------------------------------------------------------------------
CONNECT = (
    ("", _("Not from outside")),
    ("ssh", _("SSH (port 22) through inbound NAT")),
    ("rdp", _("RDP (port 3389) through inbound NAT")),
)
_PORTS = {"ssh": 22, "rdp": 3389}
# Room for 5,000 nodes below the ports that the service keeps for itself (50000 to 55000).
_FRONTEND = {"ssh": (20000, 24999), "rdp": (30000, 34999)}


def nat_pool(choice: str, sources: list[str]) -> dict[str, Any]:
    """An inbound NAT pool for remote login; with sources nobody else gets through."""
    first, last = _FRONTEND[choice]
    found: dict[str, Any] = {
        "name": choice,
        "protocol": "tcp",
        "backendPort": _PORTS[choice],
        "frontendPortRangeStart": first,
        "frontendPortRangeEnd": last,
    }
    if sources:
        allowed = [
            {"priority": 150 + index, "access": "allow", "sourceAddressPrefix": source}
            for index, source in enumerate(sources)
        ]
        found["networkSecurityGroupRules"] = [
            *allowed,
            {"priority": 4096, "access": "deny", "sourceAddressPrefix": "*"},
        ]
    return found


def nat_choice(pools: list[Mapping[str, Any]]) -> tuple[str, list[str]] | None:
    """The choice and sources that would write exactly these NAT pools; None where no choice does."""
    if len(pools) != 1:
        return None
    choice = next((name for name, port in _PORTS.items() if port == pools[0].get("backendPort")), "")
    rules = pools[0].get("networkSecurityGroupRules") or []
    sources = [str(rule.get("sourceAddressPrefix")) for rule in rules if rule.get("access") == "allow"]
    return (choice, sources) if choice and nat_pool(choice, sources) == dict(pools[0]) else None


# --- Mounts ---------------------------------------------------------------------------------------------------------
MOUNTS = Rows(
    "mountConfiguration",
    _("Mounted file systems"),
    (
        Part("relativeMountPath", _("Path below the mounts directory")),
        Part(
            "kind",
            _("Kind"),
            "choice",
            choices=(
                ("blob", _("Azure Blob (blobfuse)")),
                ("share", _("Azure file share")),
                ("nfs", "NFS"),
                ("cifs", "CIFS"),
            ),
        ),
        Part("source", _("Source"), help=_("NFS and CIFS: server and path. File share: its URL. Blob: the container.")),
        Part("account", _("Storage account or user name")),
        Part("secret", _("Account key, SAS or password"), "secret"),
        Part("options", _("Options")),
    ),
    _("Add mount"),
    help=_("Tasks find them below AZ_BATCH_NODE_MOUNTS_DIR."),
)
# kind: the member of the document, and which member each field writes
_MOUNT_MEMBERS = {
    "blob": (
        "azureBlobFileSystemConfiguration",
        {"source": "containerName", "account": "accountName", "secret": "accountKey", "options": "blobfuseOptions"},
    ),
    "share": (
        "azureFileShareConfiguration",
        {"source": "azureFileUrl", "account": "accountName", "secret": "accountKey", "options": "mountOptions"},
    ),
    "nfs": ("nfsMountConfiguration", {"source": "source", "options": "mountOptions"}),
    "cifs": (
        "cifsMountConfiguration",
        {"source": "source", "account": "username", "secret": "password", "options": "mountOptions"},
    ),
}


def mount_written(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The mount that a row's fields describe, and for each of its members the field it came from."""
    kind = str(fields.get("kind") or "blob")
    member, names = _MOUNT_MEMBERS[kind]
    signed = kind == "blob" and "sig=" in str(fields.get("secret") or "")
    known = {**names, "relativeMountPath": "relativeMountPath", **({"secret": "sasKey"} if signed else {})}
    found = {target: fields[name] for name, target in known.items() if fields.get(name)}
    return {member: found}, {f"{member}.{target}": name for name, target in known.items()}


def mount_read(mount: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row for a mount; the secret is given to nobody."""
    for kind, (member, names) in _MOUNT_MEMBERS.items():
        found = mount.get(member)
        if found:
            fields = {name: found.get(target) for name, target in names.items() if name != "secret"}
            return {"kind": kind, "relativeMountPath": found.get("relativeMountPath"), **fields}
    return {}
