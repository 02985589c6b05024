"""A pool of many simulated nodes under a running portal, and what the service was asked about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.support import fleet
from tests.uploads.portal import Portal, until

NODES = 200
# One core each, and Spot, so that so many fit into the quotas of an account.
SIZE: dict[str, Any] = {"vmSize": "standard_ds1_v2"}


@dataclass(frozen=True, slots=True)
class Farm:
    """`NODES` idle nodes that the portal has seen."""

    portal: Portal
    pool: str

    def act(self, action: str) -> str:
        """Begin an action on all nodes; the operation's id."""
        return self._begin("node-actions", {"action": action, "all": True})

    def add_user(self, **user: Any) -> str:
        return self._begin("users", {"name": "guest", **user})

    def resize(self, spot: int) -> str:
        return self._begin("resize", {"dedicated": 0, "spot": spot})

    def _begin(self, what: str, body: dict[str, Any]) -> str:
        return self.begun(self.portal.http.post(f"/accounts/local/pools/{self.pool}/{what}", json=body))

    def delete(self) -> str:
        return self.begun(self.portal.http.delete(f"/accounts/local/pools/{self.pool}"))

    def begun(self, answer: Any) -> str:
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    # --- How it is with each node ------------------------------------------------------------------------------------
    def progress(self, operation: str) -> dict[str, int]:
        """How many nodes of the operation are pending, waiting, done, failed."""
        return dict(Counter(row["progress"] for row in self.rows(operation)))

    def rows(self, operation: str) -> list[dict[str, Any]]:
        return self._all(f"/accounts/local/operations/{operation}/nodes")

    def logins(self, user: str) -> list[dict[str, Any]]:
        return self._all(f"/accounts/local/pools/{self.pool}/users/{user}/logins")

    def _all(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, 100):
            answer = self.portal.http.get(path, params={"page": page, "page_size": 200})
            assert answer.status_code == 200, answer.text
            found += answer.json()["results"]
            if not answer.json()["next"]:
                break
        return found

    # --- What the service was asked ----------------------------------------------------------------------------------
    def asked(self, operation: str, status: int) -> Counter[str]:
        """How often each address was asked for an operation of the service and answered so."""
        found = self.portal.stack.batch.requests(operation=operation)
        mine = [one["path"] for one in found if one["status"] == status and f"/{self.pool}/" in f"{one['path']}/"]
        return Counter(mine)

    def seen(self, **wanted: Any) -> int:
        """How many of the pool's nodes the portal shows, by state or anything else that can be filtered by."""
        answer = self.portal.http.get(f"/accounts/local/pools/{self.pool}/nodes", params=wanted)
        return int(answer.json()["count"]) if answer.status_code == 200 else 0


def make_farm(portal: Portal, pool: str, nodes: int = NODES) -> Farm:
    farm = Farm(portal, pool)
    fleet.make_pool(portal.stack.batch, pool, simulated=True, targetLowPriorityNodes=nodes, **SIZE)
    until(lambda: farm.seen(state="idle") == nodes, 90, "the portal to see the nodes")
    return farm
