"""People, teams, roles, tokens: who may do what."""

from django.urls import URLPattern

app_name = "people"

urlpatterns: list[URLPattern] = []
