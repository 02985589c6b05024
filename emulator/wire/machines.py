"""What a pool's machines are made of: image, disks, network, accounts, mounts."""

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta, field

from emulator.wire import times
from emulator.wire.base import Shape
from emulator.wire.common import IdentityReference, Registry

Text = Annotated[str, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]

_AGENT_PORTS = frozenset({29876, 29877})
_RESERVED_FRONTEND = range(50000, 55001)
_LEAST_FRONTEND_PORTS = 40


class ImageReference(Shape):
    """A marketplace image, or the id of one of the user's own."""

    publisher: str | None = None
    offer: str | None = None
    sku: str | None = None
    version: str | None = None
    virtual_machine_image_id: str | None = None
    shared_gallery_image_id: str | None = None
    community_gallery_image_id: str | None = None
    exact_version: str | None = None

    def __post_init__(self) -> None:
        if not self.is_custom and not (self.publisher and self.offer and self.sku):
            raise ValueError("publisher, offer and sku are needed, or the id of an image")

    @property
    def is_custom(self) -> bool:
        return any((self.virtual_machine_image_id, self.shared_gallery_image_id, self.community_gallery_image_id))


class WindowsConfiguration(Shape):
    enable_automatic_updates: bool | None = None


class DiskEncryptionSet(Shape):
    id: str | None = None


class DiskSecurity(Shape):
    security_encryption_type: Literal["DiskWithVMGuestState", "NonPersistedTPM", "VMGuestStateOnly"] | None = None


class ManagedDisk(Shape):
    disk_encryption_set: DiskEncryptionSet | None = None
    storage_account_type: Literal["standard_lrs", "premium_lrs", "standardssd_lrs"] | None = None
    security_profile: DiskSecurity | None = None


class DataDisk(Shape):
    lun: Annotated[int, Meta(ge=0, le=63)]
    disk_size_gb: Annotated[int, Meta(ge=1)] = field(name="diskSizeGB")
    caching: Literal["none", "readonly", "readwrite"] | None = None
    managed_disk: ManagedDisk | None = None
    storage_account_type: Literal["standard_lrs", "premium_lrs", "standardssd_lrs"] | None = None


class ContainerConfiguration(Shape):
    type: Literal["dockerCompatible", "criCompatible"]
    container_image_names: list[str] | None = None
    container_registries: list[Registry] | None = None


class CustomerKey(Shape):
    identity_reference: IdentityReference | None = None
    key_url: str | None = None
    rotation_to_latest_key_version_enabled: bool | None = None


class DiskEncryption(Shape):
    customer_managed_key: CustomerKey | None = None
    targets: list[Literal["osdisk", "temporarydisk"]] | None = None


class NodePlacement(Shape):
    policy: Literal["regional", "zonal"] | None = None


class Extension(Shape):
    name: Text
    publisher: Text
    type: Text
    type_handler_version: str | None = None
    auto_upgrade_minor_version: bool | None = None
    enable_automatic_upgrade: bool | None = None
    settings: dict[str, object] | None = None
    protected_settings: dict[str, object] | None = None
    provision_after_extensions: list[str] | None = None


class EphemeralDisk(Shape):
    placement: Literal["cachedisk"] | None = None


class OsDisk(Shape):
    ephemeral_os_disk_settings: EphemeralDisk | None = field(name="ephemeralOSDiskSettings", default=None)
    caching: Literal["none", "readonly", "readwrite"] | None = None
    disk_size_gb: Annotated[int, Meta(ge=1)] | None = field(name="diskSizeGB", default=None)
    managed_disk: ManagedDisk | None = None
    write_accelerator_enabled: bool | None = None


class HostEndpoint(Shape):
    in_vm_access_control_profile_reference_id: str | None = field(
        name="inVMAccessControlProfileReferenceId", default=None
    )
    mode: Literal["Audit", "Enforce"] | None = None


class ProxyAgent(Shape):
    enabled: bool | None = None
    imds: HostEndpoint | None = None
    wire_server: HostEndpoint | None = None


class UefiSettings(Shape):
    secure_boot_enabled: bool | None = None
    v_tpm_enabled: bool | None = None


class SecurityProfile(Shape):
    encryption_at_host: bool | None = None
    proxy_agent_settings: ProxyAgent | None = None
    security_type: Literal["trustedLaunch", "confidentialvm", "confidentialVM"] | None = None
    uefi_settings: UefiSettings | None = None


class ServiceArtifact(Shape):
    id: Text


class VirtualMachineConfiguration(Shape):
    image_reference: ImageReference
    node_agent_sku_id: Text = field(name="nodeAgentSKUId")
    windows_configuration: WindowsConfiguration | None = None
    data_disks: list[DataDisk] | None = None
    license_type: Literal["Windows_Server", "Windows_Client"] | None = None
    container_configuration: ContainerConfiguration | None = None
    disk_encryption_configuration: DiskEncryption | None = None
    node_placement_configuration: NodePlacement | None = None
    extensions: list[Extension] | None = None
    os_disk: OsDisk | None = None
    security_profile: SecurityProfile | None = None
    service_artifact_reference: ServiceArtifact | None = None

    @property
    def is_windows(self) -> bool:
        return "windows" in self.node_agent_sku_id.lower()

    def __post_init__(self) -> None:
        if self.windows_configuration is not None and not self.is_windows:
            raise ValueError("windowsConfiguration does not go with a Linux image")


class SecurityRule(Shape):
    priority: Annotated[int, Meta(ge=150, le=4096)]
    access: Literal["allow", "deny"]
    source_address_prefix: str
    source_port_ranges: list[str] | None = None


class InboundNatPool(Shape):
    name: Annotated[str, Meta(min_length=1, max_length=77, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$")]
    protocol: Literal["tcp", "udp"]
    backend_port: Port
    frontend_port_range_start: Port
    frontend_port_range_end: Port
    network_security_group_rules: Annotated[list[SecurityRule], Meta(max_length=25)] | None = None

    def __post_init__(self) -> None:
        if self.backend_port in _AGENT_PORTS:
            raise ValueError("backendPort must not be 29876 or 29877, which the node agent uses")
        first, last = self.frontend_port_range_start, self.frontend_port_range_end
        if last > 65534 or last - first + 1 < _LEAST_FRONTEND_PORTS:
            raise ValueError(f"the frontend port range must have at least {_LEAST_FRONTEND_PORTS} ports up to 65534")
        if first < _RESERVED_FRONTEND.stop and last >= _RESERVED_FRONTEND.start:
            raise ValueError("the frontend port range must not touch 50000 to 55000")

    @property
    def frontend_ports(self) -> range:
        return range(self.frontend_port_range_start, self.frontend_port_range_end + 1)


class PoolEndpoints(Shape):
    inbound_nat_pools: Annotated[list[InboundNatPool], Meta(max_length=5)] = field(name="inboundNATPools")

    def __post_init__(self) -> None:
        ranges = sorted(
            (pool.frontend_port_range_start, pool.frontend_port_range_end) for pool in self.inbound_nat_pools
        )
        if any(start <= end for (_, end), (start, _) in pairwise(ranges)):
            raise ValueError("the frontend port ranges must not overlap")
        names = [pool.name.lower() for pool in self.inbound_nat_pools]
        if len(set(names)) != len(names):
            raise ValueError("the names of inbound NAT pools must differ")


class IpTag(Shape):
    ip_tag_type: str | None = None
    tag: str | None = None


class PublicAddresses(Shape):
    provision: Literal["batchmanaged", "usermanaged", "nopublicipaddresses"] | None = None
    ip_families: list[Literal["IPv4", "IPv6"]] | None = None
    ip_address_ids: list[str] | None = None
    ip_tags: list[IpTag] | None = None


class NetworkConfiguration(Shape):
    subnet_id: str | None = None
    dynamic_v_net_assignment_scope: Literal["none", "job"] | None = field(
        name="dynamicVNetAssignmentScope", default=None
    )
    endpoint_configuration: PoolEndpoints | None = None
    public_ip_address_configuration: PublicAddresses | None = field(name="publicIPAddressConfiguration", default=None)
    enable_accelerated_networking: bool | None = None


class LinuxUser(Shape):
    uid: int | None = None
    gid: int | None = None
    ssh_private_key: str | None = None

    def __post_init__(self) -> None:
        if (self.uid is None) != (self.gid is None):
            raise ValueError("uid and gid are given both or neither")


class WindowsUser(Shape):
    login_mode: Literal["batch", "interactive"] | None = None


class UserAccount(Shape):
    """The password is needed to create one and never given back."""

    name: Annotated[str, Meta(min_length=1, max_length=20)]
    password: str
    elevation_level: Literal["nonadmin", "admin"] | None = None
    linux_user_configuration: LinuxUser | None = None
    windows_user_configuration: WindowsUser | None = None


class BlobFileSystem(Shape):
    account_name: Text
    container_name: Text
    relative_mount_path: Text
    account_key: str | None = None
    sas_key: str | None = None
    blobfuse_options: str | None = None
    identity_reference: IdentityReference | None = None


class NfsMount(Shape):
    source: Text
    relative_mount_path: Text
    mount_options: str | None = None


class CifsMount(Shape):
    username: Text
    source: Text
    relative_mount_path: Text
    password: Text
    mount_options: str | None = None


class FileShare(Shape):
    account_name: Text
    account_key: Text
    azure_file_url: Text
    relative_mount_path: Text
    mount_options: str | None = None


class Mount(Shape):
    """Exactly one of four."""

    azure_blob_file_system_configuration: BlobFileSystem | None = None
    nfs_mount_configuration: NfsMount | None = None
    cifs_mount_configuration: CifsMount | None = None
    azure_file_share_configuration: FileShare | None = None

    def __post_init__(self) -> None:
        given = (
            self.azure_blob_file_system_configuration,
            self.nfs_mount_configuration,
            self.cifs_mount_configuration,
            self.azure_file_share_configuration,
        )
        if sum(found is not None for found in given) != 1:
            raise ValueError("exactly one file system must be given for a mount")


class OsUpgrade(Shape):
    disable_automatic_rollback: bool | None = None
    enable_automatic_os_upgrade: bool | None = field(name="enableAutomaticOSUpgrade", default=None)
    use_rolling_upgrade_policy: bool | None = None
    os_rolling_upgrade_deferral: bool | None = None


class RollingUpgrade(Shape):
    enable_cross_zone_upgrade: bool | None = None
    max_batch_instance_percent: Annotated[int, Meta(ge=5, le=100)] | None = None
    max_unhealthy_instance_percent: Annotated[int, Meta(ge=5, le=100)] | None = None
    max_unhealthy_upgraded_instance_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    pause_time_between_batches: str | None = None
    prioritize_unhealthy_instances: bool | None = None
    rollback_failed_instances_on_policy_breach: bool | None = None

    def __post_init__(self) -> None:
        if self.pause_time_between_batches is not None:
            self.pause_time_between_batches = times.duration(self.pause_time_between_batches)


class UpgradePolicy(Shape):
    mode: Literal["automatic", "manual", "rolling"]
    automatic_os_upgrade_policy: OsUpgrade | None = field(name="automaticOSUpgradePolicy", default=None)
    rolling_upgrade_policy: RollingUpgrade | None = None
