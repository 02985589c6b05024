"""Addresses below /batch/."""

from django.urls import path

from apps.accounts.views import connect, keys, listing, overview, storage

app_name = "accounts"
urlpatterns = [
    path("", listing.AccountListView.as_view(), name="list"),
    # "connect" is no account's slug: see RESERVED_SLUGS.
    path("connect/", connect.ConnectView.as_view(), name="connect"),
    path("connect/test/", connect.ConnectTestView.as_view(), name="connect-test"),
    path("connect/discover/", connect.DiscoverView.as_view(), name="discover"),
    path("connect/choose/", connect.ChooseView.as_view(), name="choose"),
    path("<slug:account>/", overview.OverviewView.as_view(), name="overview"),
    path("<slug:account>/overview/facts/", overview.FactsView.as_view(), name="facts"),
    path("<slug:account>/overview/applications/", overview.ApplicationsTileView.as_view(), name="tile-applications"),
    path("<slug:account>/overview/nodes/", overview.NodesTileView.as_view(), name="tile-nodes"),
    path("<slug:account>/overview/quotas/", overview.QuotasView.as_view(), name="quotas"),
    path("<slug:account>/connection/", connect.EditView.as_view(), name="edit"),
    path("<slug:account>/connection/test/", connect.TestView.as_view(), name="test"),
    path("<slug:account>/connection/disconnect/", connect.DisconnectView.as_view(), name="disconnect"),
    path("<slug:account>/keys/", keys.KeysView.as_view(), name="keys"),
    path("<slug:account>/keys/<slug:key>/reveal/", keys.KeyRevealView.as_view(), name="key-reveal"),
    path("<slug:account>/keys/<slug:key>/regenerate/", keys.KeyRegenerateView.as_view(), name="key-regenerate"),
    path("<slug:account>/storage/", storage.StorageView.as_view(), name="storage"),
    path("<slug:account>/storage/linked/", storage.StorageLinkedView.as_view(), name="storage-linked"),
    path("<slug:account>/storage/bytes/", storage.StorageBytesView.as_view(), name="storage-bytes"),
    path("<slug:account>/storage/candidates/", storage.StorageCandidatesView.as_view(), name="storage-candidates"),
    path("<slug:account>/storage/link/", storage.StorageLinkView.as_view(), name="storage-link"),
    path("<slug:account>/storage/unlink/", storage.StorageUnlinkView.as_view(), name="storage-unlink"),
    path("<slug:account>/storage/sync/", storage.StorageSyncView.as_view(), name="storage-sync"),
]
