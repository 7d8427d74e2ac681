package cron

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func mustParse(t *testing.T, text string) Schedule {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ schedule, after, want string }{
		{"CRON_TZ=UTC */5 * * * *", "2027-01-01T10:02:03Z", "2027-01-01T10:05:00Z"},
		{"CRON_TZ=UTC */5 * * * *", "2027-01-01T10:05:00Z", "2027-01-01T10:10:00Z"},
		{"@every 90s", "2027-01-01T10:00:00.5Z", "2027-01-01T10:01:30.5Z"},
		{"TZ=UTC @hourly", "2027-01-01T10:00:00Z", "2027-01-01T11:00:00Z"},
		{"CRON_TZ=UTC 0 0 29 2 *", "2027-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"CRON_TZ=UTC 0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"CRON_TZ=UTC 0 9 * * 7", "2027-01-01T00:00:00Z", "2027-01-03T09:00:00Z"},
		{"CRON_TZ=UTC 0 9 * * 5-7", "2027-01-02T10:00:00Z", "2027-01-03T09:00:00Z"},
		{"CRON_TZ=UTC 0 9 * * 1,7", "2027-01-02T10:00:00Z", "2027-01-03T09:00:00Z"},
		{"CRON_TZ=UTC 0 9 * * sat-7", "2027-01-02T10:00:00Z", "2027-01-03T09:00:00Z"},
		{"CRON_TZ=UTC 0 9 * * */7", "2027-01-01T00:00:00Z", "2027-01-03T09:00:00Z"},

		{"CRON_TZ=UTC 0 9 1 * 5", "2027-01-02T00:00:00Z", "2027-01-08T09:00:00Z"},
		{"CRON_TZ=UTC 0 9 * * 1-7/3", "2027-01-02T10:00:00Z", "2027-01-03T09:00:00Z"},
		{"CRON_TZ=America/New_York 0 * * 8 *", "2040-09-05T00:00:00Z", "2041-08-01T04:00:00Z"},

		// Spring in Berlin: 02:00 becomes 03:00 on 2027-03-28, at 01:00 UTC.
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z"},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"},
		{"CRON_TZ=Europe/Berlin 0,30 2 * * *", "2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z"},
		{"CRON_TZ=Europe/Berlin */30 * * * *", "2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z"},
		// Autumn in Berlin: 03:00 becomes 02:00 on 2027-10-31, at 01:00 UTC.
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2027-10-30T12:00:00Z", "2027-10-31T00:30:00Z"},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2027-10-31T01:15:00Z", "2027-11-01T01:30:00Z"},
		{"CRON_TZ=Europe/Berlin */30 * * * *", "2027-10-31T00:30:00Z", "2027-10-31T01:00:00Z"},
		{"CRON_TZ=Europe/Berlin */30 * * * *", "2027-10-31T01:00:00Z", "2027-10-31T01:30:00Z"},
		// Lord Howe moves by half an hour: 02:00 becomes 02:30 on 2027-10-03, at 15:30 UTC the day
		// before.
		{"CRON_TZ=Australia/Lord_Howe 15 2 * * *", "2027-10-02T00:00:00Z", "2027-10-02T15:30:00Z"},
		{"CRON_TZ=Australia/Lord_Howe 7,43 */3 * * *", "2017-04-01T15:50:00Z", "2017-04-01T16:37:00Z"},
		{"CRON_TZ=UTC\t0 9 * * fri-sun", "2027-01-02T10:00:00Z", "2027-01-03T09:00:00Z"},
		{"CRON_TZ=America/New_York 30 1 * * *", "2027-11-07T04:00:00Z", "2027-11-07T05:30:00Z"},
		{"CRON_TZ=America/New_York 30 1 * * *", "2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z"},
	} {
		after, err := time.Parse(time.RFC3339Nano, c.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustParse(t, c.schedule).Next(after).UTC().Format(time.RFC3339Nano); got != c.want {
			t.Errorf("%s after %s: %s, want %s", c.schedule, c.after, got, c.want)
		}
	}
}

// A year with both its nights: a daily schedule runs once on each of 365 days, a running one as
// often as the clock moves on.
func TestYearWithItsTwoNights(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "UTC"} {
		for text, want := range map[string]int{"30 2 * * *": 365, "30 1 * * *": 365, "15 * * * *": 365 * 24, "*/15 * * * *": 365 * 96} {
			s := mustParse(t, "CRON_TZ="+zone+" "+text)
			end := time.Date(2028, 1, 1, 0, 0, 0, 0, s.Location())
			n := 0
			for at := s.Next(time.Date(2026, 12, 31, 23, 59, 59, 0, s.Location())); at.Before(end); at = s.Next(at) {
				n++
			}
			if n != want {
				t.Errorf("%s %s: %d times, want %d", zone, text, n, want)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "five fields",
		"CRON_TZ=UTC":               "five fields",
		"CRON_TZ=Nowhere * * * * *": "time zone",
		"* * * *":                   "not 4",
		"60 * * * *":                "minute",
		"* 24 * * *":                "hour, \"24\", is not understood; it takes 0 to 23",
		"* * 0 * *":                 "day of the month",
		"* * * 13 *":                "month",
		"* * * * 8":                 "day of the week",
		"* * * * 7-8":               "day of the week",
		"* * * * 7/2":               "day of the week",
		"* * * * 5-2,7":             "day of the week",
		"* * * * 7,x":               "day of the week",
		"* * * * 7,*/0":             "day of the week",
		"0 0 31 2 *":                "never comes",
		"0 0 31 4,6 *":              "never comes",
		"@every 5":                  "period",
		"@every 500ms":              "whole number of seconds",
		"@every -5s":                "whole number of seconds",
		"@fortnightly":              "none of",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestPerDay(t *testing.T) {
	for text, want := range map[string]float64{
		"@every 1m": 1440, "CRON_TZ=UTC */5 * * * *": 288, "CRON_TZ=UTC 0 3 * * *": 1, "CRON_TZ=UTC 0 3 * * 1": 1.0 / 7, "CRON_TZ=UTC 0 0 1 1 *": 1.0 / 365,
	} {
		if got := mustParse(t, text).PerDay(); got < want*0.85 || got > want*1.15 {
			t.Errorf("%s: %v a day, want %v", text, got, want)
		}
	}
}

// Whatever the text, Parse returns; and what it accepts moves on.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"*/5 * * * *", "CRON_TZ=UTC", "0 0 31 2 *", "@every 1m", "TZ=Europe/Berlin 30 2 * * 5-7/2", "CRON_TZ=UTC @hourly", "1-2/3,4 * ? * sun", "* * * * */7"} {
		f.Add(text, int64(1800000000))
	}
	f.Fuzz(func(t *testing.T, text string, second int64) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		after := time.Unix(second%(1<<33), 0)
		next := s.Next(after)
		if !next.After(after) || next.Sub(after) > 9*366*24*time.Hour {
			t.Errorf("%q after %v: %v", text, after, next)
		}
	})
}
