#!/usr/bin/env python3
"""Checks the headers that drivers see against tests/tables: sizes, offsets, numbers and keys, row by row.

header_facts.py COMPILER    compiles one line a row against wfp/include, as C as drivers are built and as C++

A structure of layouts_x64.csv that is not in the headers yet stands in tests/boundary/layouts_missing.txt, which may
only shrink: every row is checked or its structure is listed, a listed one must not exist, and the list has MISSING
lines. Of the constants and keys that the headers lack only the number is kept, in ABSENT, which may only shrink too.
Whoever adds one lowers the number.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

import tables

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "tests/boundary/layouts_missing.txt"
MISSING = 35
ABSENT = {"constants": 21, "keys": 0}
SLOTS = "NET_BUFFER_LIST.NetBufferListInfo"
HEADERS = sorted(header.name for header in (ROOT / "wfp/include").glob("*.h"))
LANGUAGES = {"C": ["-x", "c", "-std=c11", "-fshort-wchar"], "C++": ["-x", "c++", "-std=c++20"]}
ASSERT = {"C": "_Static_assert", "C++": "static_assert"}
SAME_KEY = """constexpr bool same(const GUID& a, const GUID& b) {
  bool same = a.Data1 == b.Data1 && a.Data2 == b.Data2 && a.Data3 == b.Data3;
  for (int i = 0; i < 8; ++i) same = same && a.Data4[i] == b.Data4[i];
  return same; }""".replace("\n", " ")


class Row(NamedTuple):
    name: str
    probe: str  # a constant expression that compiles when what the row speaks of is there
    facts: list[str]  # expressions that are true when it is as documented


def layout_row(row: dict[str, str]) -> Row:
    struct, member, offset, size = row["struct"], row["member"], row["offset"], row["size"]
    name = f"{struct}.{member}"
    if struct == SLOTS:
        names = member.split("=")
        place = "offsetof(NET_BUFFER_LIST, NetBufferListInfo) + sizeof(PVOID)"
        facts = [f"{member} == {size.split()[1]}"] if size.startswith("count ") else \
            [f"{place} * {slot} == {offset}" for slot in names]
        return Row(name, " + ".join(names), facts)
    if member == "(size)":
        return Row(name, f"sizeof({struct})", [f"sizeof({struct}) == {size}"])
    facts = [f"offsetof({struct}, {member}) == {offset}"]
    if size not in ("", "(array)"):
        facts.append(f"sizeof((({struct}*)0)->{member}) == {size}")
    return Row(name, f"offsetof({struct}, {member})", facts)


def constant_rows() -> list[Row]:
    rows = [(row["name"], row["value"]) for row in tables.read("constants.csv")]
    rows += [(f"{row['layer'].replace('FWPS_LAYER', 'FWPS_FIELD')}_{row['field']}", row["index"])
             for row in tables.read("layer_fields.csv")]
    # a status is a negative LONG, and nothing here is wider than 32 bits
    return [Row(name, f"({name}) != 0", [f"(ULONG)({name}) == {value}"]) for name, value in dict.fromkeys(rows)]


def key_rows() -> list[Row]:
    rows = []
    for name, guid in dict.fromkeys((row["name"], row["guid"]) for row in tables.read("guids.csv")):
        a, b, c, d, e = guid.split("-")
        tail = ", ".join(f"0x{(d + e)[i:i + 2]}" for i in range(0, 16, 2))
        rows.append(Row(name, f"({name}).Data1 != 0", [f"same({name}, {{0x{a}, 0x{b}, 0x{c}, {{{tail}}}}})"]))
    return rows


def failing_lines(compiler: str, language: str, lines: list[str]) -> set[int]:
    """Which of the lines, counted from 0, the compiler refuses behind the headers."""
    head = [f"#include <{header}>" for header in HEADERS] + [SAME_KEY if language == "C++" else ""]
    about = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    limit = "-ferror-limit=0" if "clang" in about else "-fmax-errors=0"
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


def compare(compiler: str, language: str, rows: list[Row]) -> tuple[set[int], list[str]]:
    """The rows that the headers know nothing of, and what is wrong with the others."""
    absent = failing_lines(compiler, language, [f"enum {{ probe_{i} = {row.probe} }};" for i, row in enumerate(rows)])
    facts = [fact for i, row in enumerate(rows) if i not in absent for fact in row.facts]
    failing = failing_lines(compiler, language, [f'{ASSERT[language]}({fact}, "");' for fact in facts])
    return absent, [f"not so in {language}: {facts[i]}" for i in sorted(failing)]


def check_structs(structs: list[str], rows: list[Row], absent: set[int], listed: list[str]) -> list[str]:
    wrong = [f"{LIST.name} lists {name}, of which no row speaks" for name in listed if name not in structs]
    wrong += [f"{LIST.name} lists {name} twice" for name in set(listed) if listed.count(name) > 1]
    if len(listed) != MISSING:
        wrong.append(f"{LIST.name} has {len(listed)} lines and MISSING says {MISSING}: it may only go down")
    for struct in dict.fromkeys(structs):
        here = [i for i, name in enumerate(structs) if name == struct]
        gone = [i for i in here if i in absent]
        if struct in listed and len(gone) < len(here):
            wrong.append(f"{struct} is in the headers now: take its line out of {LIST.name} and lower MISSING")
        elif struct not in listed and len(gone) == len(here):
            wrong.append(f"{struct} is not in the headers, and not listed in {LIST.name}")
        elif struct not in listed:
            wrong += [f"there is no {rows[i].name}" for i in gone]
    return wrong


def check_absent(what: str, rows: list[Row], absent: set[int]) -> list[str]:
    if len(absent) == ABSENT[what]:
        return []
    names = ", ".join(rows[i].name for i in sorted(absent))
    return [f"{len(absent)} {what} are not in the headers and ABSENT says {ABSENT[what]}: it may only go down. {names}"]


def check(compiler: str, language: str) -> list[str]:
    layouts = tables.read("layouts_x64.csv")
    rows = [layout_row(row) for row in layouts]
    listed = [name for line in LIST.read_text(encoding="utf-8").splitlines() if (name := line.split("#")[0].strip())]
    absent, wrong = compare(compiler, language, rows)
    wrong += check_structs([row["struct"] for row in layouts], rows, absent, listed)
    said = [f"{len(rows) - len(absent)} of {len(rows)} rows of layouts"]
    for what, others in {"constants": constant_rows(), "keys": key_rows() if language == "C++" else []}.items():
        absent, more = compare(compiler, language, others) if others else (set(), [])
        wrong += more + (check_absent(what, others, absent) if others else [])
        said += [f"{len(others) - len(absent)} of {len(others)} {what}"] if others else []
    print(f"{language}: compared {', '.join(said)}; the others are not there yet")
    return wrong


def main() -> int:
    wrong = [line for language in LANGUAGES for line in check(sys.argv[1], language)]
    print("\n".join(dict.fromkeys(wrong)), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
