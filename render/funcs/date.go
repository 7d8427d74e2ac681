package funcs

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A time is a text of RFC 3339 in UTC, or the seconds since 1970: it prints, compares and stands in
// JSON as any text does. Nothing here reads the clock, nor the zone of the machine.

// The seconds of the years 1 to 9999, which RFC 3339 can write.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

var wholeSeconds = lazyregexp.New(`^-?\d+$`)

// instant gives a value as a time in UTC.
func instant(name string, value any) (time.Time, error) {
	if written, ok := value.(string); ok && !wholeSeconds.MatchString(written) {
		t, err := time.Parse(time.RFC3339Nano, written)
		if err != nil {
			return t, failf("%s: this text is no time as 2026-11-29T14:05:00Z, nor a number of seconds; toDate LAYOUT TEXT reads others", name)
		}
		return inYears(name, t)
	}
	seconds, err := whole(name, value)
	if err != nil {
		return time.Time{}, err
	}
	if seconds < firstSecond || seconds > lastSecond {
		return time.Time{}, outsideYears(name)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func outsideYears(name string) error {
	return failf("%s: the time is not within the years 1 to 9999", name)
}

func inYears(name string, t time.Time) (time.Time, error) {
	if t = t.UTC(); t.Unix() < firstSecond || t.Unix() > lastSecond {
		return t, outsideYears(name)
	}
	return t, nil
}

// layoutProbes are two times of which no part is written the same.
var layoutProbes = [2]time.Time{time.Date(2001, 2, 3, 4, 5, 6, 123456789, time.FixedZone("AB", 3600)), time.Date(2022, 12, 25, 17, 48, 59, 987654321, time.FixedZone("CDT", -7200))}

// laidOut refuses a layout that has no part of a time, as YYYY-MM-DD.
func laidOut(name, layout string) error {
	if layoutProbes[0].Format(layout) == layoutProbes[1].Format(layout) {
		return failf("%s: the layout has no part of a time; it shows how 15:04:05 on 2 January 2006 is written, as 2006-01-02T15:04:05Z07:00", name)
	}
	return nil
}

func date(layout string, at any) (string, error) { return dated("date", layout, at, "UTC") }

func dateInZone(layout string, at any, zone string) (string, error) {
	return dated("dateInZone", layout, at, zone)
}

func htmlDate(at any) (string, error) { return dated("htmlDate", time.DateOnly, at, "UTC") }

func htmlDateInZone(at any, zone string) (string, error) {
	return dated("htmlDateInZone", time.DateOnly, at, zone)
}

func dated(name, layout string, at any, zone string) (string, error) {
	if err := laidOut(name, layout); err != nil {
		return "", err
	}
	t, err := instant(name, at)
	if err != nil {
		return "", err
	}
	where, err := time.LoadLocation(zone)
	if err != nil || zone == "" || strings.EqualFold(zone, "local") {
		return "", failf("%s: there is no such time zone; Europe/Berlin and UTC are some", name)
	}
	return t.In(where).Format(layout), nil
}

// toDate reads a text by a layout. Where that has no zone the time is one of UTC.
func toDate(layout, text string) (string, error) {
	if err := laidOut("toDate", layout); err != nil {
		return "", err
	}
	t, err := time.ParseInLocation(layout, text, time.UTC)
	if err != nil {
		return "", Error("toDate: the text is not as the layout has it")
	}
	if t, err = inYears("toDate", t); err != nil {
		return "", err
	}
	return t.Format(time.RFC3339Nano), nil
}

func dateModify(by string, at any) (string, error) {
	t, err := instant("dateModify", at)
	if err != nil {
		return "", err
	}
	d, err := time.ParseDuration(by)
	if err != nil {
		return "", Error("dateModify: this is no duration as -1.5h or 2h45m")
	}
	if t, err = inYears("dateModify", t.Add(d)); err != nil {
		return "", err
	}
	return t.Format(time.RFC3339Nano), nil
}

func unixEpoch(at any) (string, error) {
	t, err := instant("unixEpoch", at)
	return strconv.FormatInt(t.Unix(), 10), err
}

// duration writes a number of seconds as 1h2m3s.
func duration(seconds any) (string, error) {
	n, err := whole("duration", seconds)
	if err != nil {
		return "", err
	}
	if n > math.MaxInt64/int64(time.Second) || n < math.MinInt64/int64(time.Second) {
		return "", Error("duration: these are more than 292 years")
	}
	return (time.Duration(n) * time.Second).String(), nil
}

// roundUnits are those of durationRound, the largest first.
var roundUnits = []struct {
	name string
	unit time.Duration
}{
	{"y", 365 * 24 * time.Hour}, {"mo", 30 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second},
}

// durationRound gives the whole number of the largest unit that a duration has: of a text as
// 1h2m3s, or of nanoseconds.
func durationRound(value any) (string, error) {
	var d time.Duration
	if written, ok := value.(string); ok {
		var err error
		if d, err = time.ParseDuration(written); err != nil {
			return "", Error("durationRound: this is no duration as 1h2m3s")
		}
	} else {
		n, err := whole("durationRound", value)
		if err != nil {
			return "", err
		}
		d = time.Duration(n)
	}
	length := d.Abs()
	for _, u := range roundUnits {
		if length > u.unit {
			return strconv.FormatInt(int64(length/u.unit), 10) + u.name, nil
		}
	}
	return "0s", nil
}
