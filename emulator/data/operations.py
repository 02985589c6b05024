"""Every operation of the data plane, by the name of its method in azure-batch, and what answers it.

An operation without a handler answers a 501 that names it. Query parameters that an operation does not list are
refused.
"""

from emulator.data import applications, images, jobs, pools
from emulator.errors import Plane
from emulator.operations import Handler, Operation

_HANDLERS: dict[str, Handler] = {
    "list_applications": applications.list_applications,
    "get_application": applications.get_application,
    "list_supported_images": images.list_supported_images,
    "list_pools": pools.list_pools,
    "list_pool_node_counts": pools.list_pool_node_counts,
    "list_jobs": jobs.list_jobs,
    "list_job_schedules": jobs.list_job_schedules,
}


def _op(name: str, method: str, path: str, query: str = "") -> Operation:
    return Operation(f"data.{name}", Plane.DATA, method, path, _HANDLERS.get(name), frozenset(query.split()))


OPERATIONS = (
    _op("list_applications", "GET", "/applications", "maxresults"),
    _op("get_application", "GET", "/applications/{applicationId}"),
    _op("list_pool_usage_metrics", "GET", "/poolusagemetrics", "maxresults starttime endtime $filter"),
    _op("create_pool", "POST", "/pools"),
    _op("list_pools", "GET", "/pools", "maxresults $filter $select $expand"),
    _op("delete_pool", "DELETE", "/pools/{poolId}"),
    _op("pool_exists", "HEAD", "/pools/{poolId}"),
    _op("get_pool", "GET", "/pools/{poolId}", "$select $expand"),
    _op("update_pool", "PATCH", "/pools/{poolId}"),
    _op("disable_pool_auto_scale", "POST", "/pools/{poolId}/disableautoscale"),
    _op("enable_pool_auto_scale", "POST", "/pools/{poolId}/enableautoscale"),
    _op("evaluate_pool_auto_scale", "POST", "/pools/{poolId}/evaluateautoscale"),
    _op("resize_pool", "POST", "/pools/{poolId}/resize"),
    _op("stop_pool_resize", "POST", "/pools/{poolId}/stopresize"),
    _op("replace_pool_properties", "POST", "/pools/{poolId}/updateproperties"),
    _op("remove_nodes", "POST", "/pools/{poolId}/removenodes"),
    _op("list_supported_images", "GET", "/supportedimages", "maxresults $filter"),
    _op("list_pool_node_counts", "GET", "/nodecounts", "maxresults $filter"),
    _op("delete_job", "DELETE", "/jobs/{jobId}", "force"),
    _op("get_job", "GET", "/jobs/{jobId}", "$select $expand"),
    _op("update_job", "PATCH", "/jobs/{jobId}"),
    _op("replace_job", "PUT", "/jobs/{jobId}"),
    _op("disable_job", "POST", "/jobs/{jobId}/disable"),
    _op("enable_job", "POST", "/jobs/{jobId}/enable"),
    _op("terminate_job", "POST", "/jobs/{jobId}/terminate", "force"),
    _op("create_job", "POST", "/jobs"),
    _op("list_jobs", "GET", "/jobs", "maxresults $filter $select $expand"),
    _op("list_jobs_from_schedule", "GET", "/jobschedules/{jobScheduleId}/jobs", "maxresults $filter $select $expand"),
    _op(
        "list_job_preparation_and_release_task_status",
        "GET",
        "/jobs/{jobId}/jobpreparationandreleasetaskstatus",
        "maxresults $filter $select",
    ),
    _op("get_job_task_counts", "GET", "/jobs/{jobId}/taskcounts"),
    _op("job_schedule_exists", "HEAD", "/jobschedules/{jobScheduleId}"),
    _op("delete_job_schedule", "DELETE", "/jobschedules/{jobScheduleId}", "force"),
    _op("get_job_schedule", "GET", "/jobschedules/{jobScheduleId}", "$select $expand"),
    _op("update_job_schedule", "PATCH", "/jobschedules/{jobScheduleId}"),
    _op("replace_job_schedule", "PUT", "/jobschedules/{jobScheduleId}"),
    _op("disable_job_schedule", "POST", "/jobschedules/{jobScheduleId}/disable"),
    _op("enable_job_schedule", "POST", "/jobschedules/{jobScheduleId}/enable"),
    _op("terminate_job_schedule", "POST", "/jobschedules/{jobScheduleId}/terminate", "force"),
    _op("create_job_schedule", "POST", "/jobschedules"),
    _op("list_job_schedules", "GET", "/jobschedules", "maxresults $filter $select $expand"),
    _op("create_task", "POST", "/jobs/{jobId}/tasks"),
    _op("list_tasks", "GET", "/jobs/{jobId}/tasks", "maxresults $filter $select $expand"),
    _op("create_task_collection", "POST", "/jobs/{jobId}/addtaskcollection"),
    _op("delete_task", "DELETE", "/jobs/{jobId}/tasks/{taskId}"),
    _op("get_task", "GET", "/jobs/{jobId}/tasks/{taskId}", "$select $expand"),
    _op("replace_task", "PUT", "/jobs/{jobId}/tasks/{taskId}"),
    _op("list_subtasks", "GET", "/jobs/{jobId}/tasks/{taskId}/subtasksinfo", "$select"),
    _op("terminate_task", "POST", "/jobs/{jobId}/tasks/{taskId}/terminate"),
    _op("reactivate_task", "POST", "/jobs/{jobId}/tasks/{taskId}/reactivate"),
    _op("delete_task_file", "DELETE", "/jobs/{jobId}/tasks/{taskId}/files/{filePath*}", "recursive"),
    _op("download_task_file", "GET", "/jobs/{jobId}/tasks/{taskId}/files/{filePath*}"),
    _op("get_task_file_properties", "HEAD", "/jobs/{jobId}/tasks/{taskId}/files/{filePath*}"),
    _op("list_task_files", "GET", "/jobs/{jobId}/tasks/{taskId}/files", "maxresults $filter recursive"),
    _op("create_node_user", "POST", "/pools/{poolId}/nodes/{nodeId}/users"),
    _op("delete_node_user", "DELETE", "/pools/{poolId}/nodes/{nodeId}/users/{userName}"),
    _op("replace_node_user", "PUT", "/pools/{poolId}/nodes/{nodeId}/users/{userName}"),
    _op("get_node", "GET", "/pools/{poolId}/nodes/{nodeId}", "$select"),
    _op("reboot_node", "POST", "/pools/{poolId}/nodes/{nodeId}/reboot"),
    _op("start_node", "POST", "/pools/{poolId}/nodes/{nodeId}/start"),
    _op("reimage_node", "POST", "/pools/{poolId}/nodes/{nodeId}/reimage"),
    _op("deallocate_node", "POST", "/pools/{poolId}/nodes/{nodeId}/deallocate"),
    _op("disable_node_scheduling", "POST", "/pools/{poolId}/nodes/{nodeId}/disablescheduling"),
    _op("enable_node_scheduling", "POST", "/pools/{poolId}/nodes/{nodeId}/enablescheduling"),
    _op("get_node_remote_login_settings", "GET", "/pools/{poolId}/nodes/{nodeId}/remoteloginsettings"),
    _op("upload_node_logs", "POST", "/pools/{poolId}/nodes/{nodeId}/uploadbatchservicelogs"),
    _op("list_nodes", "GET", "/pools/{poolId}/nodes", "maxresults $filter $select"),
    _op("get_node_extension", "GET", "/pools/{poolId}/nodes/{nodeId}/extensions/{extensionName}", "$select"),
    _op("list_node_extensions", "GET", "/pools/{poolId}/nodes/{nodeId}/extensions", "maxresults $select"),
    _op("delete_node_file", "DELETE", "/pools/{poolId}/nodes/{nodeId}/files/{filePath*}", "recursive"),
    _op("download_node_file", "GET", "/pools/{poolId}/nodes/{nodeId}/files/{filePath*}"),
    _op("get_node_file_properties", "HEAD", "/pools/{poolId}/nodes/{nodeId}/files/{filePath*}"),
    _op("list_node_files", "GET", "/pools/{poolId}/nodes/{nodeId}/files", "maxresults $filter recursive"),
)
