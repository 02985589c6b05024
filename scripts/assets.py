"""Build what the browser loads from `static/src` and the npm packages into `build/static`.

    python scripts/assets.py            build once
    python scripts/assets.py --watch    build again whenever a source changes

Needs only the standard library and `npm ci`. The parts:

app.css     Tabler, reduced to the rules our templates can use, under our tokens and components
app.js      htmx and our modules
upload.js   the resumable upload, loaded by pages with an upload form alone
<page>.js, <page>.css   what one page alone loads, from `static/src/pages`
icons.svg   a sprite of the Tabler icons that templates and Python code name
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "static" / "src"
OUT = ROOT / "build" / "static"
NODE = ROOT / "node_modules"
TABLER = NODE / "@tabler" / "core" / "dist" / "css" / "tabler.min.css"
ICONS = NODE / "@tabler" / "icons" / "icons"

SCRIPT_OPTIONS = ("--format=iife", "--target=es2022", "--legal-comments=none")

# An icon is named as a literal, in one of these ways, so that the sprite can be made without running the portal.
ICON_NAMES = re.compile(
    r"""\{%\s*icon\s+["']([a-z0-9-]+)["']|\b\w*icon\b["']?\s*(?::\s*str\s*)?[=:]\s*["']([a-z0-9-]+)["']"""
)
WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")
# A class inside one of these need not be in use for the rule to matter.
FUNCTION = re.compile(r":(?:not|is|where|has)\([^()]*(?:\([^()]*\)[^()]*)*\)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def sources() -> Iterator[Path]:
    """Every file of ours that can name an icon or a class."""
    for folder, patterns in (("templates", ("*.html",)), ("apps", ("*.py", "*.html")), ("static/src/js", ("*.js",))):
        for pattern in patterns:
            yield from sorted((ROOT / folder).rglob(pattern))


def icon_names(files: Iterable[Path] | None = None) -> set[str]:
    """Names of all icons that templates and Python code mention."""
    names: set[str] = set()
    for path in files if files is not None else sources():
        for match in ICON_NAMES.finditer(path.read_text(encoding="utf-8")):
            names.add(match[1] or match[2])
    return names


def icon_file(name: str) -> Path:
    """`home` is the outline icon, `home-filled` the filled one."""
    if name.endswith("-filled"):
        return ICONS / "filled" / f"{name.removesuffix('-filled')}.svg"
    return ICONS / "outline" / f"{name}.svg"


def icon_symbol(name: str) -> str:
    """The icon as a `<symbol>` of a sprite; raises FileNotFoundError when Tabler has no such icon."""
    body = COMMENT.sub("", icon_file(name).read_text(encoding="utf-8"))
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    inner = re.search(r"<svg[^>]*>(.*)</svg>", body, re.DOTALL)
    if inner is None:
        raise ValueError(f"{name}: not an SVG icon")
    paths = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", inner[1])).strip()
    if name.endswith("-filled"):
        paint = 'fill="currentColor" stroke="none"'
    else:
        paint = 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
    return f'<symbol id="{name}" viewBox="0 0 24 24" {paint}>{paths}</symbol>'


def sprite(names: Iterable[str]) -> str:
    """The sprite of these icons; raises SystemExit naming those that do not exist."""
    ordered = sorted(names)
    missing = [name for name in ordered if not icon_file(name).is_file()]
    if missing:
        raise SystemExit(f"No such Tabler icon: {', '.join(missing)}. See node_modules/@tabler/icons/icons/.")
    symbols = "\n".join(icon_symbol(name) for name in ordered)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


def words() -> set[str]:
    """Every word in our sources: a class that is not among them cannot be in a page."""
    found: set[str] = set()
    for path in sources():
        found.update(WORD.findall(path.read_text(encoding="utf-8")))
    return found


def split_rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Yield (prelude, body) of each top-level rule; body is None for statements such as `@charset`."""
    position, start, length = 0, 0, len(css)
    while position < length:
        char = css[position]
        if char in "\"'":
            position = end_of_string(css, position)
        elif char == ";":
            yield css[start:position].strip(), None
            start = position + 1
        elif char == "{":
            end = end_of_block(css, position)
            yield css[start:position].strip(), css[position + 1 : end]
            position, start = end, end + 1
        position += 1


def end_of_string(css: str, start: int) -> int:
    """Index of the quote that ends the string which begins at `start`."""
    position = start + 1
    while css[position] != css[start]:
        position += 2 if css[position] == "\\" else 1
    return position


def end_of_block(css: str, start: int) -> int:
    """Index of the brace that closes the one at `start`."""
    depth, position = 0, start
    while True:
        char = css[position]
        if char in "\"'":
            position = end_of_string(css, position)
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1


def split_selectors(prelude: str) -> list[str]:
    """The selectors of a list, split at commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for position, char in enumerate(prelude):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(prelude[start:position])
            start = position + 1
    return [*parts, prelude[start:]]


def can_match(selector: str, known: set[str]) -> bool:
    """Whether every class that the selector asks for is one that our sources mention."""
    names = CLASS.findall(FUNCTION.sub("", selector))
    return all(name.replace("\\", "") in known for name in names)


def reduce_css(css: str, known: set[str]) -> str:
    """Drop the rules whose selectors can match nothing in a page made of the known words."""
    kept = []
    for prelude, body in split_rules(css):
        if body is None:
            kept.append(f"{prelude};")
        elif prelude.startswith(("@media", "@supports", "@container", "@layer")):
            inner = reduce_css(body, known)
            if inner:
                kept.append(f"{prelude}{{{inner}}}")
        elif prelude.startswith("@"):
            kept.append(f"{prelude}{{{body}}}")
        else:
            selectors = [s for s in split_selectors(prelude) if can_match(s, known)]
            if selectors:
                kept.append(f"{','.join(selectors)}{{{body}}}")
    return "".join(kept)


def drop_unused_animations(css: str) -> str:
    """Remove `@keyframes` that no rule names any more."""
    kept, used = [], set(WORD.findall(re.sub(r"@(-webkit-)?keyframes\s+[\w-]+", "", css)))
    for prelude, body in split_rules(css):
        name = prelude.rpartition(" ")[2] if "keyframes" in prelude else ""
        if not name or name in used:
            kept.append(f"{prelude};" if body is None else f"{prelude}{{{body}}}")
    return "".join(kept)


def esbuild(*arguments: str, stdin: str | None = None) -> None:
    """Run the native esbuild binary; its own messages explain a failure."""
    command = [str(NODE / ".bin" / "esbuild"), *arguments, "--bundle", "--minify", "--log-level=warning"]
    done = subprocess.run(command, input=stdin, text=True, cwd=SOURCE / "css", check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def build_css(out: Path) -> None:
    """Write app.css: Tabler in a layer of its own, so that our rules win whatever their specificity."""
    tabler = COMMENT.sub("", TABLER.read_text(encoding="utf-8"))
    with tempfile.NamedTemporaryFile("w", suffix=".css", encoding="utf-8") as reduced:
        reduced.write(drop_unused_animations(reduce_css(tabler, words())))
        reduced.flush()
        entry = f'@layer tabler;\n@import "{reduced.name}" layer(tabler);\n@import "./app.css";\n'
        esbuild("--loader=css", "--target=esnext", f"--outfile={out / 'app.css'}", stdin=entry)


def build_js(out: Path) -> None:
    """Write the page scripts; each is one file without imports at run time."""
    entries = [str(SOURCE / "js" / name) for name in ("app.js", "upload.js")]
    esbuild(*entries, *SCRIPT_OPTIONS, f"--outdir={out}")


def build_pages(out: Path) -> None:
    """Write what single pages load on top."""
    for path in sorted((SOURCE / "pages").glob("*.*")):
        options = SCRIPT_OPTIONS if path.suffix == ".js" else ("--target=esnext",)
        esbuild(str(path), *options, f"--outfile={out / path.name}")


def build_icons(out: Path) -> None:
    """Write the sprite and the product mark."""
    (out / "icons.svg").write_text(sprite(icon_names()), encoding="utf-8")
    for image in (SOURCE / "img").glob("*"):
        shutil.copy(image, out / image.name)


def build(out: Path = OUT) -> None:
    """Build everything into a folder; each file appears whole, so a running portal keeps serving."""
    if not TABLER.is_file():
        raise SystemExit("node_modules is missing: run `npm ci` (or `make install`) first.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        fresh = Path(name)
        build_icons(fresh)
        build_css(fresh)
        build_js(fresh)
        build_pages(fresh)
        for path in fresh.iterdir():
            path.replace(out / path.name)


def newest() -> float:
    """When the last change to any source was made."""
    own = [*SOURCE.rglob("*"), *sources()]
    return max(path.stat().st_mtime for path in own if path.is_file())


def watch() -> None:
    """Build now and after each change, until interrupted."""
    built = 0.0
    while True:
        changed = newest()
        if changed > built:
            build()
            built = changed
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} built\n")
            sys.stdout.flush()
        time.sleep(0.5)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--watch", action="store_true", help="build again whenever a source changes")
    if parser.parse_args().watch:
        watch()
    else:
        build()


if __name__ == "__main__":
    main()
