package cron

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseWindow(t *testing.T) {
	for text, fault := range map[string]string{
		"Mon-Fri 02:00-04:00 Europe/Berlin":  "",
		"02:00-04:00":                        "",
		"sat,SUN 22:00-02:00 UTC":            "",
		"Fri-Mon 00:00-24:00":                "",
		"Mon,Wed-Fri 02:00-04:00 Etc/GMT+12": "",
		" 02:00-04:00 ":                      "",
		"":                                   "a window is days",
		"2:00-4:00":                          "a window is days",
		"Mon 02:00 04:00":                    "a window is days",
		"Montag 02:00-04:00":                 "is not understood",
		"Mon-Mux 02:00-04:00":                "is not understood",
		"Mon, 02:00-04:00":                   "is not understood",
		"02:60-04:00":                        "no readings of a clock",
		"02:00-24:01":                        "no readings of a clock",
		"24:00-02:00":                        "no readings of a clock",
		"02:00-02:00":                        "closes when it opens",
		"02:00-04:00 Europe/Berln":           `unknown time zone "Europe/Berln"`,
		"02:00-04:00 ../../etc/passwd":       "a window is days",
		"02:00-04:00 Europe/../UTC":          "a window is days",
	} {
		w, err := ParseWindow(text)
		switch {
		case fault == "" && (err != nil || w.String() != text):
			t.Errorf("%q: %v", text, err)
		case fault != "" && (err == nil || !strings.Contains(err.Error(), fault)):
			t.Errorf("%q: %v, want %q", text, err, fault)
		}
	}
}

// Nights when clocks change, one by one.
func TestWindowWhereClocksChange(t *testing.T) {
	for _, c := range []struct{ window, from, want string }{
		{"02:00-04:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00"}, // 02:00 is skipped
		{"02:30-04:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00"},
		{"01:30-02:30 Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:59:59+01:00"},
		{"01:30-02:30 Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T01:30:00+02:00"}, // it closed at 03:00
		// A night that is skipped whole: an hour from the first moment on.
		{"Sun 02:00-03:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00"},
		{"Sun 02:00-03:00 Europe/Berlin", "2026-03-29T01:59:59Z", "2026-03-29T03:59:59+02:00"},
		{"Sun 02:00-03:00 Europe/Berlin", "2026-03-29T02:00:00Z", "2026-04-05T02:00:00+02:00"},
		// 02:30 comes twice: it opens the first time, and closes the first time.
		{"02:30-04:00 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00"},
		{"02:30-04:00 Europe/Berlin", "2026-10-25T01:15:00Z", "2026-10-25T02:15:00+01:00"}, // open since
		{"01:00-02:30 Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:00:00+01:00"},
		{"02:10-02:20 Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T02:10:00+01:00"},
		// Over midnight, and days.
		{"Fri 22:00-02:00 UTC", "2026-11-28T01:59:59Z", "2026-11-28T01:59:59Z"},
		{"Fri 22:00-02:00 UTC", "2026-11-28T02:00:00Z", "2026-12-04T22:00:00Z"},
		{"Mon-Fri 02:00-04:00 UTC", "2026-11-27T04:00:00Z", "2026-11-30T02:00:00Z"},
		// Samoa had no 30 December 2011, a Friday.
		{"Fri 02:00-04:00 Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-31T00:00:00+14:00"},
		{"Fri 02:00-04:00 Pacific/Apia", "2011-12-30T12:00:00Z", "2012-01-06T02:00:00+14:00"},
	} {
		w, err := ParseWindow(c.window)
		if err != nil {
			t.Fatal(err)
		}
		from, _ := time.Parse(time.RFC3339, c.from)
		if got := w.Next(from).In(w.loc).Format(time.RFC3339); got != c.want {
			t.Errorf("%s from %s: %s, want %s", c.window, c.from, got, c.want)
		}
	}
}

// zones gives the names of all zones of the machine's database.
func zones(t *testing.T) (names []string) {
	const root = "/usr/share/zoneinfo"
	_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err == nil && d.IsDir() && (name == "posix" || name == "right") {
			return filepath.SkipDir
		}
		if err == nil && d.Type().IsRegular() && name[0] >= 'A' && name[0] <= 'Z' {
			if _, err := time.LoadLocation(name); err == nil {
				names = append(names, name)
			}
		}
		return nil
	})
	if len(names) < 300 {
		t.Skipf("%d zones in %s", len(names), root)
	}
	return names
}

// A walk is what a clock shows, minute by minute.
type walk struct {
	begin   time.Time
	shown   []time.Time // readings, written as times in UTC
	reached []time.Time // the latest reading so far
}

func newWalk(begin time.Time, loc *time.Location, minutes int) (w walk) {
	w.begin = begin
	var latest time.Time
	for i := range minutes {
		reading := wall(begin.Add(time.Duration(i) * time.Minute).In(loc))
		if reading.After(latest) {
			latest = reading
		}
		w.shown, w.reached = append(w.shown, reading), append(w.reached, latest)
	}
	return w
}

// first gives the number of the first minute at which the clock has reached a reading; -1 in none.
func (w walk) first(reading time.Time) int {
	for i, latest := range w.reached {
		if !latest.Before(reading) {
			return i
		}
	}
	return -1
}

// open says of each minute whether the window is open.
func (w walk) open(of Window) []bool {
	open := make([]bool, len(w.shown))
	last := w.reached[len(w.reached)-1]
	for day := w.reached[0].Truncate(24*time.Hour).AddDate(0, 0, -2); day.Before(last.AddDate(0, 0, 2)); day = day.AddDate(0, 0, 1) {
		from, to := w.first(day.Add(time.Duration(of.from)*time.Minute)), w.first(day.Add(time.Duration(of.to)*time.Minute))
		if !of.days[day.Weekday()] || from < 0 {
			continue
		}
		if to < 0 {
			to = len(open)
		}
		if to == from && from > 0 {
			to = from + of.to - of.from
		}
		for i := from; i < min(to, len(open)); i++ {
			open[i] = true
		}
	}
	return open
}

// TestWindowAgainstAWalk holds windows against a clock that is looked at minute by minute, around
// the changes of all zones.
func TestWindowAgainstAWalk(t *testing.T) {
	chance := rand.New(rand.NewPCG(7, 8))
	years, walked := []int{2011, 2026, 2040}, 0
	seen := make(map[string]bool)
	for _, name := range zones(t) {
		loc, _ := time.LoadLocation(name)
		for _, year := range years {
			at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			for {
				_, end := at.In(loc).ZoneBounds()
				if end.IsZero() || end.Year() > year || !end.After(at) {
					break
				}
				at = end
				_, before := end.Add(-time.Second).In(loc).Zone()
				_, after := end.In(loc).Zone()
				key := fmt.Sprint(end.Unix(), before, after)
				if !seen[key] && before != after {
					seen[key] = true
					walked++
					againstAWalk(t, name, loc, end, chance)
				}
			}
		}
	}
	if walked < 100 {
		t.Errorf("%d changes", walked)
	}
	t.Logf("%d changes", walked)
}

// againstAWalk tries windows around one change of a zone's clocks.
func againstAWalk(t *testing.T, name string, loc *time.Location, change time.Time, chance *rand.Rand) {
	const days = 6
	w := newWalk(change.Truncate(time.Minute).Add(-days/2*24*time.Hour), loc, days*minutesOfDay)
	near := wall(change.In(loc))
	around := 60*near.Hour() + near.Minute()
	for range 6 {
		from := (around + chance.IntN(300) - 180 + minutesOfDay) % minutesOfDay
		to := (from + 1 + chance.IntN([]int{30, 240, minutesOfDay - 1}[chance.IntN(3)])) % minutesOfDay
		if to == from {
			continue
		}
		span := Window{from: from, to: to, loc: loc}
		for day := range span.days {
			span.days[day] = chance.IntN(3) > 0
		}
		span.days[(change.In(loc).Weekday()+time.Weekday(chance.IntN(3))+6)%7] = true
		if to < from {
			span.to += minutesOfDay
		}
		open := w.open(span)
		// The first two days are left out: what opened before them is not known. So is what opens
		// after the last.
		for i := 2 * minutesOfDay; i < len(open)-minutesOfDay; i += 1 + chance.IntN(40) {
			want := i
			for want < len(open) && !open[want] {
				want++
			}
			at := w.begin.Add(time.Duration(i) * time.Minute)
			got := span.Next(at)
			if want == len(open) {
				if got.Before(w.begin.Add(time.Duration(want) * time.Minute)) {
					t.Fatalf("%s, %s, %v: from %s it is open at %s, and never is", name, clock(span), span.days, at.In(loc), got)
				}
				continue
			}
			if !got.Equal(w.begin.Add(time.Duration(want) * time.Minute)) {
				t.Fatalf("%s, %s, %v: from %s it is open at %s, not %s", name, clock(span), span.days, at.In(loc), got, w.begin.Add(time.Duration(want)*time.Minute).In(loc))
			}
		}
	}
}

func clock(w Window) string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", w.from/60, w.from%60, w.to%minutesOfDay/60, w.to%60)
}

// Several are open together at the first time at which each is, or one after the other.
func TestCommonWindow(t *testing.T) {
	parse := func(texts ...string) (list Windows) {
		for _, text := range texts {
			w, err := ParseWindow(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, w)
		}
		return list
	}
	noon := time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC) // a Sunday
	for _, c := range []struct {
		several []Windows
		want    string
	}{
		{nil, "29 12:00"},
		{[]Windows{nil, nil}, "29 12:00"},
		{[]Windows{parse("02:00-04:00 UTC"), nil}, "30 02:00"},
		{[]Windows{parse("02:00-04:00 UTC"), parse("03:00-05:00 UTC")}, "30 03:00"},
		{[]Windows{parse("03:00-05:00 UTC"), parse("Tue 02:00-04:00 UTC")}, "01 03:00"},
		{[]Windows{parse("Mon 02:00-04:00 UTC", "Sun 11:00-13:00 UTC"), nil}, "29 12:00"},
		{[]Windows{parse("Mon 02:00-04:00 UTC"), parse("Tue 02:00-04:00 UTC"), nil}, "30 02:00"}, // never together
	} {
		if got := Common(noon, c.several...).Format("02 15:04"); got != c.want {
			t.Errorf("%v: %s, want %s", c.several, got, c.want)
		}
	}
}
