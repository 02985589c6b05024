"""Addresses below /batch/<account>/pools/. Single pools stand below id/, so that every id is possible."""

from django.urls import path

from apps.pools.views import changing, creating, deleting, details, listing, prices, scaling

app_name = "pools"
urlpatterns = [
    path("", listing.PoolListView.as_view(), name="list"),
    path("csv/", listing.PoolListCsvView.as_view(), name="list-csv"),
    path("new/", creating.PoolNewView.as_view(), name="new"),
    path("new/preview/", creating.PoolPreviewView.as_view(), name="new-preview"),
    path("new/json/", creating.PoolFromJsonView.as_view(), name="new-json"),
    path("new/images/", creating.ImagesView.as_view(), name="images"),
    path("new/sizes/", creating.SizesView.as_view(), name="sizes"),
    path("prices/", prices.PricesView.as_view(), name="prices"),
    path("id/<str:pool>/", details.PoolDetailView.as_view(), name="detail"),
    path("id/<str:pool>/history/", details.PoolHistoryView.as_view(), name="history"),
    path("id/<str:pool>/configuration/", details.PoolConfigurationView.as_view(), name="configuration"),
    path("id/<str:pool>/json/", details.PoolJsonView.as_view(), name="json"),
    path("id/<str:pool>/scale/", scaling.PoolScaleView.as_view(), name="scale"),
    path("id/<str:pool>/scale/formula/", scaling.PoolFormulaView.as_view(), name="formula"),
    path("id/<str:pool>/scale/formula/off/", scaling.PoolFormulaOffView.as_view(), name="formula-off"),
    path("id/<str:pool>/scale/stop/", scaling.PoolStopResizeView.as_view(), name="stop-resize"),
    path("id/<str:pool>/start-task/", changing.StartTaskView.as_view(), name="start-task"),
    path("id/<str:pool>/packages/", changing.PackagesView.as_view(), name="packages"),
    path("id/<str:pool>/metadata/", changing.MetadataView.as_view(), name="metadata"),
    path("id/<str:pool>/delete/", deleting.PoolDeleteView.as_view(), name="delete"),
]
