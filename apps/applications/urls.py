"""Addresses below /batch/<account>/applications/. No application id holds "+" or ".", so "+new" is never one."""

from django.urls import path

from apps.applications.views.contents import PackageContentsView, PackageDownloadView, PackageFileView
from apps.applications.views.details import (
    ApplicationDeleteView,
    ApplicationDetailView,
    ApplicationTeamView,
    PackagesCsvView,
)
from apps.applications.views.jobs import JobView
from apps.applications.views.listing import ApplicationListCsvView, ApplicationListView
from apps.applications.views.packages import PackageActivateView, PackageDeleteView, PackageDetailView
from apps.applications.views.uploading import ApplicationNewView, NamesView, PackageAddView, PackageUpdateView

app_name = "applications"
urlpatterns = [
    path("", ApplicationListView.as_view(), name="list"),
    path("applications.csv", ApplicationListCsvView.as_view(), name="list-csv"),
    path("+new/", ApplicationNewView.as_view(), name="new"),
    path("+names/", NamesView.as_view(), name="names"),
    path("+jobs/<uuid:operation>/", JobView.as_view(), name="job"),
    path("<str:application>/", ApplicationDetailView.as_view(), name="detail"),
    path("<str:application>/packages.csv", PackagesCsvView.as_view(), name="packages-csv"),
    path("<str:application>/team/", ApplicationTeamView.as_view(), name="team"),
    path("<str:application>/delete/", ApplicationDeleteView.as_view(), name="delete"),
    path("<str:application>/add/", PackageAddView.as_view(), name="package-add"),
    path("<str:application>/packages/<str:version>/", PackageDetailView.as_view(), name="package"),
    path("<str:application>/packages/<str:version>/update/", PackageUpdateView.as_view(), name="package-update"),
    path("<str:application>/packages/<str:version>/delete/", PackageDeleteView.as_view(), name="package-delete"),
    path("<str:application>/packages/<str:version>/activate/", PackageActivateView.as_view(), name="package-activate"),
    path("<str:application>/packages/<str:version>/contents/", PackageContentsView.as_view(), name="package-contents"),
    path("<str:application>/packages/<str:version>/file/", PackageFileView.as_view(), name="package-file"),
    path("<str:application>/packages/<str:version>/download/", PackageDownloadView.as_view(), name="package-download"),
]
