#!/usr/bin/env python3
"""Checks the structures that drivers see against the x64 layouts of tests/tables/layouts_x64.csv, row by row.

layouts.py COMPILER    compiles one line a row against wfp/include, as C as drivers are built and as C++

A structure that is not in the headers yet stands in tests/boundary/layouts_missing.txt, which may only shrink: every
row is checked or its structure is listed, a listed one must not exist, and the list has MISSING lines. Whoever adds a
structure takes its line out and lowers the number.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import tables

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "tests/boundary/layouts_missing.txt"
MISSING = 35
SLOTS = "NET_BUFFER_LIST.NetBufferListInfo"
HEADERS = sorted(header.name for header in (ROOT / "wfp/include").glob("*.h"))
LANGUAGES = {"C": ["-x", "c", "-std=c11", "-fshort-wchar"], "C++": ["-x", "c++", "-std=c++20"]}
ASSERT = {"C": "_Static_assert", "C++": "static_assert"}


def exists(row: dict[str, str]) -> str:
    """An expression that compiles when what the row speaks of is there."""
    if row["struct"] == SLOTS:
        return " + ".join(row["member"].split("="))
    if row["member"] == "(size)":
        return f"sizeof({row['struct']})"
    return f"offsetof({row['struct']}, {row['member']})"


def facts(row: dict[str, str]) -> list[str]:
    """Expressions that are true when it has the documented place and size."""
    struct, member, offset, size = row["struct"], row["member"], row["offset"], row["size"]
    if struct == SLOTS and size.startswith("count "):
        return [f"{member} == {size.split()[1]}"]
    if struct == SLOTS:
        names = member.split("=")
        return [f"offsetof(NET_BUFFER_LIST, NetBufferListInfo) + sizeof(PVOID) * {name} == {offset}" for name in names]
    if member == "(size)":
        return [f"sizeof({struct}) == {size}"]
    place = [f"offsetof({struct}, {member}) == {offset}"]
    return place if size == "(array)" else [*place, f"sizeof((({struct}*)0)->{member}) == {size}"]


def failing_lines(compiler: str, language: str, lines: list[str]) -> set[int]:
    """Which of the lines, counted from 0, the compiler refuses behind the headers."""
    head = [f"#include <{header}>" for header in HEADERS]
    limit = "-ferror-limit=0" if "clang" in subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout \
        else "-fmax-errors=0"
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "rows"
        source.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
        command = [compiler, *LANGUAGES[language], limit, "-fsyntax-only", f"-I{ROOT}/wfp/include", str(source)]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    elsewhere = [line for line in said.splitlines() if ": error" in line and not line.startswith(str(source))]
    if elsewhere:
        sys.exit("the headers themselves do not compile:\n" + "\n".join(elsewhere))
    numbers = re.findall(rf"^{re.escape(str(source))}:(\d+):\d+: (?:fatal )?error", said, re.M)
    return {int(number) - len(head) - 1 for number in numbers}


def check(compiler: str, language: str, rows: list[dict[str, str]], listed: set[str]) -> list[str]:
    probes = [f"enum {{ probe_{i} = {exists(row)} }};" for i, row in enumerate(rows)]
    absent = failing_lines(compiler, language, probes)
    wrong = []
    for struct in dict.fromkeys(row["struct"] for row in rows):
        here = [i for i, row in enumerate(rows) if row["struct"] == struct]
        gone = [i for i in here if i in absent]
        if struct in listed and len(gone) < len(here):
            wrong.append(f"{struct} is in the headers now: take its line out of {LIST.name} and lower MISSING")
        elif struct not in listed and len(gone) == len(here):
            wrong.append(f"{struct} is not in the headers, and not listed in {LIST.name}")
        elif struct not in listed:
            wrong += [f"{struct} has no {rows[i]['member']}" for i in gone]

    present = [row for i, row in enumerate(rows) if i not in absent]
    asserts = [(row, fact) for row in present for fact in facts(row)]
    failing = failing_lines(compiler, language, [f'{ASSERT[language]}({fact}, "");' for _, fact in asserts])
    wrong += [f"not so in {language}: {fact}" for i, (_, fact) in enumerate(asserts) if i in failing]
    print(f"{language}: {len(present)} rows of {len(rows)} hold, {len(absent)} are of structures to come" if not wrong
          else f"{language}: {len(present)} rows of {len(rows)} compared")
    return wrong


def check_list(rows: list[dict[str, str]], listed: list[str]) -> list[str]:
    structs = {row["struct"] for row in rows}
    wrong = [f"{LIST.name} lists {name}, of which no row speaks" for name in listed if name not in structs]
    wrong += [f"{LIST.name} lists {name} twice" for name in set(listed) if listed.count(name) > 1]
    if len(listed) != MISSING:
        wrong.append(f"{LIST.name} has {len(listed)} lines and MISSING says {MISSING}: it may only go down")
    return wrong


def main() -> int:
    rows = tables.read("layouts_x64.csv")
    lines = [line.split("#")[0].strip() for line in LIST.read_text(encoding="utf-8").splitlines()]
    listed = [line for line in lines if line]
    wrong = check_list(rows, listed)
    for language in LANGUAGES:
        wrong += check(sys.argv[1], language, rows, set(listed))
    print("\n".join(dict.fromkeys(wrong)), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
