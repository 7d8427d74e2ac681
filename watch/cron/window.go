package cron

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Window is a span of some days of the week, from one reading of the clock to another. One that
// ends at an earlier reading ends on the day after.
type Window struct {
	text     string
	days     [7]bool // on which it opens
	from, to int     // minutes after midnight; to is more than from, and more than a day where it ends on the next
	loc      *time.Location
}

// String gives the window as it was written.
func (w Window) String() string { return w.text }

const minutesOfDay = 24 * 60

var windowForm = lazyregexp.New(`^(?:([A-Za-z][A-Za-z,-]*) +)?([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})(?: +([A-Za-z_][A-Za-z0-9_+/-]*))?$`)

// ParseWindow reads a window: days of the week, as Mon-Fri or Sat,Sun, the readings of the clock at
// which it opens and closes, and a time zone. Without days it opens every day; without a zone the
// readings are those of the machine's clock.
func ParseWindow(text string) (Window, error) {
	m := windowForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return Window{}, errors.New(`a window is days, two readings of the clock and a time zone, as "Mon-Fri 02:00-04:00 Europe/Berlin"; days and zone may be left out`)
	}
	w := Window{text: text, loc: time.Local}
	if err := w.parseDays(m[1]); err != nil {
		return Window{}, err
	}
	var ok, also bool
	w.from, ok = parseReading(m[2])
	w.to, also = parseReading(m[3])
	switch {
	case !ok || !also || w.from == minutesOfDay:
		return Window{}, fmt.Errorf("%s-%s are no readings of a clock, which are 00:00 to 23:59, and 24:00 at the end", m[2], m[3])
	case w.from == w.to:
		return Window{}, fmt.Errorf("a window that closes when it opens; the whole day is 00:00-24:00")
	case w.to < w.from:
		w.to += minutesOfDay
	}
	if m[4] != "" {
		loc, err := time.LoadLocation(m[4])
		if err != nil {
			return Window{}, fmt.Errorf("unknown time zone %q", m[4])
		}
		w.loc = loc
	}
	return w, nil
}

// parseDays reads the days on which the window opens.
func (w *Window) parseDays(text string) error {
	if text == "" {
		w.days = [7]bool{true, true, true, true, true, true, true}
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := slices.Index(dayNames, strings.ToLower(first)), slices.Index(dayNames, strings.ToLower(last))
		if from < 0 || to < 0 {
			return fmt.Errorf("%q is not understood; days are Mon, Tue, Wed, Thu, Fri, Sat and Sun, as Mon-Fri or Sat,Sun", part)
		}
		for day := from; ; day = (day + 1) % 7 {
			w.days[day] = true
			if day == to {
				break
			}
		}
	}
	return nil
}

// parseReading gives the minutes after midnight of a reading of the clock.
func parseReading(text string) (minutes int, ok bool) {
	hour, _ := strconv.Atoi(text[:2])
	minute, _ := strconv.Atoi(text[3:])
	minutes = 60*hour + minute
	return minutes, minute < 60 && minutes <= minutesOfDay
}

// searchedDays is how many days one looks ahead for a window. A week has every day of it, and a
// zone may have left one out, as Samoa did.
const searchedDays = 16

// Next gives the first time from another on at which the window is open: that time itself where it
// is. It is never zero for a window that ParseWindow gave.
//
// Where clocks change, a reading that comes twice is meant the first time, and one that is skipped
// is the first moment after, as in schedules. A window that is skipped whole is open from then on
// for as long as it says.
func (w Window) Next(from time.Time) time.Time {
	from = from.Round(0)
	year, month, day := from.In(w.loc).Date()
	// The one of the day before the last may still be open where clocks went back by a day.
	for i := -3; i < searchedDays; i++ {
		midnight := time.Date(year, month, day+i, 0, 0, 0, 0, time.UTC) // a reading
		if !w.days[midnight.Weekday()] {
			continue
		}
		opens := w.reached(midnight.Add(time.Duration(w.from) * time.Minute))
		closes := w.reached(midnight.Add(time.Duration(w.to) * time.Minute))
		if !closes.After(opens) {
			closes = opens.Add(time.Duration(w.to-w.from) * time.Minute)
		}
		if from.Before(closes) {
			if from.Before(opens) {
				return opens
			}
			return from
		}
	}
	return time.Time{}
}

// mostAhead is more than clocks are ahead of UTC anywhere, or ever were.
const mostAhead = 16 * time.Hour

// reached gives the first moment at which a clock of the zone shows a reading, written as a time in
// UTC, or has passed it.
func (w Window) reached(reading time.Time) time.Time {
	for at := reading.Add(-mostAhead).In(w.loc); ; {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if !end.IsZero() && !end.After(at) {
			end = at.Add(48 * time.Hour) // Go 1.26 errs about the last day of a leap year after 2037
		}
		t := reading.Add(-time.Duration(offset) * time.Second)
		if t.Before(at) {
			t = at
		}
		if end.IsZero() || t.Before(end) {
			return t.In(w.loc)
		}
		at = end.In(w.loc)
	}
}

// Windows are open where one of them is. None at all are always open.
type Windows []Window

// Next gives the first time from another on at which one of the windows is open.
func (list Windows) Next(from time.Time) time.Time {
	first := from
	for i, w := range list {
		if at := w.Next(from); i == 0 || at.Before(first) {
			first = at
		}
	}
	return first
}

// mostCommon bounds the search for a time at which several are open.
const mostCommon = 15 * 24 * time.Hour

// Common gives the first time from another on at which all of several are open. Where they are not
// within two weeks, it gives the first time at which one of those that are not always open is.
func Common(from time.Time, several ...Windows) time.Time {
	for at := from; at.Before(from.Add(mostCommon)); {
		next := at
		for _, list := range several {
			next = list.Next(next)
		}
		if next.Equal(at) {
			return at
		}
		at = next
	}
	var first time.Time
	for _, list := range several {
		if at := list.Next(from); len(list) > 0 && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
