#!/usr/bin/env python3
"""Which rows of tests/tables/rfc_checklist.csv no test and no departure answers.

checklist.py           lists them, by RFC
checklist.py --count   says only how many there are
checklist.py --strict  fails when there are any

A test answers a row by a comment with `checklist: TCP-117`; several are parted by commas. A folder answers one that it
does not meet with the same words in the Departures of its README. A number that is no row always fails.
"""
import pathlib
import re
import subprocess
import sys

import tables

ROOT = pathlib.Path(__file__).resolve().parent.parent
CITED = re.compile(r"checklist: (TCP-\d+(?:,\s+(?://|\*|#)?\s*TCP-\d+|, TCP-\d+)*)")
DEPARTURES = re.compile(r"^## Departures$(.*?)(?=^## |\Z)", re.M | re.S)


def files(*patterns: str) -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def citations() -> dict[str, list[str]]:
    """Row to the places that cite it."""
    texts = [(path, path.read_text(encoding="utf-8"))
             for path in files("tests/*.cpp", "tests/*.hpp", "tests/*.c", "tests/*.py", "tests/*.pkt")]
    texts += [(path, "".join(DEPARTURES.findall(path.read_text(encoding="utf-8")))) for path in files("*README.md")]
    cited: dict[str, list[str]] = {}
    for path, text in texts:
        for ids in CITED.findall(text):
            for row in re.findall(r"TCP-\d+", ids):
                cited.setdefault(row, []).append(str(path.relative_to(ROOT)))
    return cited


def main() -> int:
    rows = {row["id"]: row for row in tables.read("rfc_checklist.csv")}
    cited = citations()
    unknown = sorted(set(cited) - set(rows))
    for row in unknown:
        print(f"{', '.join(cited[row])}: {row} is no row of the checklist")
    still_open = [row for row in rows.values() if row["id"] not in cited]
    if "--count" not in sys.argv:
        for rfc in dict.fromkeys(row["rfc"] for row in still_open):
            print(rfc)
            for row in still_open:
                if row["rfc"] == rfc:
                    print(f"  {row['id']} {row['section']:12} {row['level']:10} {row['requirement']}")
    print(f"{len(rows) - len(still_open)} of {len(rows)} rows are answered, {len(still_open)} are open")
    return 1 if unknown or ("--strict" in sys.argv and still_open) else 0


if __name__ == "__main__":
    sys.exit(main())
