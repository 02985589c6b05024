"""A node read from the service's JSON says what the SDK's own model of the same JSON says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.batch.models import BatchNode

from apps.gateway import nodes, nodes_read
from apps.gateway.errors import GatewayInvalid
from apps.gateway.types import Connection
from apps.gateway.types_nodes import Node

FAILURE = {
    "category": "usererror",
    "code": "FailureExitCode",
    "message": "The task exited with an exit code representing a failure",
    "details": [{"name": "Message", "value": "exit 3"}],
}
WHOLE: dict[str, Any] = {
    "id": "tvmps_1_p",
    "state": "starttaskfailed",
    "schedulingState": "disabled",
    "stateTransitionTime": "2026-03-01T10:00:00.1234567Z",
    "lastBootTime": "2026-03-01T09:59:00Z",
    "allocationTime": "2026-03-01T09:58:00.5Z",
    "ipAddress": "10.0.0.4",
    "ipv6Address": "fd00::4",
    "affinityId": "TVM:tvmps_1_p",
    "vmSize": "STANDARD_D2S_V5",
    "isDedicated": False,
    "totalTasksRun": 7,
    "runningTasksCount": 2,
    "runningTaskSlotsCount": 3,
    "totalTasksSucceeded": 4,
    "startTaskInfo": {
        "state": "completed",
        "startTime": "2026-03-01T10:00:01Z",
        "endTime": "2026-03-01T10:00:02Z",
        "exitCode": 3,
        "retryCount": 1,
        "result": "failure",
        "failureInfo": FAILURE,
    },
    "recentTasks": [
        {
            "jobId": "job",
            "taskId": "task",
            "taskState": "completed",
            "executionInfo": {"exitCode": 3, "result": "failure", "failureInfo": FAILURE, "retryCount": 0},
        },
        {"jobId": "job", "taskId": "next", "taskState": "running"},
    ],
    "errors": [{"code": "DiskFull", "message": "No room.", "errorDetails": [{"name": "disk", "value": "temp"}]}],
    "endpointConfiguration": {
        "inboundEndpoints": [
            {
                "name": "ssh.0",
                "protocol": "tcp",
                "publicIPAddress": "20.1.2.3",
                "publicFQDN": "node.example.org",
                "frontendPort": 50000,
                "backendPort": 22,
            }
        ]
    },
    "nodeAgentInfo": {"version": "1.12", "lastUpdateTime": "2026-03-01T09:58:30Z"},
    "virtualMachineInfo": {"imageReference": {"version": "latest", "exactVersion": "24.04.202602"}},
}


def test_a_whole_node_is_read_as_the_sdk_reads_it() -> None:
    ours, theirs = nodes_read.node(WHOLE), BatchNode(WHOLE)
    assert (ours.id, ours.state, ours.scheduling_state) == (theirs.id, "starttaskfailed", "disabled")
    # The SDK keeps six digits of a second too.
    assert ours.state_since == theirs.state_transition_time == datetime(2026, 3, 1, 10, 0, 0, 123456, UTC)
    assert (ours.last_boot, ours.allocated) == (theirs.last_boot_time, theirs.allocation_time)
    assert (ours.ip_address, ours.ipv6_address, ours.affinity_id) == ("10.0.0.4", "fd00::4", "TVM:tvmps_1_p")
    assert (ours.vm_size, ours.is_dedicated) == ("standard_d2s_v5", False)
    assert (ours.total_tasks, ours.running_tasks, ours.running_slots, ours.total_succeeded) == (7, 2, 3, 4)
    assert (ours.agent_version, ours.image_version) == ("1.12", "24.04.202602")
    assert theirs.node_agent_info is not None
    assert ours.agent_updated == theirs.node_agent_info.last_update_time


def test_what_went_wrong_on_a_node_is_read_in_full() -> None:
    found = nodes_read.node(WHOLE)
    task, [first, second], [error] = found.start_task, found.recent_tasks, found.errors
    assert task is not None
    assert (task.state, task.result, task.exit_code, task.retries) == ("completed", "failure", 3, 1)
    assert task.ended == datetime(2026, 3, 1, 10, 0, 2, tzinfo=UTC)
    assert task.failure is not None
    assert task.failure.as_dict() == {**FAILURE, "details": [["Message", "exit 3"]]}
    assert (first.job_id, first.task_id, first.exit_code, first.failure) == ("job", "task", 3, task.failure)
    assert (second.state, second.result, second.exit_code, second.failure) == ("running", "", None, None)
    assert error.as_dict() == {"code": "DiskFull", "message": "No room.", "details": [["disk", "temp"]]}
    [endpoint] = found.endpoints
    assert (endpoint.address, endpoint.fqdn) == ("20.1.2.3", "node.example.org")
    assert (endpoint.frontend_port, endpoint.backend_port) == (50000, 22)


def test_fields_that_were_not_selected_have_their_defaults() -> None:
    assert nodes_read.node({"id": "n"}) == Node(id="n")


def test_no_token_is_followed_to_another_host(connection: Connection) -> None:
    with pytest.raises(GatewayInvalid, match="gateway-page-token"):
        nodes.node_page(connection, "linux", token="https://elsewhere.example.org/pools/linux/nodes?$skiptoken=1")
