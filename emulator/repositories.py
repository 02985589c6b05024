"""Every kind of resource the store holds, with its type and its scope."""

from emulator.clock import ClockState
from emulator.domain.accounts import BatchAccount
from emulator.domain.applications import Application, Package
from emulator.domain.long_running import LongRunning
from emulator.domain.storage_accounts import StorageAccount
from emulator.domain.subscriptions import ResourceGroup
from emulator.store import Collection, Store


class Repositories:
    def __init__(self, store: Store) -> None:
        self.clock = Collection(store, "clock", ClockState)  # scope: none, one document
        self.resource_groups = Collection(store, "resource_group", ResourceGroup)  # scope: subscription
        self.storage_accounts = Collection(store, "storage_account", StorageAccount)  # scope: none
        self.accounts = Collection(store, "account", BatchAccount)  # scope: none, names are unique here
        self.operations = Collection(store, "operation", LongRunning)  # scope: none
        self.applications = Collection(store, "application", Application)  # scope: account
        self.packages = Collection(store, "package", Package)  # scope: account/application
