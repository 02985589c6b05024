from django.urls import path

from apps.operations import api

urlpatterns = [
    path("operations", api.OperationListApi.as_view(), name="api-operations"),
    path("operations/<uuid:operation>", api.OperationApi.as_view(), name="api-operation"),
    path("operations/<uuid:operation>/cancel", api.OperationCancelApi.as_view(), name="api-operation-cancel"),
    path("operations/<uuid:operation>/retry", api.OperationRetryApi.as_view(), name="api-operation-retry"),
]
