from django.urls import path

from apps.accounts import api

urlpatterns = [
    path("accounts", api.AccountListApi.as_view(), name="api-accounts"),
    path("accounts/<slug:account>", api.AccountApi.as_view(), name="api-account"),
    path("accounts/<slug:account>/test", api.AccountTestApi.as_view(), name="api-account-test"),
    path("accounts/<slug:account>/storage", api.StorageApi.as_view(), name="api-storage"),
    path("accounts/<slug:account>/storage/sync", api.StorageSyncApi.as_view(), name="api-storage-sync"),
    path("accounts/<slug:account>/storage/accounts", api.StorageCandidatesApi.as_view(), name="api-storage-accounts"),
]
