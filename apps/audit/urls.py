from django.urls import path

from apps.audit import views

app_name = "audit"

urlpatterns = [
    path("audit/", views.PortalAuditView.as_view(), name="portal"),
    path("batch/<slug:account>/audit/", views.AccountAuditView.as_view(), name="list"),
]
