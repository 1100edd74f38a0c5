"""The notebooks run, show what is written down in them, and are what the index says."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from execute import LESSONS, cleaned
from lecture_clock import CLOSING, OPENING, lessons

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
COURSE = sorted(FOLDER.glob(LESSONS))
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")

MOST_CELLS, MOST_LINES = 20, 36


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "execute.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_runs_in_a_minute_and_its_outputs_are_current(path: Path) -> None:
    done = run("--check", path.stem)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_an_output_that_is_not_current_is_noticed_and_written_anew(tmp_path: Path) -> None:
    for name in ("execute.py", "01_sharing.ipynb"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "exercises").symlink_to(FOLDER / "exercises")
    notebook = tmp_path / "01_sharing.ipynb"
    right = notebook.read_text(encoding="utf-8")
    assert "secret 0: {(0, 0): 2568" in right
    stale = right.replace("secret 0: {(0, 0): 2568", "secret 0: {(0, 0): 2567")
    notebook.write_text(stale, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "execute.py")]
    check = subprocess.run([*command, "--check"], capture_output=True, text=True, timeout=60)
    assert (check.returncode, check.stdout) == (1, "01_sharing.ipynb: not current\n")
    assert notebook.read_text(encoding="utf-8") == stale
    write = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (write.returncode, write.stdout) == (0, "01_sharing.ipynb: written\n")
    assert notebook.read_text(encoding="utf-8") == right


def test_a_file_is_the_same_however_a_run_was_cut_and_however_long_it_took() -> None:
    def printed(text: str, name: str = "stdout") -> nbformat.NotebookNode:
        piece: nbformat.NotebookNode = nbformat.v4.new_output("stream", name=name, text=text)
        return piece

    shown = nbformat.v4.new_output(
        "execute_result",
        {
            "text/plain": "<Result 3 rounds, 0.66 s)",
            "text/html": "<b>1.250</b>1,234.567</span></span>",
        },
        execution_count=7,
        metadata={},
    )
    cell = nbformat.v4.new_code_cell("1", execution_count=7, metadata={"when": "now"})
    cell.outputs = [printed("a"), printed("b"), printed("c", "stderr"), shown, printed("d")]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"machine": "mine"})
    text = cleaned(notebook)
    again = nbformat.reads(text, as_version=4)
    outputs = again.cells[0].outputs
    assert [output.get("text") for output in outputs] == ["ab", "c", None, "d"]
    assert outputs[2].data["text/plain"] == "<Result 3 rounds, ... s)"
    assert outputs[2].data["text/html"] == "<b>1.250</b>...</span></span>"
    assert "7" not in text and "mine" not in text and "now" not in text
    assert cleaned(again) == text


def test_there_are_ten_lessons_in_order_and_the_index_names_them() -> None:
    assert [path.name[:3] for path in COURSE] == [f"{number:02}_" for number in range(1, 11)]
    linked = re.findall(r"\]\((\w+\.ipynb)\)", INDEX)
    assert {path.name for path in COURSE} <= set(linked)
    assert all((FOLDER / name).exists() for name in linked)
    for path in COURSE:
        title = cells(path, "markdown")[0].source.splitlines()[0]
        assert title.startswith(f"# {int(path.name[:2])}. ")
        assert title.partition(". ")[2] in INDEX


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_lesson_is_short_and_shows_the_naive_way_before_the_right_one(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert 10 <= len(notebook.cells) <= MOST_CELLS
    assert max(len(cell.source.splitlines()) for cell in cells(path, "code")) <= MOST_LINES
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    naive, right = text.find("naive way"), text.find("## The right way")
    assert 0 < naive < right < text.find("## Exercises")


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_lesson_ends_with_three_open_exercises_and_their_check(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    exercises, answers, check = notebook.cells[-3:]
    assert re.findall(r"^(\d)\. ", exercises.source, re.MULTILINE) == ["1", "2", "3"]
    assert answers.source.count("...") == 3
    assert "import check" in check.source
    (output,) = check.outputs
    assert output.text.splitlines() == [f"Exercise {n}: not answered yet." for n in (1, 2, 3)]


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_file_holds_nothing_of_the_machine_that_ran_it(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert all(not cell.metadata for cell in notebook.cells)
    assert all(cell.execution_count is None for cell in cells(path, "code"))
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    assert all(output.output_type != "error" for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert not re.search(r"0x[0-9a-f]{6,}|/tmp/|/home/|/root/", path.read_text(encoding="utf-8"))


def test_the_lecture_plan_keeps_to_the_clock() -> None:
    """The minutes of the index are those that the texts take, to a minute; the whole takes an hour."""
    clock, starts = float(OPENING), [0.0]
    for lesson in lessons():
        starts.append(clock)
        clock += lesson.seconds
    assert 58 * 60 < clock + CLOSING <= 60 * 60
    planned = re.findall(r"^\| (\d+) \| (\d*) ?\|", INDEX, re.MULTILINE)
    assert [number for _, number in planned] == ["", *map(str, range(1, 11)), ""]
    for (minute, _), seconds in zip(planned, [*starts, clock], strict=True):
        assert abs(60 * int(minute) - seconds) <= 60
