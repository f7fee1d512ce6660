"""Add a school's students from a CSV file, and their faces from folders of photos.

    export ROLLBOOK_PASSWORD='…'
    .venv/bin/python docs/add_students.py students.csv --email ada@school.example

`students.csv` has the columns student_id, full_name and class_code; the classes exist
already. With `--photos FOLDER`, the photos in FOLDER/STUDENT_ID/ are enrolled, up to
five of each student. It can be run again at any time: who is there already is left
alone, and what was refused is named at the end.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

LONGEST_WAIT = 120  # seconds for one answer
PHOTOS_EACH = 5


class School:
    """The API with a token that is renewed when it ends."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.login = {"email": email, "password": password}
        self.session = requests.Session()
        self.log_in()

    def log_in(self) -> None:
        answer = self.session.post(
            f"{self.url}/auth/login", json=self.login, timeout=LONGEST_WAIT
        )
        answer.raise_for_status()
        token = answer.json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **body: Any) -> requests.Response:
        for _ in range(2):
            answer = self.session.request(
                method, f"{self.url}{path}", timeout=LONGEST_WAIT, **body
            )
            if answer.status_code != 401:
                break
            self.log_in()
        return answer

    def every(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield all rows of a list, page by page."""
        offset = 0
        while True:
            answer = self.call("GET", f"{path}?limit=1000&offset={offset}")
            answer.raise_for_status()
            page = answer.json()
            yield from page["results"]
            offset += len(page["results"])
            if page["next"] is None:
                return


def add(school: School, rows: list[dict[str, str]], photos: Path | None) -> list[str]:
    """Add all rows; return a line about each that was refused."""
    classes = {row["class_code"]: row["id"] for row in school.every("/classes")}
    known = {row["student_id"]: row for row in school.every("/students")}
    refused = []
    for row in rows:
        code, class_code = row["student_id"].strip(), row["class_code"].strip()
        if class_code not in classes:
            refused.append(f"{code}: there is no class {class_code}")
            continue
        class_id = classes[class_code]
        student = known.get(code)
        if student is None:
            new = {"student_id": code, "full_name": row["full_name"].strip()}
            answer = school.call("POST", "/students", json=new | {"class_id": class_id})
            if not answer.ok:
                refused.append(f"{code}: {answer.json()['detail']}")
                continue
            student = known[code] = answer.json()
        elif class_id not in student["class_ids"]:
            ids = {"student_ids": [student["id"]]}
            school.call("POST", f"/classes/{class_id}/students", json=ids)
        if photos is not None and not student["face_enrolled"]:
            refused += enrol(school, student, photos / code)
    return refused


def enrol(school: School, student: dict[str, Any], folder: Path) -> list[str]:
    """Enrol the photos of one folder; return a line where they were refused."""
    chosen = sorted(path for path in folder.glob("*") if path.is_file())[:PHOTOS_EACH]
    if not chosen:
        return [f"{student['student_id']}: no photo in {folder}"]
    answer = school.call(
        "POST",
        "/face/register",
        data={"student_id": student["id"]},
        files=[("file", (path.name, path.read_bytes())) for path in chosen],
    )
    if answer.ok:
        student["face_enrolled"] = True
        return []
    return [f"{student['student_id']}: {answer.json()['detail']}"]


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("table", type=Path)
    words.add_argument("--email", required=True)
    words.add_argument("--url", default="http://localhost:8000")
    words.add_argument("--photos", type=Path)
    given = words.parse_args()
    school = School(given.url, given.email, os.environ["ROLLBOOK_PASSWORD"])
    # Spreadsheets begin their CSV files with a byte order mark.
    with given.table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    refused = add(school, rows, given.photos)
    sys.stdout.write(f"{len(rows)} rows, {len(refused)} refused.\n")
    sys.stdout.writelines(f"  {line}\n" for line in refused)
    sys.exit(bool(refused))


if __name__ == "__main__":
    main()
