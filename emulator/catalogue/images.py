"""Marketplace images that Batch supports, as of autumn 2026."""

from dataclasses import dataclass

DOCKER = "DockerCompatible"
RDMA = "SupportsRDMAOnly"
MPI = "IntelMPIRuntimeInstalled"
TESLA = "NvidiaTeslaDriverInstalled"
GEN2 = "Generation2VMImage"

_UBUNTU_2204_END = "2027-06-30T00:00:00Z"
_WINDOWS_2016_END = "2027-01-12T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Image:
    publisher: str
    offer: str
    sku: str
    node_agent: str
    capabilities: tuple[str, ...] = ()
    end_of_life: str | None = None
    verified: bool = True

    @property
    def os_type(self) -> str:
        return "windows" if "windows" in self.node_agent else "linux"


_WINDOWS = "batch.node.windows amd64"


def _windows(sku: str, *capabilities: str, end: str | None = None) -> Image:
    return Image("microsoftwindowsserver", "windowsserver", sku, _WINDOWS, capabilities, end)


IMAGES: tuple[Image, ...] = (
    Image("almalinux", "almalinux-x86_64", "8-gen1", "batch.node.el 8"),
    Image("almalinux", "almalinux-x86_64", "8-gen2", "batch.node.el 8", (GEN2,)),
    Image("almalinux", "almalinux-x86_64", "9-gen1", "batch.node.el 9"),
    Image("almalinux", "almalinux-x86_64", "9-gen2", "batch.node.el 9", (GEN2,)),
    Image("almalinux", "almalinux-hpc", "8_7-hpc-gen2", "batch.node.el 8", (RDMA, MPI, GEN2), verified=False),
    Image("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "batch.node.ubuntu 22.04", (), _UBUNTU_2204_END),
    Image(
        "canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-gen2",
        "batch.node.ubuntu 22.04",
        (GEN2,),
        _UBUNTU_2204_END,
    ),
    Image("canonical", "ubuntu-24_04-lts", "server", "batch.node.ubuntu 24.04", (GEN2,)),
    Image("canonical", "ubuntu-24_04-lts", "server-gen1", "batch.node.ubuntu 24.04"),
    Image("canonical", "ubuntu-24_04-lts", "server-arm64", "batch.node.ubuntu 24.04-arm64", (GEN2,)),
    Image(
        "microsoft-dsvm", "ubuntu-hpc", "2204", "batch.node.ubuntu 22.04", (DOCKER, RDMA, MPI, TESLA), _UBUNTU_2204_END
    ),
    Image("microsoft-dsvm", "ubuntu-hpc", "2404", "batch.node.ubuntu 24.04", (DOCKER, RDMA, MPI, TESLA)),
    Image(
        "microsoftcblmariner", "azure-linux-3", "azure-linux-3-gen2", "batch.node.azurelinux 3", (GEN2,), verified=False
    ),
    _windows("2016-datacenter", end=_WINDOWS_2016_END),
    _windows("2016-datacenter-smalldisk", end=_WINDOWS_2016_END),
    _windows("2016-datacenter-with-containers", DOCKER, end=_WINDOWS_2016_END),
    _windows("2019-datacenter"),
    _windows("2019-datacenter-core"),
    _windows("2019-datacenter-core-smalldisk"),
    _windows("2019-datacenter-smalldisk"),
    _windows("2019-datacenter-with-containers", DOCKER),
    _windows("2022-datacenter"),
    _windows("2022-datacenter-azure-edition", GEN2),
    _windows("2022-datacenter-core"),
    _windows("2022-datacenter-smalldisk"),
)

_BY_NAME = {(image.publisher, image.offer, image.sku): image for image in IMAGES}
_AGENTS = frozenset(image.node_agent for image in IMAGES)


def find(publisher: str, offer: str, sku: str) -> Image | None:
    """Names are not compared by case."""
    return _BY_NAME.get((publisher.lower(), offer.lower(), sku.lower()))


def has_agent(node_agent: str) -> bool:
    return node_agent.lower() in _AGENTS
