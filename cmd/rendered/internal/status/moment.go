package status

import (
	"fmt"
	"time"
)

// Moment gives a time of day of this machine, with the date.
func Moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// Since says how long ago a time was; "-" where it is not known.
func Since(now, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return ago(now, t) + " ago"
}

// Until says how far away a time is; "now" where it has come.
func Until(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "-"
	case !t.After(now):
		return "now"
	}
	return "in " + span(t.Sub(now))
}

func ago(now, t time.Time) string { return span(max(now.Sub(t), 0)) }

// span gives a time in its largest unit: 40s, 4m, 3h, 19d.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= 2*unit.of || d >= unit.of && unit.of == day {
			return fmt.Sprintf("%d%s", d/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
