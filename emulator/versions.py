"""API versions that each plane knows. What is not listed is refused, as the service does."""

import re

DATA_PLANE = (
    "2016-07-01.3.1",
    "2017-01-01.4.0",
    "2017-05-01.5.0",
    "2017-06-01.5.1",
    "2017-09-01.6.0",
    "2018-03-01.6.1",
    "2018-08-01.7.0",
    "2018-12-01.8.0",
    "2019-06-01.9.0",
    "2019-08-01.10.0",
    "2020-03-01.11.0",
    "2020-09-01.12.0",
    "2021-06-01.14.0",
    "2022-01-01.15.0",
    "2022-10-01.16.0",
    "2023-05-01.17.0",
    "2023-11-01.18.0",
    "2024-02-01.19.0",
    "2024-07-01.20.0",
    "2025-06-01",
)

BATCH_MANAGEMENT = (
    "2022-06-01",
    "2022-10-01",
    "2023-05-01",
    "2023-11-01",
    "2024-02-01",
    "2024-07-01",
    "2025-06-01",
)

_OTHER_PROVIDER = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")


def knows_data_plane(version: str) -> bool:
    return version in DATA_PLANE


def is_past(version: str | None, last: str) -> bool:
    """Whether a version of the data plane came after the last one that has something."""
    return bool(last) and version in DATA_PLANE and DATA_PLANE.index(version) > DATA_PLANE.index(last)


def knows_management(version: str, path: str) -> bool:
    """Storage and resource management are only as deep here as a portal needs: any dated version will do."""
    if "/microsoft.batch/" in path.lower():
        return version in BATCH_MANAGEMENT
    return bool(_OTHER_PROVIDER.fullmatch(version))
