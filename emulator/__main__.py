"""``python -m emulator``."""

import sys

from emulator import settings
from emulator.server import serve
from emulator.store.sqlite import StoreInUseError


def main() -> int:
    found = settings.parse(sys.argv[1:])
    try:
        return serve(found)
    except StoreInUseError as error:
        sys.stderr.write(f"emulator: {error}\n")
    except OSError as error:
        sys.stderr.write(f"emulator: cannot listen on {found.host}:{found.port}: {error.strerror}\n")
    except ValueError as error:
        sys.stderr.write(f"emulator: {error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
