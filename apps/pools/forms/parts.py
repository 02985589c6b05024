"""The fields of a pool's document, in the order in which people think of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.pools.forms.engine import Part, Rows

_VM = "virtualMachineConfiguration"
_NETWORK = "networkConfiguration"
_DISK_TYPES = (
    ("", _("Default")),
    ("standard_lrs", _("Standard HDD")),
    ("standardssd_lrs", _("Standard SSD")),
    ("premium_lrs", _("Premium SSD")),
)
_CACHING = (("", _("Default")), ("none", _("None")), ("readonly", _("Read only")), ("readwrite", _("Read and write")))

BASICS = (Part("displayName", _("Display name")),)
CONTAINERS = (
    Part(
        f"{_VM}.containerConfiguration.type",
        _("Container runtime"),
        "choice",
        choices=(("", _("None")), ("dockerCompatible", "Docker"), ("criCompatible", "CRI")),
        help=_("Needs an image with the capability DockerCompatible."),
    ),
    Part(
        f"{_VM}.containerConfiguration.containerImageNames",
        _("Container images to fetch beforehand"),
        "lines",
        help=_("One in a line, for example mcr.microsoft.com/azurelinux/base/core:3.0"),
    ),
    Rows(
        f"{_VM}.containerConfiguration.containerRegistries",
        _("Container registries"),
        (
            Part("registryServer", _("Server"), placeholder="myregistry.azurecr.io"),
            Part("username", _("User name")),
            Part("password", _("Password"), "secret"),
        ),
        _("Add registry"),
    ),
)
SCALE = (
    Part("targetDedicatedNodes", _("Dedicated nodes"), "number", initial=0),
    Part(
        "targetLowPriorityNodes", _("Spot nodes"), "number", initial=0, help=_("Cheaper, and Azure may reclaim them.")
    ),
    Part(
        "resizeTimeout",
        _("Resize timeout in minutes"),
        "minutes",
        help=_("At least 5; 15 when empty. Take 30 above 1,000 nodes."),
    ),
    Part("autoScaleFormula", _("Formula"), "code"),
    Part(
        "autoScaleEvaluationInterval",
        _("Evaluated every … minutes"),
        "minutes",
        help=_("From 5 minutes to 168 hours; 15 minutes when empty."),
    ),
)
TASKS = (
    Part("taskSlotsPerNode", _("Task slots per node"), "number", help=_("1 when empty; at most four for each vCPU.")),
    Part(
        "taskSchedulingPolicy.nodeFillType",
        _("How tasks are spread over nodes"),
        "choice",
        choices=(("", _("Evenly (spread)")), ("pack", _("Fill one node before the next (pack)"))),
    ),
    Part(
        "enableInterNodeCommunication",
        _("Nodes may speak to each other (multi-instance tasks)"),
        "flag",
        help=_("Limits the pool to 100 nodes."),
    ),
)
START_TASK = (
    Part(
        "startTask.commandLine",
        _("Command line"),
        "code",
        help=_("No shell runs it: for pipes and variables write /bin/bash -c '…' (Linux) or cmd /c … (Windows)."),
    ),
    Part("startTask.maxTaskRetryCount", _("Retries"), "number", help=_("0 when empty; -1 tries without end.")),
    Part("startTask.waitForSuccess", _("Wait for its success before taking tasks"), "flag", initial=True, sent=True),
    Rows(
        "startTask.environmentSettings",
        _("Environment variables"),
        (Part("name", _("Name")), Part("value", _("Value"))),
        _("Add variable"),
    ),
    Rows(
        "startTask.resourceFiles",
        _("Resource files"),
        (
            Part("httpUrl", _("URL of a file")),
            Part("storageContainerUrl", _("or URL of a container")),
            Part("autoStorageContainerName", _("or container in the linked storage")),
            Part("blobPrefix", _("Prefix in the container")),
            Part("filePath", _("Path on the node")),
            Part("fileMode", _("Mode"), placeholder="0770"),
        ),
        _("Add file"),
        help=_("They lie in the start task's working directory before it begins."),
    ),
)
USERS = (
    Rows(
        "userAccounts",
        _("User accounts"),
        (
            Part("name", _("Name")),
            Part("password", _("Password"), "secret"),
            Part(
                "elevationLevel",
                _("Rights"),
                "choice",
                choices=(("", _("User")), ("admin", _("Administrator"))),
            ),
            Part("linuxUserConfiguration.uid", _("User ID (Linux)"), "number"),
            Part("linuxUserConfiguration.gid", _("Group ID (Linux)"), "number"),
        ),
        _("Add account"),
        help=_("Accounts that tasks can run as. For SSH and RDP add users to nodes instead."),
    ),
)
NETWORK = (
    Part(
        f"{_NETWORK}.subnetId",
        _("Subnet of a virtual network"),
        help=_("Its resource ID. The pool's nodes get addresses there."),
    ),
    Part(
        f"{_NETWORK}.publicIPAddressConfiguration.provision",
        _("Public addresses"),
        "choice",
        choices=(
            ("", _("Made by Batch")),
            ("usermanaged", _("Own public addresses")),
            ("nopublicipaddresses", _("None")),
        ),
    ),
    Part(
        f"{_NETWORK}.publicIPAddressConfiguration.ipAddressIds",
        _("Own public addresses"),
        "lines",
        help=_("Resource IDs, one in a line; one address serves 100 nodes."),
    ),
    Part(f"{_NETWORK}.enableAcceleratedNetworking", _("Accelerated networking"), "flag"),
)
DISKS = (
    Part(f"{_VM}.osDisk.diskSizeGB", _("System disk in GB"), "number", help=_("The image's size when empty.")),
    Part(
        f"{_VM}.osDisk.ephemeralOSDiskSettings.placement",
        _("System disk"),
        "choice",
        choices=(("", _("Managed disk")), ("cachedisk", _("Ephemeral, on the machine's cache disk"))),
    ),
    Rows(
        f"{_VM}.dataDisks",
        _("Data disks"),
        (
            Part("lun", _("Logical unit number"), "number"),
            Part("diskSizeGB", _("Size in GB"), "number"),
            Part("caching", _("Caching"), "choice", choices=_CACHING),
            Part("storageAccountType", _("Type"), "choice", choices=_DISK_TYPES),
        ),
        _("Add disk"),
        help=_("They come empty: the start task formats and mounts them."),
    ),
)
METADATA = (
    Rows(
        "metadata",
        _("Metadata"),
        (Part("name", _("Name")), Part("value", _("Value"))),
        _("Add entry"),
        help=_("Names and values for your own use. Batch does not read them."),
    ),
)
