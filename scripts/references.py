#!/usr/bin/env python3
"""Checks that what READMEs and comments name is there: files, and the constants that bound things.

In a README, a file in backticks is looked for beside it, then from the root; in the root README by its whole path
alone. `{a,b}` and `*` are understood. In a comment, whatever looks like the path of a source is looked for.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENDINGS = "cpp hpp c h py sh md json txt map cmake"
FILE = re.compile(r"`([\w./*{},-]+\.(?:%s))`" % ENDINGS.replace(" ", "|"))
CONSTANT = re.compile(r"`(?:\w+::)*(k[A-Z]\w+)`")
PATH = re.compile(r"(?<![\w./<\"])((?:[\w.-]+/)+[\w.-]+\.(?:cpp|hpp|h|c|py|sh|md|cmake))\b")
COMMENT = {".cpp": "//|^ *\\*|/\\*", ".py": "#|\"\"\"", ".sh": "#", ".txt": "#"}
COMMENT |= dict.fromkeys((".hpp", ".h", ".c"), COMMENT[".cpp"])
# Examples in READMEs, and headers of Windows that are spoken of.
NOT_FILES = {"mydriver.c", "NAME.c", "fwpsk.h", "fwpmk.h", "ndis.h", "ntddk.h"}


def alternatives(name: str) -> list[str]:
    match = re.search(r"\{([^}]*)\}", name)
    if match is None:
        return [name]
    return [one for part in match[1].split(",") for one in alternatives(name[:match.start()] + part + name[match.end():])]


def exists(name: str, folder: pathlib.Path) -> bool:
    if "*" in name:
        return any(True for base in (folder, ROOT) for _ in base.glob(name))
    return any((base / name).is_file() for base in (folder, ROOT))


def wrong_in_comments(source: pathlib.Path) -> list[str]:
    wrong = []
    for number, line in enumerate(source.read_text(errors="replace").splitlines(), 1):
        comment = re.search(f"(?:{COMMENT[source.suffix]}).*", line)
        for name in PATH.findall(comment[0]) if comment else []:
            if not name.startswith("linux/") and not exists(name, source.parent) and not exists(name, ROOT / "wfp/include"):
                wrong.append(f"{source.relative_to(ROOT)}:{number}: there is no {name}")
    return wrong


def main() -> int:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    sources = "\n".join((ROOT / name).read_text(errors="replace") for name in listed
                        if name.endswith((".cpp", ".hpp", ".h")) and (ROOT / name).is_file())
    constants = set(re.findall(r"\bk[A-Z]\w+", sources))
    wrong = []
    readmes = [ROOT / name for name in listed if pathlib.Path(name).name == "README.md" and (ROOT / name).is_file()]
    for readme in readmes:
        where = readme.relative_to(ROOT)
        for number, line in enumerate(readme.read_text().splitlines(), 1):
            for name in FILE.findall(line):
                if name in NOT_FILES:
                    continue
                wrong += [f"{where}:{number}: there is no {one}" for one in alternatives(name)
                          if not exists(one, readme.parent)]
            wrong += [f"{where}:{number}: no source has {name}" for name in CONSTANT.findall(line)
                      if name not in constants]
    commented = [ROOT / name for name in listed if pathlib.Path(name).suffix in COMMENT and (ROOT / name).is_file()]
    wrong += [line for source in commented for line in wrong_in_comments(source)]
    print("\n".join(wrong) if wrong else f"{len(readmes)} READMEs and the comments of {len(commented)} sources: "
          "every file and constant that they name is there")
    return 1 if wrong else 0


sys.exit(main())
