//! The days a rule gives, in order, from the first day of its series on.
//!
//! A rule counts in periods: days, weeks, months or years. Of each period that INTERVAL takes, the days that every part
//! allows are chosen, and of those the ones BYSETPOS names. What no part says follows from the first day, as RFC 5545 has
//! it: the weekday of a weekly rule, the day of the month of a monthly or yearly one, the weekday of a week of the year.
//!
//! The weeks of a year may begin in December before it and end in January after it. With BYWEEKNO a year is therefore its
//! weeks, so that no week is torn apart by INTERVAL and BYSETPOS. (Everywhere else the RFC's parts only choose days.)

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::{ByDay, Frequency, Rule};

/// No rule is looked through beyond the year that dates end with.
const YEAR_MAX: i32 = 2200;

/// Consecutive days `[first, last]`.
#[derive(Clone, Copy)]
struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

impl Rule {
    /// The days from `starts_on` on, in order; `starts_on` is one of them only if the rule gives it. They end by COUNT, or
    /// with the year 2200.
    pub fn days(&self, starts_on: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let rule = self.completed(starts_on);
        let count = usize::try_from(rule.count.unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
        let periods = (0..).map_while({
            let rule = rule.clone();
            move |number| rule.period(starts_on, number)
        });
        periods.flat_map(move |period| rule.days_of(period)).filter(move |day| *day >= starts_on).take(count)
    }

    /// The rule with what it leaves to the first day.
    fn completed(&self, starts_on: NaiveDate) -> Rule {
        let mut rule = self.clone();
        let in_week = || vec![ByDay { number: None, weekday: starts_on.weekday() }];
        let in_month = || vec![signed(starts_on.day())];
        let chosen = !self.weekdays.is_empty() || !self.month_days.is_empty() || !self.year_days.is_empty();
        match self.frequency {
            Frequency::Weekly if !chosen => rule.weekdays = in_week(),
            Frequency::Monthly if !chosen => rule.month_days = in_month(),
            Frequency::Yearly if !chosen && !self.weeks.is_empty() => rule.weekdays = in_week(),
            Frequency::Yearly if !chosen => {
                rule.month_days = in_month();
                if self.months.is_empty() {
                    rule.months = vec![signed(starts_on.month())];
                }
            }
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly => {}
        }
        rule
    }

    /// The period of that number, the one of the first day being 0; none beyond the years there are.
    fn period(&self, starts_on: NaiveDate, number: u32) -> Option<Period> {
        let step = number.checked_mul(self.interval)?;
        let period = match self.frequency {
            Frequency::Daily => {
                let day = starts_on.checked_add_days(Days::new(step.into()))?;
                Period { first: day, last: day }
            }
            Frequency::Weekly => {
                let first = starts_on.week(self.week_start).checked_first_day()?;
                let first = first.checked_add_days(Days::new(u64::from(step) * 7))?;
                Period { first, last: first + Days::new(6) }
            }
            Frequency::Monthly => month_of(starts_on.with_day(1)?.checked_add_months(Months::new(step))?)?,
            Frequency::Yearly if self.weeks.is_empty() => {
                let year = starts_on.year().checked_add_unsigned(step)?;
                year_of(NaiveDate::from_yo_opt(year, 1)?)?
            }
            Frequency::Yearly => {
                let year = week_year(starts_on, self.week_start)?.checked_add_unsigned(step)?;
                let next = first_week(year.checked_add(1)?, self.week_start)?;
                Period { first: first_week(year, self.week_start)?, last: next.pred_opt()? }
            }
        };
        (period.first.year() <= YEAR_MAX).then_some(period)
    }

    /// The days of a period that the rule gives.
    fn days_of(&self, period: Period) -> Vec<NaiveDate> {
        let all = period.first.iter_days().take_while(|day| *day <= period.last && day.year() <= YEAR_MAX);
        let days: Vec<NaiveDate> = all.filter(|day| self.allows(*day, period)).collect();
        if self.positions.is_empty() {
            return days;
        }
        let named = |(index, _): &(usize, &NaiveDate)| has_ordinal(&self.positions, *index, days.len());
        days.iter().enumerate().filter(named).map(|(_, day)| *day).collect()
    }

    /// Whether every part but BYSETPOS allows the day.
    fn allows(&self, day: NaiveDate, period: Period) -> bool {
        let place = |numbers: &[i32], within: Option<Period>| {
            numbers.is_empty() || within.is_some_and(|within| has_ordinal(numbers, within.index(day), within.days()))
        };
        let week = period.index(day) / 7;
        (self.months.is_empty() || self.months.contains(&signed(day.month())))
            && (self.weeks.is_empty() || has_ordinal(&self.weeks, week, period.days() / 7))
            && place(&self.year_days, year_of(day))
            && place(&self.month_days, month_of(day))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|by_day| self.is_such(*by_day, day)))
    }

    /// The numbers of BYDAY count within the month, or in a yearly rule without BYMONTH within the year.
    fn is_such(&self, by_day: ByDay, day: NaiveDate) -> bool {
        let Some(number) = by_day.number else { return day.weekday() == by_day.weekday };
        let by_year = self.frequency == Frequency::Yearly && self.months.is_empty();
        let within = if by_year { year_of(day) } else { month_of(day) };
        let of_it = |within: Period| {
            let (before, after) = (within.index(day) / 7, (within.days() - 1 - within.index(day)) / 7);
            has_ordinal(&[number], before, before + 1 + after)
        };
        day.weekday() == by_day.weekday && within.is_some_and(of_it)
    }
}

impl Period {
    fn days(self) -> usize {
        usize::try_from((self.last - self.first).num_days() + 1).unwrap_or_default()
    }

    /// The day's place in it, from 0.
    fn index(self, day: NaiveDate) -> usize {
        usize::try_from((day - self.first).num_days()).unwrap_or_default()
    }
}

/// Whether the numbers name the one at this index of so many: 1 is the first, -1 the last.
fn has_ordinal(numbers: &[i32], index: usize, len: usize) -> bool {
    let (Ok(index), Ok(len)) = (i32::try_from(index), i32::try_from(len)) else { return false };
    numbers.contains(&(index + 1)) || numbers.contains(&(index - len))
}

fn month_of(day: NaiveDate) -> Option<Period> {
    let first = day.with_day(1)?;
    Some(Period { first, last: first.checked_add_months(Months::new(1))?.pred_opt()? })
}

fn year_of(day: NaiveDate) -> Option<Period> {
    let first_of = |year| NaiveDate::from_yo_opt(year, 1);
    Some(Period { first: first_of(day.year())?, last: first_of(day.year() + 1)?.pred_opt()? })
}

/// The first day of the first week that has at least four days in the year: the week of its 4 January.
fn first_week(year: i32, week_start: Weekday) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, 1, 4)?.week(week_start).checked_first_day()
}

/// The year to whose weeks a day belongs.
fn week_year(day: NaiveDate, week_start: Weekday) -> Option<i32> {
    let year = day.year();
    if day < first_week(year, week_start)? {
        return Some(year - 1);
    }
    Some(if day < first_week(year + 1, week_start)? { year } else { year + 1 })
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or_default()
}
