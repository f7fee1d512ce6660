"""Enrol students from an archive of photos, in the background and once each.

A photo is `CODE.jpg`, `CODE_2.jpg`, or any name in a folder `CODE`, where CODE is the
school's own code of a student.
"""

import hmac
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import jobs
from accounts.errors import DomainError
from accounts.job_models import JobState
from accounts.models import Job, User
from classroom.models import Student
from faces import consent, gallery, runtime, services, spool, words
from faces.archives import Entry, NotAnArchive, PhotoArchive, json_safe
from faces.engine.errors import EngineError, FaceError, ImageTooLarge, UnsupportedFormat
from faces.engine.types import Face
from faces.import_models import UNFINISHED, ImportedPhoto, PhotoState
from faces.matching import similarities
from faces.models import MAX_TEMPLATES

KIND: Final = "import_photos"
MAX_TRIES: Final = 3  # a photo that was begun so often has killed its worker
AT_ONCE: Final = 2  # photos in the engine; a run of its sessions uses two threads
# The same photo gives the same numbers but for rounding; the next best, two frames of
# a burst, stay below.
SAME_PHOTO: Final = 0.9995
GOOD_ENDS: Final = {PhotoState.ENROLLED, PhotoState.ALREADY}
_COUNTER: Final = re.compile(r"[_-]\d{1,3}$|\s*\(\d{1,3}\)$")


class ImportRunning(DomainError):
    code = "import_running"
    default_detail = gettext_lazy("Your last archive is still being read. Wait for it.")


class EngineFailed(jobs.TryLater):
    code = "engine_unavailable"
    status = 503


class Repeated(FaceError):
    code = "repeated_photo"
    default_detail = "The archive holds this photo twice."


class Crashed(FaceError):
    code = "crashed"
    default_detail = "Reading this photo stopped the worker. Try it alone."


def require_no_other(owner: User) -> None:
    """Raise ImportRunning while an archive of this user waits or is being read."""
    jobs.end_overdue()
    if Job.objects.unfinished().filter(owner=owner, kind=KIND).exists():
        raise ImportRunning


def begin(spooled: spool.Spooled, *, owner: User) -> Job:
    """Check an archive and begin its import; raises ArchiveRefused, ImportRunning."""
    with spool.open_spooled(spooled) as file:
        entries = PhotoArchive(file).entries
    with transaction.atomic():
        # Two uploads at once: the second waits here and finds the first one's job.
        User.objects.select_for_update().get(pk=owner.pk)
        require_no_other(owner)
        return jobs.start(
            KIND,
            owner=owner,
            arguments={"archive": spooled.name},
            total=len(entries),
            secret=spooled.sealed(),
        )


def clear(job: Job) -> None:
    """Remove the archive of a job that has ended; its key is gone already.

    One that was cut short keeps the list of what it got done.
    """
    spool.destroy(str(job.arguments.get("archive", "")))
    cut_short = Job.objects.filter(pk=job.pk).exclude(state=JobState.DONE)
    cut_short.update(result=result_of(job))


def sweep() -> None:
    """Remove archives that a crash has left: of ended jobs at once, others in a day."""
    names = spool.names()
    if not names:
        return
    jobs_of_names = Job.objects.filter(kind=KIND, arguments__archive__in=names)
    needed = set()
    for job in jobs_of_names.only("arguments", "state"):
        if job.is_finished:
            clear(job)
        else:
            needed.add(str(job.arguments["archive"]))
    spool.destroy_others(needed)


def work(run: jobs.Run) -> dict[str, Any]:
    """Do the job: enrol photo after photo; raises ArchiveLost, EngineFailed."""
    owner = run.job.owner
    spooled = spool.unsealed(run.job.arguments["archive"], run.job.secret)
    with spool.open_spooled(spooled) as file:
        archive = PhotoArchive(file)
        lines = _lines(run.job, archive.entries)
        students = _students(archive.entries, owner)
        _warm_up()
        Reading(run, archive, spooled.key, students).all(lines)
    return result_of(run.job)


def _warm_up() -> None:
    try:
        runtime.get_engine()
    except EngineError as error:
        raise EngineFailed(error.detail) from error


def _lines(job: Job, entries: Sequence[Entry]) -> list[ImportedPhoto]:
    """Return a line for each file, those of an earlier attempt as they are."""
    ImportedPhoto.objects.bulk_create(
        [
            ImportedPhoto(job=job, number=entry.number, name=json_safe(entry.name))
            for entry in entries
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    return list(ImportedPhoto.objects.filter(job=job).order_by("number"))


def codes_of(name: str) -> tuple[str, str, str]:
    """Return the codes that a file's path may mean: folder, whole name, bare name."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.parent.name, path.stem, _COUNTER.sub("", path.stem)


def _students(entries: Sequence[Entry], owner: User) -> dict[int, Student]:
    """Return each file's student by its number, if it has one the owner may see."""
    codes = {code for entry in entries for code in codes_of(entry.name) if code}
    known = Student.objects.for_user(owner).in_bulk(codes, field_name="student_id")
    crowds = Counter(codes_of(entry.name)[0] for entry in entries)
    found: dict[int, Student] = {}
    for entry in entries:
        folder, *names = codes_of(entry.name)
        # More photos than a student may have: a folder of a year or a class whose
        # name happens to be a code.
        options = [folder, *names] if crowds[folder] <= MAX_TEMPLATES else names
        owners = [known[code] for code in options if code in known]
        if owners:
            found[entry.number] = owners[0]
    return found


class Reading:
    """One attempt at the photos of an archive."""

    def __init__(
        self,
        run: jobs.Run,
        archive: PhotoArchive,
        key: bytes,
        students: dict[int, Student],
    ) -> None:
        self.run, self.archive, self.key = run, archive, key
        self.students = students
        self.entries = {entry.number: entry for entry in archive.entries}

    def all(self, lines: Sequence[ImportedPhoto]) -> None:
        """Read what has no end yet; photos are looked at while others are saved."""
        done = sum(line.state not in UNFINISHED for line in lines)
        self.run.progress(done, total=len(lines))
        waiting: deque[tuple[ImportedPhoto, Future[Face]]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for line, photo in self._photos(lines):
                    # One that was under way when a worker died goes alone: if it
                    # is to blame, its neighbours are not.
                    at_once = 0 if line.tries > 1 else AT_ONCE
                    self._finish_all(waiting, but=at_once)
                    waiting.append((line, pool.submit(_face_of, photo)))
                    self._finish_all(waiting, but=at_once)
                self._finish_all(waiting, but=0)
            finally:
                pool.shutdown(cancel_futures=True)

    def _finish_all(
        self, waiting: "deque[tuple[ImportedPhoto, Future[Face]]]", *, but: int
    ) -> None:
        while len(waiting) > but:
            self._finish(*waiting.popleft())

    def _photos(
        self, lines: Sequence[ImportedPhoto]
    ) -> Iterator[tuple[ImportedPhoto, bytes]]:
        """Yield the photos that are worth a look; the others get their end here."""
        for done, line in enumerate(lines):
            self.run.progress(max(0, done - AT_ONCE))
            if line.state not in UNFINISHED:
                continue
            try:
                photo = self._bytes_of(line)
            except FaceError as error:
                self._refuse(line, error)
                continue
            if photo is not None:
                yield line, photo

    def _bytes_of(self, line: ImportedPhoto) -> bytes | None:
        entry = self.entries[line.number]
        student = self.students.get(line.number)
        if student is None:
            end(
                line,
                PhotoState.UNKNOWN,
                "unknown_student",
                _("You have no student with this ID."),
            )
            return None
        if not entry.is_photo:
            raise UnsupportedFormat
        if entry.size > settings.FACE_MAX_UPLOAD_MB * 1024 * 1024:
            raise ImageTooLarge
        if line.tries >= MAX_TRIES:
            raise Crashed
        photo = self._unpacked(entry)
        line.student, line.state, line.tries = (
            student,
            PhotoState.WORKING,
            line.tries + 1,
        )
        line.digest = hmac.new(self.key, photo, sha256).hexdigest()
        line.save(update_fields=["student", "state", "tries", "digest"])
        consent.require_consent(student)
        same = ImportedPhoto.objects.filter(
            job=line.job_id, student=student, digest=line.digest, number__lt=line.number
        )
        if same.exists():
            raise Repeated
        return photo

    def _unpacked(self, entry: Entry) -> bytes:
        try:
            return self.archive.read(entry)
        except NotAnArchive as error:
            # The file alone is damaged; the others may be whole.
            raise UnsupportedFormat(str(error.detail)) from error

    def _refuse(self, line: ImportedPhoto, error: FaceError | DomainError) -> None:
        end(line, PhotoState.REFUSED, error.code, words.sentence(error))

    def _finish(self, line: ImportedPhoto, future: "Future[Face]") -> None:
        try:
            self._enrol(line, future.result())
        except (FaceError, DomainError) as error:
            self._refuse(line, error)
        except EngineError as error:
            raise EngineFailed(error.detail) from error

    def _enrol(self, line: ImportedPhoto, face: Face) -> None:
        student = self.students[line.number]
        if _is_known(student, face):
            end(line, PhotoState.ALREADY)
            return
        doubts = services.examine(student, [face], by=self.run.job.owner)
        with transaction.atomic():
            # A run that was taken for dead may come this far as well: whoever is
            # second finds the end of the first. Template and end stand or fall as one.
            row = ImportedPhoto.objects.select_for_update().get(pk=line.pk)
            if row.state not in UNFINISHED or not self.run.mine().exists():
                return
            services.save(student, [face], self.run.job.owner)
            end(row, PhotoState.ENROLLED, *_said_of_consent(doubts))


def _said_of_consent(doubts: Sequence[services.Doubt]) -> tuple[str, str]:
    """Return the code and the words of a missing consent, which stops no enrolment."""
    code = consent.ConsentMissing.code
    words = [doubt.detail for doubt in doubts if doubt.code == code]
    return (code, words[0]) if words else ("", "")


def _face_of(photo: bytes) -> Face:
    """Return the one face of a photo; runs beside others and touches no database."""
    return services.only_face(services.read_photo(photo))


def _is_known(student: Student, face: Face) -> bool:
    """Say whether this very photo is enrolled already, from an earlier archive."""
    school = gallery.for_school(model_id=runtime.active_model_id())
    owners, scores = similarities(face.embedding[np.newaxis], school)
    own = scores[:, owners == student.pk]
    return bool(own.size and float(own.max()) >= SAME_PHOTO)


def end(
    line: ImportedPhoto, state: PhotoState, code: str = "", detail: object = ""
) -> None:
    line.state, line.code, line.detail = state, code, str(detail)[:300]
    line.save(update_fields=["state", "code", "detail"])


def result_of(job: Job) -> dict[str, Any]:
    """Return the figures and the lines of a job, for its page and its file."""
    lines = sorted(
        ImportedPhoto.objects.filter(job=job).select_related("student"),
        # What needs a look comes first.
        key=lambda line: (line.state in GOOD_ENDS, line.number),
    )
    rows = [
        {
            "file": line.name,
            "student_id": line.student.student_id if line.student else "",
            "result": line.state,
            "reason": line.code,
            "hint": line.detail,
        }
        for line in lines
    ]
    counts = Counter(row["result"] for row in rows)
    return {
        "counts": {state: counts[state] for state in sorted(counts)},
        "rows": rows,
    }
