"""How rates go over time, and by the days of the week."""

import datetime as dt

from attendance.report_trends import Point, Step, trend, weekdays
from attendance.reports import Counts

MONDAY = dt.date(2026, 3, 2)


def after(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def test_a_month_is_shown_by_day() -> None:
    found = trend([(after(2), Counts(present=1)), (MONDAY, Counts(absent=1))])
    assert found.step == Step.DAY
    assert [point.first for point in found.points] == [MONDAY, after(2)]


def test_a_term_is_shown_by_the_mondays_of_its_weeks() -> None:
    dated = [(after(day), Counts(present=1)) for day in (1, 4, 8, 40)]
    found = trend(dated)
    assert found.step == Step.WEEK
    assert found.points == [
        Point(MONDAY, Counts(present=2)),
        Point(after(7), Counts(present=1)),
        Point(after(35), Counts(present=1)),
    ]


def test_one_students_month_is_shown_by_week() -> None:
    found = trend([(after(2), Counts(present=1))], by_day=False)
    assert (found.step, found.points[0].first) == (Step.WEEK, MONDAY)


def test_a_year_is_shown_by_month() -> None:
    found = trend([(MONDAY, Counts(late=1)), (after(300), Counts(absent=1))])
    assert found.step == Step.MONTH
    assert [point.first for point in found.points] == [
        dt.date(2026, 3, 1),
        dt.date(2026, 12, 1),
    ]


def test_several_sessions_of_a_day_are_one_point() -> None:
    found = trend([(MONDAY, Counts(present=1)), (MONDAY, Counts(absent=3))])
    assert found.points == [Point(MONDAY, Counts(present=1, absent=3))]
    assert not found.is_drawn  # one point is no line


def test_without_sessions_there_is_no_trend() -> None:
    assert trend([]).points == []
    assert weekdays([]) == []


def test_weekdays_are_added_up_over_the_weeks() -> None:
    found = weekdays(
        [
            (after(4), Counts(absent=1, excused=5)),
            (MONDAY, Counts(present=2, late=1)),
            (after(7), Counts(absent=1)),
        ]
    )
    assert [(one.number, one.sessions) for one in found] == [(1, 2), (5, 1)]
    assert str(found[0].name) == "Monday"
    assert (found[0].absent_share, found[0].late_share) == (0.25, 0.25)
    assert found[1].absent_share == 1  # the excused are in no share


def test_who_was_only_excused_has_no_share() -> None:
    (day,) = weekdays([(MONDAY, Counts(excused=2))])
    assert (day.absent_share, day.late_share) == (None, None)
