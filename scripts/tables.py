#!/usr/bin/env python3
"""Tables of facts that tests, scripts and one source read, and what generates them.

tables.py          writes each table anew from the collection of facts
tables.py --check  says whether each is what it would write

The collection is the folder `shared` beside the clone, or the one that WFPTAP_FACTS names. It says much more than the
tables: where a fact comes from, how sure it is. A clone alone has the tables and needs nothing else; --check then says
that it compared nothing, and exits with 77, which ctest shows as skipped.
"""
import csv
import io
import os
import pathlib
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = "tests/tables/"
FACTS = pathlib.Path(os.environ.get("WFPTAP_FACTS", ROOT.parent / "shared"))
SKIPPED = 77
NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")
Rows = list[list[str]]


def facts(path: str) -> list[dict[str, str]]:
    with open(FACTS / path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(name: str) -> list[dict[str, str]]:
    """A table of the repository, as the tests and the other scripts read it."""
    with open(ROOT / FOLDER / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def layouts() -> Rows:
    """Size and place of each member; a size alone has the member (size). Published names where the facts have none."""
    sources = {"NDIS": "ndis", "mingw": "ddk", "KMDF": "kmdf", "common": "known", "x64 slot": "ndis"}
    unions = {"FWPM_FILTER0": "rawContext", "FWPM_ACTION0": "calloutKey", "FWP_VALUE0": "uint64",
              "FWP_CONDITION_VALUE0": "uint64"}
    rows = []
    for row in facts("wfp/structs.csv"):
        member = re.sub("<union.*>", unions.get(row["struct"], ""), row["member"])
        is_size = member == "(sizeof)"
        rows.append([row["struct"], "(size)" if is_size else member, "" if is_size else row["x64_offset"],
                     row["x64_offset"] if is_size else "", "callout"])
    for row in facts("wfp/layouts_x64.csv"):
        member = row["member"] if row["member"] == "(size)" else re.sub(r"\[\d+\]|gs:.*|[() ]", "", row["member"])
        source = next(short for start, short in sources.items() if row["source"].startswith(start))
        rows.append([row["struct"], member, row["offset"], row["size"],
                     "code" if source == "kmdf" and "code at" in row["source"] else source])
    return rows


def constants() -> Rows:
    """Enumerators and macros with a number: actions, flags, types, statuses, layers, reasons."""
    tables = [("constants", "name", "value"), ("metadata_flags", "name", "value"), ("condition_flags", "name", "value"),
              ("discard_reasons", "reason", "value"), ("layers", "runtime_id_name", "runtime_id")]
    return [[row[name], row[value]] for table, name, value in tables for row in facts(f"wfp/{table}.csv")
            if NUMBER.fullmatch(row[value]) and row[name].isidentifier()]


def guids() -> Rows:
    rows = [[row["management_guid_name"], row["guid"]] for row in facts("wfp/layers.csv")]
    return [[name, guid] for name, guid in rows + [[row["name"], row["guid"]] for row in facts("wfp/guids.csv")]
            if name.isidentifier() and len(guid) == 36]


def layer_fields() -> Rows:
    """What a classify of the kernel shows at each layer, in index order. Discard layers have the fields of theirs."""
    layers = {row["runtime_id_name"] for row in facts("wfp/layers.csv") if row["runtime_id"].isdigit()}
    rows = []
    for row in facts("wfp/layer_fields.csv"):
        layer = row["layer"].removeprefix("FWPS_LAYER_")
        if row["index"].isdigit() and row["layer"] in layers and not layer.endswith("_DISCARD"):
            renamed = re.search(r"the slot is .*\((\w+)\)", row["note"])  # where a header keeps an old name beside it
            name = renamed[1] if renamed else row["field_name"]
            rows.append([row["layer"], row["index"], name.removeprefix(f"FWPS_FIELD_{layer}_"), row["incoming_value_type"],
                         row["condition_guid"]])
    return rows


def metadata() -> Rows:
    """currentMetadataValues of a classify: the bits that are always there, and all that may be."""
    value = {row["name"]: int(row["value"], 0) for row in facts("wfp/metadata_flags.csv")
             if row["mask_member"] == "currentMetadataValues"}
    bits: dict[str, list[int]] = {}
    for row in facts("wfp/metadata_by_layer.csv"):
        if row["metadata_field"] in value and row["present"] in ("yes", "conditional"):
            always_and_all = bits.setdefault(row["layer"], [0, 0])
            for at in (0, 1) if row["present"] == "yes" else (1,):
                always_and_all[at] |= value[row["metadata_field"]]
    return [[layer, f"{always:#010x}", f"{all_of_them:#010x}"] for layer, (always, all_of_them) in bits.items()]


def known_symbols() -> Rows:
    """Documented functions that drivers import, with their header; for the macros without a version digit, theirs."""
    headers = {row["name"]: "fwpmk.h" if row["name"].startswith("Fwpm") else "fwpsk.h"
               for row in facts("wfp/api.csv") if row["kind"] == "function"}
    for row in facts("wfp/driver_api.csv"):
        is_import = not re.search(r"^Fwp[ms]\w*[a-zA-Z]$|_INIT", row["symbol"]) and row["header"] != "C runtime"
        if row["kind"] == "function" and is_import:
            header = row["header"].split("/")[0]
            headers[row["symbol"]] = "ndis.h" if header == "ndis" else header
    return [[name, headers[name]] for name in sorted(headers)]


def checklist() -> Rows:
    """The rows keep their numbers: the known ones as they are, new ones behind them."""
    path = ROOT / FOLDER / "rfc_checklist.csv"
    numbers = {(row["rfc"], row["section"], row["requirement"]): row["id"] for row in read(path.name)} \
        if path.is_file() else {}
    rows = []
    for row in facts("tcp/rfc_checklist.csv"):
        key = (row["rfc"], row["section"], row["requirement"])
        if key not in numbers:
            numbers[key] = f"TCP-{len(numbers) + 1:03}"
        rows.append([numbers[key], row["rfc"], row["section"], row["level"], row["requirement"]])
    return sorted(rows)


class Table(NamedTuple):
    path: str
    title: str
    header: list[str]
    make: Callable[[], Rows]

    def text(self) -> str:
        rows = self.make()
        head = f"Generated by scripts/tables.py, not to be edited. {self.title}."
        if self.path.endswith(".inc"):
            return "".join([f"// {head}\n", *(f'{{"{row[0]}", "{row[1]}"}},\n' for row in rows)])
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.header, *rows])
        return f"# {head}\n{out.getvalue()}"


GENERATED = [
    Table(FOLDER + "layouts_x64.csv", "Structures on x64. source: callout, ddk, ndis, kmdf: published declarations; "
          "code: a compiled driver; known: common knowledge", ["struct", "member", "offset", "size", "source"], layouts),
    Table(FOLDER + "constants.csv", "Numbers that drivers compile in", ["name", "value"], constants),
    Table(FOLDER + "guids.csv", "Keys of built-in layers, conditions and objects", ["name", "guid"], guids),
    Table(FOLDER + "layer_fields.csv", "Fields of each layer", ["layer", "index", "field", "type", "condition"],
          layer_fields),
    Table(FOLDER + "metadata.csv", "Which metadata a layer has: always, and at most", ["layer", "always", "most"], metadata),
    Table(FOLDER + "rfc_checklist.csv", "What the RFCs ask of the stack", ["id", "rfc", "section", "level", "requirement"],
          checklist),
    Table("src/app/drivers/known_symbols.inc", "Sorted by name", [], known_symbols),
]


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    if not FACTS.is_dir():
        print(f"there is no collection of facts at {FACTS}: nothing was compared")
        return SKIPPED if check else 1
    stale = []
    for table in GENERATED:
        path, text = ROOT / table.path, table.text()
        if not check:
            path.write_text(text, encoding="utf-8")
            print(f"{table.path}: {text.count(chr(10))} lines")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(table.path)
    for name in stale:
        print(f"{name} is not what the facts say; run scripts/tables.py and look at what changes")
    if check and not stale:
        print(f"{len(GENERATED)} tables agree with the facts")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
