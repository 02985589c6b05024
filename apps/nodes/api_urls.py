from django.urls import path

from apps.nodes import api

_ACCOUNT = "accounts/<slug:account>"
_POOL = f"{_ACCOUNT}/pools/<str:pool>"
_NODE = f"{_POOL}/nodes/<str:node>"
_USERS = f"{_POOL}/users"

urlpatterns = [
    path(f"{_ACCOUNT}/nodes", api.NodeListApi.as_view(), name="api-nodes"),
    path(f"{_ACCOUNT}/operations/<uuid:operation>/nodes", api.OperationNodesApi.as_view(), name="api-operation-nodes"),
    path(f"{_POOL}/nodes", api.PoolNodeListApi.as_view(), name="api-pool-nodes"),
    path(f"{_POOL}/node-actions", api.NodeActionApi.as_view(), name="api-node-actions"),
    path(_NODE, api.NodeApi.as_view(), name="api-node"),
    path(f"{_NODE}/files", api.NodeFilesApi.as_view(), name="api-node-files"),
    path(f"{_NODE}/files/content", api.NodeFileContentApi.as_view(), name="api-node-file-content"),
    path(_USERS, api.PoolUserListApi.as_view(), name="api-pool-users"),
    path(f"{_USERS}/<str:name>", api.PoolUserApi.as_view(), name="api-pool-user"),
    path(f"{_USERS}/<str:name>/logins", api.PoolUserLoginsApi.as_view(), name="api-pool-user-logins"),
]
