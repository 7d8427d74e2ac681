package cron

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rendered/rendered/internal/lazyregexp"

	robfig "github.com/robfig/cron/v3"
)

// named are the schedules that have a word.
var named = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// The fields, in order, and how many of robfig's parser each is.
var fields = []struct {
	name   string
	option robfig.ParseOption
	values string
}{
	{"minute", robfig.Minute, "0 to 59"},
	{"hour", robfig.Hour, "0 to 23"},
	{"day of the month", robfig.Dom, "1 to 31"},
	{"month", robfig.Month, "1 to 12"},
	{"day of the week", robfig.Dow, "0 to 7"},
}

// notUnderstood says of a field which values it takes.
func notUnderstood(field int, text string) error {
	return fmt.Errorf("the field %s, %q, is not understood; it takes %s", fields[field].name, text, fields[field].values)
}

// maxEvery bounds @every, so that sums of times stay times.
const maxEvery = 366 * 24 * time.Hour

// Parse reads a schedule: five fields (minute, hour, day of the month, month, day of the week;
// Sunday is 0 or 7), @hourly and its kind, or @every with a period of whole seconds. CRON_TZ=Zone
// or TZ=Zone may stand before it. A schedule whose time never comes is an error.
func Parse(text string) (Schedule, error) {
	s := Schedule{text: text, loc: time.Local}
	rest := strings.TrimSpace(text)
	if zone, ok := strings.CutPrefix(strings.TrimPrefix(rest, "CRON_"), "TZ="); ok {
		zone, rest = word(zone)
		loc, err := time.LoadLocation(zone)
		if err != nil || zone == "" {
			return Schedule{}, fmt.Errorf("unknown time zone %q", zone)
		}
		s.loc = loc
	}
	if rest == "" {
		return Schedule{}, errors.New("a schedule has five fields, or is @every with a period")
	}
	if rest[0] == '@' {
		return parseWord(s, rest)
	}
	return parseFields(s, strings.Fields(rest))
}

// word cuts off the first word.
func word(text string) (first, rest string) {
	i := strings.IndexFunc(text, unicode.IsSpace)
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimSpace(text[i:])
}

func parseWord(s Schedule, text string) (Schedule, error) {
	if first, period := word(text); first == "@every" {
		d, err := time.ParseDuration(period)
		switch {
		case err != nil:
			return Schedule{}, errors.New("@every needs a period like 90s, 5m or 1h30m")
		case d < time.Second || d%time.Second != 0 || d > maxEvery:
			return Schedule{}, errors.New("the period of @every is a whole number of seconds, at least 1s and at most a year")
		}
		s.every = d
		return s, nil
	}
	spec, ok := named[text]
	if !ok {
		return Schedule{}, errors.New("it begins with @ but is none of @every @hourly @daily @midnight @weekly @monthly @yearly @annually")
	}
	return parseFields(s, strings.Fields(spec))
}

func parseFields(s Schedule, words []string) (Schedule, error) {
	if len(words) != len(fields) {
		return Schedule{}, fmt.Errorf("a schedule has five fields (minute, hour, day of the month, month, day of the week), not %d", len(words))
	}
	var err error
	if words[4], err = weekdays(words[4]); err != nil {
		return Schedule{}, err
	}
	var options robfig.ParseOption
	for i, f := range fields {
		options |= f.option
		if _, err := parse(f.option, words[i]); err != nil || !wellFormed.MatchString(words[i]) {
			return Schedule{}, notUnderstood(i, words[i])
		}
	}
	if s.spec, err = parse(options, strings.Join(words, " ")); err != nil {
		return Schedule{}, errors.New("the schedule is not understood")
	}
	s.fixed = !strings.ContainsAny(words[1], "*?/")
	if s.nextReading(time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, fmt.Errorf("a time that never comes: month %s has no day %s", words[3], words[2])
	}
	return s, nil
}

// wellFormed is stricter than robfig's parser, which takes "1,", "+5" and "*-5".
var wellFormed = lazyregexp.New(`^(?:\*|\?|\w+(?:-\w+)?)(?:/\d+)?(?:,(?:\*|\w+(?:-\w+)?)(?:/\d+)?)*$`)

// parse calls robfig's parser, whose panics become errors.
func parse(options robfig.ParseOption, text string) (spec *robfig.SpecSchedule, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the parser gave up")
		}
	}()
	if strings.ContainsRune(text, '=') {
		return nil, errors.New("no field holds a =")
	}
	parsed, err := robfig.NewParser(options).Parse(text)
	if err != nil {
		return nil, err
	}
	spec, ok := parsed.(*robfig.SpecSchedule)
	if !ok {
		return nil, errors.New("not fields")
	}
	spec.Location = time.UTC
	return spec, nil
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// weekdays rewrites the field for a parser that knows the days 0 to 6 only, and none after
// Saturday.
func weekdays(field string) (string, error) {
	if lower := strings.ToLower(field); !strings.Contains(field, "7") && !strings.Contains(lower, "-sun") {
		return field, nil
	}
	var days []string
	for part := range strings.SplitSeq(field, ",") {
		list := weekdayRange(part)
		if list == nil {
			return "", notUnderstood(4, field)
		}
		days = append(days, list...)
	}
	return strings.Join(days, ","), nil
}

// dayRange is N, N-M or *, each with an optional /step.
var dayRange = lazyregexp.New(`^(?:[*?]|(\w+)(?:-(\w+))?)(?:/0*([1-9][0-9]{0,8}))?$`)

// weekdayRange gives the days of one part of the field; none where it is not understood.
func weekdayRange(part string) (days []string) {
	m := dayRange.FindStringSubmatch(part)
	if m == nil {
		return nil
	}
	if m[2] == "" && m[3] == "" {
		m[2] = m[1]
	}
	from, to := weekday(m[1], 0), weekday(m[2], 6)
	if to == 0 && from > 0 {
		to = 7 // the Sunday at the end of the week
	}
	step, _ := strconv.Atoi(cmp.Or(m[3], "1"))
	for d := from; 0 <= from && d <= to; d += step {
		days = append(days, strconv.Itoa(d%7))
	}
	return days
}

// weekday gives the number of a day, -1 of none; of no text what is meant without one.
func weekday(text string, absent int) int {
	if text == "" {
		return absent
	}
	if i := slices.Index(dayNames, strings.ToLower(text)); i >= 0 {
		return i
	}
	if n, err := strconv.Atoi(text); err == nil && n <= 7 {
		return n
	}
	return -1
}
