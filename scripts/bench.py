"""Run every benchmark: each module of `tests/benchmarks` that has a `main`. Each prints its own ratios."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback

import tests.benchmarks


def main(chosen: list[str]) -> None:
    failed = []
    for name in modules():
        if chosen and name not in chosen:
            continue
        benchmark = importlib.import_module(f"tests.benchmarks.{name}")
        if not hasattr(benchmark, "main"):
            continue
        print(f"\n=== {name}", flush=True)
        try:
            benchmark.main()
        except Exception:  # noqa: BLE001  # one broken benchmark does not hide the others
            traceback.print_exc()
            failed.append(name)
    if failed:
        sys.exit(f"bench: {', '.join(failed)} failed")


def modules() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__))


if __name__ == "__main__":
    main(sys.argv[1:])
