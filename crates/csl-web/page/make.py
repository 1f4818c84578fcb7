"""Makes the page of one file: `make.py MODULE.wasm index.html`. What is not text is in it as base64."""
import base64
import gzip
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]


def text(name):
    return (HERE / name).read_text(encoding="utf-8")


def programs():
    """The programs of the page, with the texts of their files."""
    listed = json.loads(text("programs.json"))
    for program in listed:
        folder = ROOT / program.pop("folder")
        program["files"] = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csl"))}
    # In the script of a page, `</` could end it.
    return json.dumps(listed).replace("</", "<\\/")


def words():
    """Patterns of keywords and types, those of the grammar for editors, which the compiler's tables make."""
    grammar = json.loads((ROOT / "editors/textmate/csl.tmLanguage.json").read_text(encoding="utf-8"))
    parts = {name: grammar["repository"][name]["patterns"] for name in ("keywords", "types")}
    return json.dumps({name: "|".join(part["match"] for part in patterns) for name, patterns in parts.items()})


def main(module, page):
    packed = gzip.compress(pathlib.Path(module).read_bytes(), 9, mtime=0)
    parts = {
        "/* page.css */": text("page.css"),
        "/* page.js */": f"const WORDS = {words()};\n" + text("page.js"),
        "/* worker.js */": text("worker.js"),
        "/* programs */": programs(),
        "/* module */": base64.b64encode(packed).decode(),
    }
    whole = text("index.html")
    for mark, part in parts.items():
        before, found, after = whole.partition(mark)
        assert found, mark
        whole = before + part + after
    pathlib.Path(page).write_text(whole, encoding="utf-8")


main(*sys.argv[1:])
