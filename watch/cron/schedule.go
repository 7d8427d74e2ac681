// Package cron says when a schedule's next time is. It guards the parser and the arithmetic of
// github.com/robfig/cron/v3, which panic on some texts, know no seventh day of the week, skip a
// night in spring and run one twice in autumn.
package cron

import (
	"time"

	robfig "github.com/robfig/cron/v3"
)

// A Schedule is a set of times. The zero Schedule has none.
type Schedule struct {
	text  string
	every time.Duration        // of @every; 0 for the other kind
	spec  *robfig.SpecSchedule // in UTC, over the wall clock's fields
	loc   *time.Location
	// fixed: it names its hours, so that each is meant once a day, also in the nights when clocks
	// change.
	fixed bool
}

// String gives the schedule as it was written.
func (s Schedule) String() string { return s.text }

// Every gives the period of an @every schedule.
func (s Schedule) Every() (time.Duration, bool) { return s.every, s.every > 0 }

// Location gives the time zone that the fields are read in: that of CRON_TZ, else the machine's.
func (s Schedule) Location() *time.Location { return s.loc }

// Next gives the first time of the schedule after a time, in the schedule's zone. It is strictly
// later, and never zero for a schedule that Parse gave.
//
// Where clocks change, a time whose hour is named in the schedule comes once: if it falls into the
// hour that is skipped in spring, at the first moment after; if it falls into the hour that comes
// twice in autumn, the first time. Schedules over every hour (*, */n) go on through such nights as
// the clock shows. An @every schedule gives after plus its period.
func (s Schedule) Next(after time.Time) time.Time {
	after = after.Round(0) // schedules go by the wall clock
	switch {
	case s.every > 0:
		return after.Add(s.every)
	case s.spec == nil:
		return time.Time{}
	case s.fixed:
		return s.nextFixed(after.In(s.loc))
	}
	return s.nextRunning(after.In(s.loc))
}

// nextRunning follows the clock through every change: between two changes a reading of the clock
// stands for one instant.
func (s Schedule) nextRunning(after time.Time) time.Time {
	from, zone := wall(after), after
	for range horizon * searched * mostChanges {
		reading := s.nextReading(from)
		t := s.at(reading, zone)
		_, end := zone.ZoneBounds()
		if !end.IsZero() && !end.After(zone) {
			end = zone.Add(48 * time.Hour) // Go 1.26 errs about the last day of a leap year after 2037
		}
		if reading.IsZero() || end.IsZero() || t.Before(end) {
			return t
		}
		from, zone = wall(end).Add(-time.Second), end
	}
	return time.Time{}
}

// nextFixed looks for the next wall-clock reading, then for the instant at which a clock shows it.
func (s Schedule) nextFixed(after time.Time) time.Time {
	for reading := s.nextReading(wall(after)); !reading.IsZero(); reading = s.nextReading(reading) {
		if t := s.instant(reading); t.After(after) {
			return t
		}
	}
	return time.Time{}
}

const (
	searched    = 4 // years that one search of robfig's covers for certain
	horizon     = 4 // searches: 29 February comes within eight years
	mostChanges = 8 // of a zone's clocks in a year
)

// nextReading gives the next reading of the wall clock, written as a time in UTC.
func (s Schedule) nextReading(after time.Time) time.Time {
	for range horizon {
		if t := s.spec.Next(after); !t.IsZero() {
			return t
		}
		after = after.AddDate(searched, 0, 0)
	}
	return time.Time{}
}

// wall writes what a clock shows at t as a time in UTC.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant gives the first moment at which a clock of the zone shows the reading, or, where none
// does, the first after it.
func (s Schedule) instant(reading time.Time) time.Time {
	before := s.at(reading, reading.Add(-24*time.Hour))
	if wall(before).Equal(reading) {
		return before
	}
	if after := s.at(reading, reading.Add(24*time.Hour)); wall(after).Equal(reading) {
		return after
	}
	change, _ := before.ZoneBounds()
	return change
}

// at gives the moment of a reading by the offset that is in force at another.
func (s Schedule) at(reading, other time.Time) time.Time {
	_, offset := other.In(s.loc).Zone()
	return reading.Add(-time.Duration(offset) * time.Second).In(s.loc)
}

// PerDay gives how often a day the schedule comes, on average.
func (s Schedule) PerDay() float64 {
	const day = 24 * time.Hour
	if s.every > 0 {
		return float64(day) / float64(s.every)
	}
	begin := time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC)
	if s.spec == nil {
		return 0
	}
	// A year holds every kind of day; a schedule that is often due shows its rate in four weeks.
	for _, window := range []time.Duration{28 * day, 8 * 365 * day} {
		n := 0
		for t := s.Next(begin); t.Sub(begin) <= window; t = s.Next(t) {
			n++
		}
		if n >= 28 || window > 28*day {
			return float64(n) / (float64(window) / float64(day))
		}
	}
	return 0
}
