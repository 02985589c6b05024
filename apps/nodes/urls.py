"""Addresses below /batch/<account>/nodes/. No pool id holds "+", so "+users" is never one."""

from django.urls import path

from apps.nodes.views.acting import NodeActView, NodeWorkCsvView, NodeWorkView
from apps.nodes.views.details import NodeDetailView, NodeLiveView, NodeOutputView
from apps.nodes.views.files import FileDeleteView, FileDownloadView, FilesView, FileView, LevelView, PieceView
from apps.nodes.views.listing import NodeListCsvView, NodeListView
from apps.nodes.views.logs import NodeLogsView
from apps.nodes.views.users import (
    PasswordView,
    UserAddView,
    UserCsvView,
    UserListView,
    UserRdpView,
    UserRemoveView,
    UserSshConfigView,
    UserView,
)

app_name = "nodes"
_NODE = "<str:pool>/<str:node>"
_USER = "+users/<str:pool>/<str:name>"
urlpatterns = [
    path("", NodeListView.as_view(), name="list"),
    path("nodes.csv", NodeListCsvView.as_view(), name="list-csv"),
    path("+act/<slug:action>/", NodeActView.as_view(), name="act"),
    path("+work/<uuid:operation>/", NodeWorkView.as_view(), name="work"),
    path("+work/<uuid:operation>/nodes.csv", NodeWorkCsvView.as_view(), name="work-csv"),
    path("+users/", UserListView.as_view(), name="users"),
    path("+users/+add/", UserAddView.as_view(), name="user-add"),
    path("+users/+password/", PasswordView.as_view(), name="password"),
    path(f"{_USER}/", UserView.as_view(), name="user"),
    path(f"{_USER}/nodes.csv", UserCsvView.as_view(), name="user-csv"),
    path(f"{_USER}/ssh-config", UserSshConfigView.as_view(), name="user-ssh-config"),
    path(f"{_USER}/rdp/<str:node>/", UserRdpView.as_view(), name="user-rdp"),
    path(f"{_USER}/remove/", UserRemoveView.as_view(), name="user-remove"),
    path(f"{_NODE}/", NodeDetailView.as_view(), name="detail"),
    path(f"{_NODE}/live/", NodeLiveView.as_view(), name="live"),
    path(f"{_NODE}/output/", NodeOutputView.as_view(), name="output"),
    path(f"{_NODE}/logs/", NodeLogsView.as_view(), name="logs"),
    path(f"{_NODE}/files/", FilesView.as_view(), name="files"),
    path(f"{_NODE}/files/level/", LevelView.as_view(), name="level"),
    path(f"{_NODE}/files/file/", FileView.as_view(), name="file"),
    path(f"{_NODE}/files/piece/", PieceView.as_view(), name="file-piece"),
    path(f"{_NODE}/files/download/", FileDownloadView.as_view(), name="file-download"),
    path(f"{_NODE}/files/delete/", FileDeleteView.as_view(), name="file-delete"),
]
