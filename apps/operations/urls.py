from django.urls import path

from apps.operations import views

app_name = "operations"
urlpatterns = [
    path("", views.OperationListView.as_view(), name="list"),
    path("account/<slug:account>/", views.OperationListView.as_view(), name="account"),
    path("bell/", views.BellView.as_view(), name="bell"),
    path("bell/seen/", views.BellSeenView.as_view(), name="bell-seen"),
    path("<uuid:operation>/", views.OperationDetailView.as_view(), name="detail"),
    path("<uuid:operation>/cancel/", views.OperationCancelView.as_view(), name="cancel"),
    path("<uuid:operation>/retry/", views.OperationRetryView.as_view(), name="retry"),
]
