"""Days off from a calendar file: whole days alone, unfolded, and read again."""

import datetime as dt
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from attendance.calendars import CalendarUnreadable, import_closures, read_calendar
from attendance.timetable_models import Closure

TODAY = dt.date(2026, 9, 1)


def calendar(*events: str) -> bytes:
    """Return a file of events, each given by its lines between BEGIN and END."""
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//School//EN\n{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def event(
    start: str, end: str = "", *more: str, uid: str = "a", name: str = "X"
) -> str:
    lines = [f"UID:{uid}", f"SUMMARY:{name}", f"DTSTART{start}"]
    lines += [f"DTEND{end}"] if end else []
    return "\n".join([*lines, *more])


def days_off(*events: str) -> list[tuple[str, str, str]]:
    found = read_calendar(calendar(*events), today=TODAY)
    return [
        (str(one.first_date), str(one.last_date), one.name) for one in found.closures
    ]


AUTUMN = event(
    ";VALUE=DATE:20261012", ";VALUE=DATE:20261017", uid="autumn", name="Autumn"
)


# --- What a day off is


def test_the_last_day_of_an_event_is_the_day_before_its_end() -> None:
    assert days_off(AUTUMN) == [("2026-10-12", "2026-10-16", "Autumn")]


def test_an_event_without_an_end_is_one_day() -> None:
    assert days_off(event(";VALUE=DATE:20261012")) == [
        ("2026-10-12", "2026-10-12", "X")
    ]


def test_an_event_may_say_how_long_it_is() -> None:
    found = days_off(event(";VALUE=DATE:20261012", "", "DURATION:P3D"))
    assert found == [("2026-10-12", "2026-10-14", "X")]


def test_from_midnight_to_midnight_is_a_whole_day() -> None:
    found = days_off(event(":20261012T000000", ":20261014T000000"))
    assert found == [("2026-10-12", "2026-10-13", "X")]


def test_what_takes_part_of_a_day_or_was_cancelled_is_left_out() -> None:
    evening = event(":20261012T180000Z", ":20261012T200000Z", name="Parents’ evening")
    cancelled = "STATUS:CANCELLED"
    called_off = event(";VALUE=DATE:20261012", "", cancelled, uid="b", name="Trip")
    found = read_calendar(calendar(evening, called_off), today=TODAY)
    assert found.closures == []
    told = {(one.name, one.reason) for one in found.skipped}
    assert told == {("Parents’ evening", "not a whole day"), ("Trip", "cancelled")}


def test_events_that_repeat_are_unfolded_for_this_year_and_the_next() -> None:
    every_year = event(";VALUE=DATE:20100106", "", "RRULE:FREQ=YEARLY", name="Kings")
    assert days_off(every_year) == [
        ("2027-01-06", "2027-01-06", "Kings"),
        ("2028-01-06", "2028-01-06", "Kings"),
    ]


def test_an_exception_of_a_repeated_event_is_heeded() -> None:
    rule = "RRULE:FREQ=WEEKLY;COUNT=3"
    weekly = event(";VALUE=DATE:20261002", "", rule, "EXDATE;VALUE=DATE:20261009")
    assert [first for first, _, _ in days_off(weekly)] == ["2026-10-02", "2026-10-16"]


def test_other_years_are_left_out() -> None:
    past, far = (
        event(f";VALUE=DATE:{year}1012", uid=year) for year in ("2024", "2031")
    )
    assert days_off(past, far, AUTUMN) == [("2026-10-12", "2026-10-16", "Autumn")]


def test_a_long_name_is_cut() -> None:
    (found,) = days_off(event(";VALUE=DATE:20261012", name="Snow " * 100))
    assert len(found[2]) == 200


def test_a_byte_order_mark_is_no_obstacle() -> None:
    data = b"\xef\xbb\xbf" + calendar(AUTUMN)
    assert len(read_calendar(data, today=TODAY).closures) == 1


# --- What is refused


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"student_id,full_name\n",
        b"\x89PNG\r\n\x1a\n\x00",
        b"BEGIN:VEVENT\r\nEND:VEVENT\r\n",
    ],
    ids=["empty", "a table", "a picture", "no calendar"],
)
def test_what_is_no_calendar_is_refused(data: bytes) -> None:
    with pytest.raises(CalendarUnreadable):
        read_calendar(data, today=TODAY)


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (event(";VALUE=DATE:20261399"), "DTSTART"),
        ("UID:a\nSUMMARY:X", "DTSTART"),
        (event(";VALUE=DATE:20261012", "", "DTSTART;VALUE=DATE:20261013"), "DTSTART"),
        (event(";VALUE=DATE:20261012", "", "RRULE:FREQ=SECONDLY"), "RRULE"),
        (event(";VALUE=PERIOD:20261012T000000Z/P1D"), "DTSTART"),
    ],
    ids=["no such date", "no start", "two starts", "too often", "a period"],
)
def test_an_event_that_cannot_be_read_is_named(broken: str, named: str) -> None:
    with pytest.raises(CalendarUnreadable, match=f"X.*{named}"):
        read_calendar(calendar(AUTUMN, broken), today=TODAY)


def test_a_rule_without_an_end_is_bounded() -> None:
    daily = event(";VALUE=DATE:20260901", "", "RRULE:FREQ=DAILY")
    with pytest.raises(CalendarUnreadable, match="500"):
        read_calendar(calendar(daily), today=TODAY)


def test_a_large_file_is_refused_unread() -> None:
    with pytest.raises(CalendarUnreadable, match="1 MB"):
        read_calendar(b" " * (1024 * 1024 + 1), today=TODAY)


# --- Kept, and read again


@pytest.mark.django_db
def test_a_file_that_is_read_again_updates_what_it_brought() -> None:
    moved = AUTUMN.replace("20261012", "20261005").replace("Autumn", "Autumn break")
    weekly = event(
        ";VALUE=DATE:20261106", "", "RRULE:FREQ=WEEKLY;COUNT=2", uid="w", name="Retreat"
    )
    results = [
        import_closures(
            read_calendar(calendar(one, weekly), today=TODAY).closures, by=None
        )
        for one in (AUTUMN, AUTUMN, moved)
    ]
    assert [(done.added, done.updated) for done in results] == [(3, 0), (0, 0), (0, 1)]
    kept = [(one.first_date.day, one.name) for one in Closure.objects.all()]
    assert kept == [(5, "Autumn break"), (6, "Retreat"), (13, "Retreat")]


@pytest.mark.django_db
def test_what_was_entered_by_hand_stays() -> None:
    mine = Closure.objects.create(first_date=TODAY, last_date=TODAY, name="Snow")
    import_closures(read_calendar(calendar(AUTUMN), today=TODAY).closures, by=None)
    assert mine in Closure.objects.all()


@pytest.mark.django_db
def test_the_command_saves_unless_it_is_a_rehearsal(tmp_path: Path) -> None:
    file = tmp_path / "school.ics"
    start = dt.date.today().strftime("%Y%m%d")
    file.write_bytes(calendar(event(f";VALUE=DATE:{start}", name="Today")))
    for options, count in ((["--dry-run"], 0), ([], 1)):
        said = StringIO()
        call_command("import_closures", str(file), *options, stdout=said)
        assert "Today" in said.getvalue()
        assert Closure.objects.count() == count


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_closures", str(tmp_path / "missing.ics"))
    (tmp_path / "table.ics").write_bytes(b"a,b\n")
    with pytest.raises(CommandError, match="no iCalendar file"):
        call_command("import_closures", str(tmp_path / "table.ics"))
