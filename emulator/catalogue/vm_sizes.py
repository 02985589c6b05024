"""VM sizes that Batch pools may use: current general purpose, compute, memory, storage, HPC and GPU families."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VmSize:
    """``memory`` in GB, ``disk`` is the local temporary disk in MB (0: none)."""

    name: str
    family: str
    cores: int
    memory: float
    disk: int = 0
    gpus: int = 0
    generations: str = "V1,V2"
    spot: bool = True
    rdma: bool = False
    arm64: bool = False
    end_of_life: str | None = None

    def capabilities(self) -> dict[str, str]:
        found = {
            "vCPUs": str(self.cores),
            "MemoryGB": f"{self.memory:g}",
            "MaxResourceVolumeMB": str(self.disk),
            "HyperVGenerations": self.generations,
            "CpuArchitectureType": "Arm64" if self.arm64 else "x64",
            "LowPriorityCapable": str(self.spot),
            "RdmaEnabled": str(self.rdma),
            "EncryptionAtHostSupported": "True",
        }
        return found | ({"GPUs": str(self.gpus)} if self.gpus else {})


_V2_SERIES_END = "2028-05-01T00:00:00Z"
_NCS_V3_END = "2025-09-30T00:00:00Z"

SIZES: tuple[VmSize, ...] = tuple(
    sorted(
        (
            VmSize(
                "Standard_A2_v2", "standardAv2Family", 2, 4, 20480, generations="V1", end_of_life="2028-11-15T00:00:00Z"
            ),
            VmSize("Standard_D2_v3", "standardDv3Family", 2, 8, 51200, generations="V1", end_of_life=_V2_SERIES_END),
            VmSize("Standard_D2ads_v5", "standardDADSv5Family", 2, 8, 76800),
            VmSize("Standard_D4ads_v5", "standardDADSv5Family", 4, 16, 153600),
            VmSize("Standard_D8ads_v5", "standardDADSv5Family", 8, 32, 307200),
            VmSize("Standard_D2ds_v5", "standardDDSv5Family", 2, 8, 76800),
            VmSize("Standard_D4ds_v5", "standardDDSv5Family", 4, 16, 153600),
            VmSize("Standard_D8ds_v5", "standardDDSv5Family", 8, 32, 307200),
            VmSize("Standard_D16ds_v5", "standardDDSv5Family", 16, 64, 614400),
            VmSize("Standard_D2s_v5", "standardDSv5Family", 2, 8),
            VmSize("Standard_D4s_v5", "standardDSv5Family", 4, 16),
            VmSize("Standard_D8s_v5", "standardDSv5Family", 8, 32),
            VmSize("Standard_D2s_v6", "standardDSv6Family", 2, 8, generations="V2"),
            VmSize("Standard_D4s_v6", "standardDSv6Family", 4, 16, generations="V2"),
            VmSize("Standard_D4ps_v5", "standardDPSv5Family", 4, 16, generations="V2", arm64=True),
            VmSize("Standard_D2s_v3", "standardDSv3Family", 2, 8, 16384),
            VmSize("Standard_D4s_v3", "standardDSv3Family", 4, 16, 32768),
            VmSize(
                "Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 7168, generations="V1,V2", end_of_life=_V2_SERIES_END
            ),
            VmSize("Standard_DS3_v2", "standardDSv2Family", 4, 14, 28672, end_of_life=_V2_SERIES_END),
            VmSize("Standard_E4ds_v5", "standardEDSv5Family", 4, 32, 153600),
            VmSize("Standard_E8ds_v5", "standardEDSv5Family", 8, 64, 307200),
            VmSize("Standard_E16ds_v5", "standardEDSv5Family", 16, 128, 614400),
            VmSize("Standard_E64ds_v5", "standardEDSv5Family", 64, 512, 2457600),
            VmSize("Standard_F2s_v2", "standardFSv2Family", 2, 4, 16384, end_of_life="2028-11-15T00:00:00Z"),
            VmSize("Standard_F8s_v2", "standardFSv2Family", 8, 16, 65536, end_of_life="2028-11-15T00:00:00Z"),
            VmSize("Standard_F16s_v2", "standardFSv2Family", 16, 32, 131072, end_of_life="2028-11-15T00:00:00Z"),
            VmSize("Standard_F8als_v6", "standardFALSv6Family", 8, 16, generations="V2"),
            VmSize("Standard_L8s_v3", "standardLSv3Family", 8, 64, 81920),
            VmSize("Standard_M64s", "standardMSFamily", 64, 1024, 2097152, spot=False),
            VmSize("Standard_HB120rs_v3", "standardHBrsv3Family", 120, 448, 491520, rdma=True),
            VmSize("Standard_HX176rs", "standardHXFamily", 176, 1408, 491520, generations="V2", rdma=True),
            VmSize("Standard_NC4as_T4_v3", "Standard NCASv3_T4 Family", 4, 28, 184320, gpus=1),
            VmSize("Standard_NC16as_T4_v3", "Standard NCASv3_T4 Family", 16, 110, 368640, gpus=1),
            VmSize("Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family", 24, 220, 65536, gpus=1, generations="V2"),
            VmSize("Standard_NC40ads_H100_v5", "StandardNCadsH100v5Family", 40, 320, 131072, gpus=1, generations="V2"),
            VmSize("Standard_NC6s_v3", "standardNCSv3Family", 6, 112, 753664, gpus=1, end_of_life=_NCS_V3_END),
            VmSize(
                "Standard_ND96asr_v4",
                "standardNDASv4_A100Family",
                96,
                900,
                6291456,
                gpus=8,
                generations="V2",
                rdma=True,
            ),
            VmSize("Standard_NV6ads_A10_v5", "StandardNVADSA10v5Family", 6, 55, 184320, gpus=1, generations="V2"),
            VmSize("Standard_NV36ads_A10_v5", "StandardNVADSA10v5Family", 36, 440, 737280, gpus=1, generations="V2"),
        ),
        key=lambda size: size.name,
    )
)

FAMILIES: tuple[str, ...] = tuple(sorted({size.family for size in SIZES}))

_BY_NAME = {size.name.lower(): size for size in SIZES}
_PLAUSIBLE = re.compile(r"(standard|basic)_[a-z]+(\d*)[a-z0-9_-]*", re.IGNORECASE)


def find(name: str) -> VmSize | None:
    return _BY_NAME.get(name.lower())


def is_plausible(name: str) -> bool:
    """Sizes come and go faster than this list: what is named like one passes."""
    return _PLAUSIBLE.fullmatch(name) is not None


def cores(name: str) -> int:
    """The vCPUs of a size; of one that is not listed, the number its name has."""
    if (size := find(name)) is not None:
        return size.cores
    match = _PLAUSIBLE.fullmatch(name)
    return max(1, int(match[2] or 1)) if match else 1


def family(name: str) -> str | None:
    size = find(name)
    return size.family if size else None
