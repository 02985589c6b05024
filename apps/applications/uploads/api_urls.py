from django.urls import path

from apps.applications.uploads import tus

urlpatterns = [
    path("uploads/", tus.UploadListApi.as_view(), name="api-uploads"),
    path("uploads/<uuid:upload>", tus.UploadApi.as_view(), name="api-upload"),
]
