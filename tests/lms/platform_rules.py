"""What the platforms accept, said again from their documentation and sources, without our own code.

A validator returns what is wrong; an importer does what the platform does with a file.
"""

import csv
import io
import math
import re

VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def gradescope_problems(data):
    """Gradescope, autograder specification, "Output format"."""
    tests = data.get("tests", [])
    problems = []
    if "score" not in data and not (tests and all("score" in t for t in tests)):
        problems.append("no score")
    if "score" in data and not is_number(data["score"]):
        problems.append("score is no number")
    if data.get("visibility", "visible") not in VISIBILITIES:
        problems.append("visibility")
    if (
        not {data.get(k, "text") for k in ("output_format", "test_output_format", "test_name_format")}
        <= FORMATS
    ):
        problems.append("format")
    for test in tests:
        texts = [test.get(k, "") for k in ("name", "number", "output")]
        if not all(isinstance(text, str) for text in texts):
            problems.append("a text is no text")
        if not (is_number(test["score"]) and is_number(test["max_score"])):
            problems.append("points of a test")
        if test.get("status", "passed") not in ("passed", "failed"):
            problems.append("status of a test")
        if not isinstance(test.get("tags", []), list):
            problems.append("tags")
    return problems


def prairielearn_problems(data):
    """PrairieLearn, docs/externalGrading.md."""
    problems = []
    gradable = data.get("gradable", True)
    if not isinstance(gradable, bool):
        problems.append("gradable")
    if gradable and not (is_number(data.get("score")) and 0 <= data["score"] <= 1):
        problems.append("score")
    if "format_errors" in data and gradable:
        problems.append("format_errors of gradable work")
    if not gradable and "score" in data:
        problems.append("score of work that is not gradable")
    tests = data.get("tests", [])
    if any(not is_number(t.get("points")) or not is_number(t.get("max_points")) for t in tests):
        problems.append("a test without points: none is shown")
    return problems


def coursera_problems(data):
    """coursera_autograder, commands/grade.py."""
    problems = []
    if "fractionalScore" in data:
        score = data["fractionalScore"]
        if isinstance(score, bool) or not isinstance(score, int | float):
            problems.append("fractionalScore must be a number")
        elif not 0 <= score <= 1:
            problems.append("fractionalScore must be between 0 and 1")
    elif not isinstance(data.get("isCorrect"), bool):
        problems.append("isCorrect must be a bool")
    if not isinstance(data.get("feedback"), str):
        problems.append("feedback is required")
    return problems


def classroom_points(results):
    """autograding-grading-reporter: (points, most) that it reports, None where it reports nothing."""
    points = most = 0.0
    for result in results:
        if not result["max_score"]:
            continue
        most += result["max_score"]
        points += sum(test["score"] for test in result["tests"])
    return (points, most) if most else None


COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>[^\r\n]*?)::(?P<message>[^\r\n]*)")


def workflow_commands(log):
    """actions/runner, ActionCommand.TryParse: the commands of a log, unescaped."""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        if match := COMMAND.fullmatch(line.lstrip()):
            pairs = (pair.partition("=") for pair in match["properties"].split(","))
            properties = {k: v.replace("%3A", ":").replace("%2C", ",") for k, _, v in pairs}
            undo = {k: unescaped(v) for k, v in properties.items()}
            found.append((match["name"], undo, unescaped(match["message"])))
    return found


def unescaped(text):
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def canvas_import(raw):
    """canvas-lms, lib/gradebook_importer.rb: {user: {assignment: grade}}, and titles it would create."""
    text = raw.decode("utf-8").removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    names = rows[0]
    first = next(i for i, name in enumerate(names) if "Section" in name) + 1
    columns, created = {}, []
    for i in range(first, len(names)):
        if match := re.search(r"\((\d+)\)\s*\Z", names[i]):
            columns[i] = match[1]
        else:
            created.append(names[i])
    grades = {}
    for row in rows[1:]:
        if "Points Possible" in row[0] or not row[0].strip():
            continue
        user = row[names.index("ID")]
        assert user not in grades, "a student twice"
        grades[user] = {assignment: _canvas_grade(row[i]) for i, assignment in columns.items()}
    return grades, created


def _canvas_grade(cell):
    text = cell.strip()
    if text in ("", "-", "N/A"):
        return None
    return "EX" if text.upper() == "EX" else float(text.replace(",", "."))


def canvas_comments(names, attachments):
    """app/models/assignment.rb, infer_comment_context_from_filename: {user: file name}; ignored files."""
    found, ignored = {}, []
    for name in names:
        parts = name.rpartition("/")[2].split("_")
        numbers = [part for part in parts if re.fullmatch(r"\d+", part)][:2]
        user, attachment = [*numbers, None, None][:2]
        if parts[-1].startswith("link") or name.startswith("._") or attachments.get(attachment) != user:
            ignored.append(name)
        else:
            found[user] = name
    return found, ignored


def php_fgetcsv(text):
    """PHP's fgetcsv as Moodle calls it: a comma parts cells, a backslash takes a quote's meaning away."""
    rows, row, cell, at, quoted = [], [], "", 0, False
    while at < len(text):
        c = text[at]
        if quoted and c == "\\" and text[at + 1 : at + 2] == '"':
            cell, at = cell + '\\"', at + 2
            continue
        if quoted and c == '"' and text[at + 1 : at + 2] == '"':
            cell, at = cell + '"', at + 2
            continue
        if c == '"':
            quoted = not quoted
        elif c == "," and not quoted:
            row, cell = [*row, cell], ""
        elif c in "\r\n" and not quoted:
            rows, row, cell = [*rows, [*row, cell]], [], ""
            at += text[at : at + 2] == "\r\n"
        else:
            cell += c
        at += 1
    return rows if not cell and not row else [*rows, [*row, cell]]


def moodle_import(raw, participants):
    """mod/assign/feedback/offline/importgradeslib.php: {participant: (grade, comment)} of valid rows."""
    text = raw.decode("utf-8").removeprefix("\ufeff")
    names, *rows = php_fgetcsv(text)
    identifier, grade, _ = (names.index(n) for n in ("Identifier", "Grade", "Last modified (grade)"))
    comment = names.index("Feedback comments") if "Feedback comments" in names else None
    found = {}
    for row in rows:
        number = row[identifier].removeprefix("Participant").strip()
        if number in participants:
            found[number] = (row[grade], row[comment] if comment is not None else "")
    return found


def moodle_feedback(names, participants):
    """mod/assign/feedback/file/importziplib.php: {participant: path of the file}."""
    found = {}
    for name in names:
        parts = f"/{name}".split("/")
        if parts[-1].startswith((".", "~")):
            continue
        while parts:
            info = parts.pop(0).split("_", 4)
            if len(info) < 4 or not info[1].isdigit() or info[1] not in participants:
                continue
            if (info[2], info[3]) != ("assignsubmission", "file"):
                continue
            found[info[1]] = "/".join([info[4] if len(info) > 4 else "", *parts])
            break
    return found
