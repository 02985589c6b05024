from django.urls import path

from apps.pools import api

_POOLS = "accounts/<slug:account>/pools"
_POOL = f"{_POOLS}/<str:pool>"

urlpatterns = [
    path(_POOLS, api.PoolListApi.as_view(), name="api-pools"),
    path(_POOL, api.PoolApi.as_view(), name="api-pool"),
    path(f"{_POOL}/resize", api.PoolResizeApi.as_view(), name="api-pool-resize"),
    path(f"{_POOL}/stop-resize", api.PoolStopResizeApi.as_view(), name="api-pool-stop-resize"),
    path(f"{_POOL}/auto-scale", api.PoolAutoScaleApi.as_view(), name="api-pool-auto-scale"),
    path(f"{_POOL}/auto-scale/evaluate", api.PoolEvaluateApi.as_view(), name="api-pool-evaluate"),
    path("accounts/<slug:account>/images", api.ImageListApi.as_view(), name="api-images"),
    path("accounts/<slug:account>/vm-sizes", api.SizeListApi.as_view(), name="api-vm-sizes"),
]
