"""Wires the service: settings → services → tables of operations → pipeline → ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.routing import Mount

from emulator import arm, control, data, login
from emulator.compat import retired
from emulator.control import snapshots
from emulator.errors import Plane
from emulator.faults import Connections
from emulator.first_start import prepare
from emulator.operations import OperationTable
from emulator.pipeline import Pipeline
from emulator.services import Services


def build(services: Services, connections: Connections | None = None) -> Starlette:
    """The application. Closes the store when it shuts down."""
    tables = {
        Plane.ARM: OperationTable(arm.OPERATIONS),
        Plane.DATA: OperationTable((*data.OPERATIONS, *retired.OPERATIONS)),
        Plane.LOGIN: OperationTable(login.OPERATIONS),
        Plane.CONTROL: OperationTable(control.OPERATIONS),
    }

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        snapshots.recover(services)
        prepare(services)
        services.go_on()
        agenda = asyncio.create_task(services.agenda.run())
        yield
        agenda.cancel()
        with suppress(asyncio.CancelledError):
            await agenda
        await services.fleet.close()
        services.store.close()

    pipeline = Pipeline(services, tables, connections or Connections())
    return Starlette(routes=[Mount("/", app=pipeline)], lifespan=lifespan)
