"""Run the notebooks and write down what they show, or check that what is written down is current.

    python examples/notebooks/execute.py                       # the ten lessons
    python examples/notebooks/execute.py --check 01_sharing

It needs the extra `notebooks`. What a notebook file keeps is text, code and outputs alone: no
execution counts, times or names of machines. So the same run writes the same bytes.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
LESSONS = "[0-9][0-9]_*.ipynb"
"""The notebooks of the course have a number in front."""

TIMEOUT = 60
"""How many seconds a cell may take."""


def main() -> int:
    """Run what the command line names, and say which files were written or are not current."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1"
    )
    parser.add_argument(
        "names", nargs="*", help="of notebooks, without .ipynb; the lessons if none"
    )
    options = parser.parse_args()
    names = options.names or sorted(path.stem for path in FOLDER.glob(LESSONS))
    if unknown := [name for name in names if not path_of(name).exists()]:
        parser.error(f"there is no notebook {unknown[0]}")
    stale = [
        path for path in map(path_of, names) if not is_current(path, options.check)
    ]
    for path in stale:
        print(f"{path.name}: {'not current' if options.check else 'written'}")
    return 1 if options.check and stale else 0


def path_of(name: str) -> Path:
    """The notebook of that name beside this file."""
    return FOLDER / f"{name}.ipynb"


def is_current(path: Path, only_check: bool) -> bool:
    """Run a notebook; whether its file is what the run gives. Unless `only_check`, write it."""
    before = path.read_text(encoding="utf-8")
    after = executed(before)
    if before != after and not only_check:
        path.write_text(after, encoding="utf-8")
    return before == after


def executed(text: str) -> str:
    """The notebook with the outputs of a fresh run, as the text of a file."""
    notebook = nbformat.reads(text, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook file without whatever differs from run to run, or machine to machine."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = joined(cell.outputs)
    text: str = nbformat.writes(notebook)
    return text + "\n"


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The outputs without counts, and what was printed in pieces as one piece."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if (
            output.output_type == "stream"
            and kept
            and kept[-1].get("name") == output.name
        ):
            kept[-1].text += output.text
            continue
        if "execution_count" in output:
            output.execution_count = None
        for kind, shown in output.get("data", {}).items():
            output.data[kind] = without_times(shown)
        kept.append(output)
    return kept


def without_times(shown: str) -> str:
    """What an object shows, with dots for the seconds that a step took in this run."""
    in_tree = re.sub(r"[\d,]+\.\d{3}(?=</span></span>)", "...", shown)
    return re.sub(r"\d+\.\d\d s\)$", "... s)", in_tree)


if __name__ == "__main__":
    sys.exit(main())
