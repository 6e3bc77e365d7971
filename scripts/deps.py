#!/usr/bin/env python3
"""Checks the dependency direction: every #include of ours goes to a folder that the including folder may know.

The table is the architecture in one place: a folder, and the folders it may include besides itself.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

STACK_BASICS = ["stack/base", "stack/packet", "stack/wire", "stack/hooks"]
WFP_BASICS = ["wfp/include", "wfp/ledger", "wfp/ndis", "wfp/kernel", "wfp/host", "wfp/model"]
ALLOWED = {
    "tap": [],
    "stack/base": [],
    "stack/wire": ["stack/base"],
    "stack/packet": ["stack/base", "wfp/ndis", "wfp/include"],  # the latter two in .cpp files only
    "stack/hooks": ["stack/base", "stack/packet", "stack/wire"],
    "stack/link": STACK_BASICS,
    "stack/neighbor": STACK_BASICS + ["stack/link"],
    "stack/ip": STACK_BASICS + ["stack/link", "stack/neighbor"],
    "stack/udp": STACK_BASICS + ["stack/link", "stack/neighbor", "stack/ip"],
    "stack/tcp": STACK_BASICS + ["stack/link", "stack/neighbor", "stack/ip"],
    "stack/socket": STACK_BASICS + ["stack/link", "stack/neighbor", "stack/ip", "stack/udp", "stack/tcp"],
    "stack/core": ["stack"],
    "wfp/include": [],
    "wfp/ledger": ["wfp/include"],
    "wfp/ndis": ["wfp/include", "wfp/ledger"],
    "wfp/kernel": ["wfp/include", "wfp/ledger"],
    "wfp/host": ["wfp/include", "wfp/ndis"],
    "wfp/model": ["wfp/include"],
    "wfp/engine": WFP_BASICS,
    "wfp/flow": WFP_BASICS + ["wfp/engine"],
    "wfp/inject": WFP_BASICS + ["wfp/engine", "wfp/flow"],
    "wfp/ale": WFP_BASICS + ["wfp/engine", "wfp/flow", "wfp/inject"],
    "wfp/api": ["wfp"],
    "src/shim": STACK_BASICS + ["wfp"],
    "src/drivers": ["wfp/include"],
    "src/node": ["src/shim", "stack", "wfp", "tap"],
    "src/app": ["src", "stack", "wfp", "tap"],
    "tests": ["src", "stack", "wfp", "tap", "tests"],
    "bench": ["src", "stack", "wfp", "tap", "tests/support"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)


def row_of(path: str) -> str | None:
    """The longest table row that is a prefix of the path."""
    rows = [row for row in ALLOWED if path == row or path.startswith(row + "/")]
    return max(rows, key=len) if rows else None


def target_of(include: str, source: pathlib.Path) -> str | None:
    """The repository path that an include names, or None when it is not ours."""
    if (ROOT / include).is_file():
        return include
    if (ROOT / "wfp/include" / include).is_file():
        return "wfp/include/" + include
    beside = source.parent / include
    return beside.resolve().relative_to(ROOT).as_posix() if beside.is_file() else None


def main() -> int:
    bad, checked = [], 0
    for source in sorted(ROOT.rglob("*")):
        path = source.relative_to(ROOT).as_posix()
        if source.suffix not in {".c", ".h", ".cpp", ".hpp"} or path.startswith(("build", ".")):
            continue
        row = row_of(path)
        if row is None:
            bad.append(f"{path}: no row in the table for this folder")
            continue
        allowed = ALLOWED[row] + [row]
        if row == "stack/packet" and source.suffix != ".cpp":
            allowed = ["stack/base", row]
        for include in INCLUDE.findall(source.read_text(errors="replace")):
            target = target_of(include, source)
            checked += 1
            if target and not any(target == a or target.startswith(a + "/") for a in allowed):
                bad.append(f"{path}: includes {target}, which {row} may not know")
    print("\n".join(bad) if bad else f"dependencies: {checked} includes checked, all point the right way")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
