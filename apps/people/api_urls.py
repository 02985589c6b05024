from django.urls import path

from apps.people import api

urlpatterns = [
    path("me", api.MeApi.as_view(), name="api-me"),
]
