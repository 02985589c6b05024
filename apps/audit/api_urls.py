from django.urls import path

from apps.audit import api

urlpatterns = [
    path("accounts/<slug:account>/audit-events", api.AuditListApi.as_view(), name="api-audit-events"),
]
