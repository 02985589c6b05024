"""The form of a new pool."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.messages import message_for
from apps.pools.catalogue import ActiveApplication, SupportedImage, image_value
from apps.pools.forms import parts, special
from apps.pools.forms.engine import DocumentForm, Part, Rows
from apps.pools.forms.paths import merged, pruned, take

_VM = "virtualMachineConfiguration"
_PACKAGES = "applicationPackageReferences"
_NAT = "networkConfiguration.endpointConfiguration.inboundNATPools"
OWN_IMAGE = "own"
AUTO, FIXED = "auto", "fixed"
# Fields that write at other paths than their name, for errors of those paths.
_PLACES = {
    "id": "pool_id",
    f"{_VM}.imageReference": "image",
    f"{_VM}.imageReference.virtualMachineImageId": "image_id",
    f"{_VM}.imageReference.sharedGalleryImageId": "image_id",
    f"{_VM}.imageReference.communityGalleryImageId": "image_id",
    f"{_VM}.nodeAgentSKUId": "agent",
    "startTask.userIdentity": "identity",
    "startTask.userIdentity.username": "identity_name",
    "networkConfiguration.endpointConfiguration": "connect",
}


class StartTaskFields(DocumentForm):
    """What the forms of a new pool and of a start task have in common."""

    layout: Sequence[Part | Rows] = parts.START_TASK

    def extra_fields(self) -> None:
        super().extra_fields()
        self.fields["identity"] = forms.ChoiceField(
            label=_("Runs as"), choices=special.IDENTITIES, required=False, initial=""
        )
        self.fields["identity_name"] = forms.CharField(label=_("User account"), required=False)

    def read(self, document: dict[str, Any]) -> None:
        choice, name = special.identity_read(take(document, "startTask.userIdentity"))
        self.initial.update({"identity": choice, "identity_name": name})
        super().read(document)

    def write(self, document: dict[str, Any]) -> None:
        super().write(document)
        task = document.get("startTask") or {}
        if not task.get("commandLine") and not task.get("environmentSettings") and not task.get("resourceFiles"):
            document.pop("startTask", None)
            return
        found = special.identity_written(self.said("identity"), self.said("identity_name").strip())
        if found:
            task["userIdentity"] = found

    def place(self, path: str) -> str | None:
        return _PLACES.get(path) if _PLACES.get(path) in self.fields else super().place(path)


class PackageFields(DocumentForm):
    """Application packages, each chosen as application and version at once."""

    layout: Sequence[Part | Rows] = (special.PACKAGES,)

    def __init__(
        self,
        data: QueryDict | None = None,
        document: Mapping[str, Any] | None = None,
        *,
        applications: Iterable[ActiveApplication] = (),
    ) -> None:
        self._applications = tuple(applications)
        super().__init__(data, document)

    def extra_fields(self) -> None:
        super().extra_fields()
        names = [name for name in self.fields if name.startswith(f"{_PACKAGES}[")]
        present = [str(self.data.get(name, "")) for name in names]
        self._offer(names, present)

    def _offer(self, names: list[str], present: list[str]) -> None:
        choices = special.package_choices(self._applications, present)
        for name in names:
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def read(self, document: dict[str, Any]) -> None:
        references = document.pop(_PACKAGES, None) or []
        super().read(document)
        values = {
            f"{_PACKAGES}[{index}].reference": special.package_value(reference)
            for index, reference in enumerate(references)
        }
        self.initial.update(values)
        self._offer(list(values), list(values.values()))

    def write(self, document: dict[str, Any]) -> None:
        super().write(document)
        if _PACKAGES not in document:
            return
        document[_PACKAGES] = special.packages_written(document[_PACKAGES])
        for index in range(len(document[_PACKAGES])):
            row = self._places[f"{_PACKAGES}[{index}].reference"]
            for member in ("applicationId", "version"):
                self._places[f"{_PACKAGES}[{index}].{member}"] = row


class MetadataForm(DocumentForm):
    layout = parts.METADATA


class NewPoolForm(StartTaskFields, PackageFields):
    """All of a pool. What the document has and no field shows goes into `extra`, so a clone loses nothing."""

    layout = (
        *parts.BASICS,
        *parts.CONTAINERS,
        *parts.SCALE,
        *parts.TASKS,
        *parts.START_TASK,
        *parts.USERS,
        *parts.NETWORK,
        special.MOUNTS,
        *parts.DISKS,
        *parts.METADATA,
        special.PACKAGES,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        document: Mapping[str, Any] | None = None,
        *,
        images: Sequence[SupportedImage] = (),
        applications: Iterable[ActiveApplication] = (),
    ) -> None:
        self._images = images
        # `read` takes the document apart, so it gets one of its own.
        own = json.loads(json.dumps(document)) if document is not None else None
        super().__init__(data, own, applications=applications)

    def extra_fields(self) -> None:
        super().extra_fields()
        text: Any = forms.CharField
        # Not "id": inside a form that name would hide the form's own id from scripts.
        self.fields["pool_id"] = text(
            label=_("Pool ID"),
            required=False,
            help_text=_("At most 64 letters, digits, hyphens and underscores. It cannot be changed."),
            widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}),
        )
        self.fields["image"] = text(label=_("Image"), required=False)
        self.fields["image_id"] = text(
            label=_("Resource ID of the image version"),
            required=False,
            help_text=_("/subscriptions/…/galleries/…/images/…/versions/…, or /communityGalleries/…"),
        )
        self.fields["agent"] = text(label=_("Node agent"), required=False)
        example = forms.TextInput(attrs={"placeholder": "Standard_D2s_v5", "spellcheck": "false"})
        self.fields["vmSize"] = text(label=_("VM size"), required=False, widget=example)
        self.fields["scale"] = forms.ChoiceField(
            label=_("Scaling"),
            choices=((FIXED, _("A fixed number of nodes")), (AUTO, _("Automatic, by a formula"))),
            widget=forms.RadioSelect,
            required=False,
            initial=FIXED,
        )
        self.fields["connect"] = forms.ChoiceField(
            label=_("Remote login"),
            choices=special.CONNECT,
            required=False,
            help_text=_(
                "Since 30 November 2025 the service opens neither port by itself. Without one, Connect shows no "
                "address: nodes are reached only from inside their virtual network."
            ),
        )
        self.fields["sources"] = forms.CharField(
            label=_("Allowed from"),
            required=False,
            widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
            help_text=_("Address ranges such as 203.0.113.0/24, one in a line. Empty: from everywhere."),
        )
        self.fields["extra"] = forms.CharField(
            label=_("Further properties (JSON)"),
            required=False,
            strip=True,
            widget=forms.Textarea(attrs={"rows": 6, "class": "bp-mono", "spellcheck": "false"}),
            help_text=_("Merged into the document, for what has no field here: extensions, security profile and more."),
        )

    def clean_extra(self) -> Any:
        raw = self.cleaned_data["extra"]
        if not raw:
            return {}
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("This is not JSON: %(problem)s"), params={"problem": str(error)}) from None
        if not isinstance(found, dict):
            raise forms.ValidationError(message_for("pool-extra-no-object", {}))
        return found

    # --- From a document --------------------------------------------------------------------------------------------
    def read(self, document: dict[str, Any]) -> None:
        self._read_image(document)
        self.initial["pool_id"] = take(document, "id")
        self.initial["vmSize"] = take(document, "vmSize")
        self.initial["scale"] = AUTO if take(document, "enableAutoScale") else FIXED
        pools = (((document.get("networkConfiguration") or {}).get("endpointConfiguration")) or {}).get(
            "inboundNATPools"
        ) or []
        if found := special.nat_choice(pools):
            self.initial.update({"connect": found[0], "sources": "\n".join(found[1])})
            take(document, _NAT)
        for index, mount in enumerate(document.get("mountConfiguration") or []):
            for name, value in special.mount_read(mount).items():
                self.initial[f"mountConfiguration[{index}].{name}"] = value
        known = dict(self.initial)
        super().read(document)
        self.initial.update({name: value for name, value in known.items() if name.startswith("mountConfiguration")})
        document.pop("mountConfiguration", None)
        if left := pruned(document):
            self.initial["extra"] = json.dumps(left, indent=2, ensure_ascii=False)

    def _read_image(self, document: dict[str, Any]) -> None:
        reference = take(document, f"{_VM}.imageReference") or {}
        agent = take(document, f"{_VM}.nodeAgentSKUId") or ""
        own = next((reference[name] for name in _OWN if reference.get(name)), "")
        if own:
            self.initial.update({"image": OWN_IMAGE, "image_id": own, "agent": agent})
        elif reference:
            parts_of = (reference.get(name) or "" for name in ("publisher", "offer", "sku"))
            self.initial.update({"image": "/".join([*parts_of, reference.get("version") or "latest"]), "agent": agent})

    # --- To a document ----------------------------------------------------------------------------------------------
    def write(self, document: dict[str, Any]) -> None:
        super().write(document)
        self._write_names(document)
        if self.said("vmSize"):
            document["vmSize"] = self.said("vmSize").strip()
        self._write_image(document)
        self._write_scale(document)
        self._write_mounts(document)
        choice = self.said("connect")
        if choice:
            sources = [line.strip() for line in self.said("sources").splitlines() if line.strip()]
            network = document.setdefault("networkConfiguration", {})
            network["endpointConfiguration"] = {"inboundNATPools": [special.nat_pool(choice, sources)]}
        extra = self.cleaned_data.get("extra") or {}
        if extra:
            combined = merged(document, extra)
            document.clear()
            document.update(combined)

    def _write_names(self, document: dict[str, Any]) -> None:
        """The ID first, as everybody writes it."""
        if self.said("pool_id"):
            rest = dict(document)
            document.clear()
            document |= {"id": self.said("pool_id"), **rest}

    def _write_image(self, document: dict[str, Any]) -> None:
        chosen = self.said("image").strip()
        machine = document.setdefault(_VM, {})
        if chosen == OWN_IMAGE:
            own = self.said("image_id").strip()
            machine["imageReference"] = {_own_member(own): own}
            machine["nodeAgentSKUId"] = self.said("agent").strip()
        elif chosen.count("/") == 3:
            names = ("publisher", "offer", "sku", "version")
            machine["imageReference"] = dict(zip(names, chosen.split("/"), strict=True))
            image = next((one for one in self._images if image_value(one) == chosen), None)
            machine["nodeAgentSKUId"] = image.node_agent_sku_id if image else self.said("agent").strip()

    def _write_scale(self, document: dict[str, Any]) -> None:
        if self.said("scale") == AUTO:
            document["enableAutoScale"] = True
            for name in ("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout"):
                document.pop(name, None)
        else:
            document.pop("autoScaleFormula", None)
            document.pop("autoScaleEvaluationInterval", None)

    def _write_mounts(self, document: dict[str, Any]) -> None:
        found = []
        for at, fields in enumerate(document.pop("mountConfiguration", [])):
            mount, origins = special.mount_written(fields)
            found.append(mount)
            for target, name in origins.items():
                row = self._places[f"mountConfiguration[{at}].{name}"]
                self._places[f"mountConfiguration[{at}].{target}"] = row
        if found:
            document["mountConfiguration"] = found


_OWN = ("virtualMachineImageId", "sharedGalleryImageId", "communityGalleryImageId")


def _own_member(own: str) -> str:
    lower = own.lower()
    if lower.startswith("/communitygalleries/"):
        return "communityGalleryImageId"
    return "sharedGalleryImageId" if lower.startswith("/sharedgalleries/") else "virtualMachineImageId"
