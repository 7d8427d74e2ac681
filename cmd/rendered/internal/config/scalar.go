package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/cron"
)

// textOf reads a text. A number or a word like true is taken as it is written where a text is meant anyway.
func (r *reader) textOf(n *yaml.Node, where string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		hints := r.quoteHint(n)
		if n.Kind == yaml.AliasNode {
			hints = []string{aliasHint}
		}
		r.fault(n, where, "here must be a text, not "+kindOf(n), hints...)
		return "", false
	}
	if n.Value == "" {
		r.fault(n, where, "here must be a text, and it is empty")
		return "", false
	}
	if strings.ContainsRune(n.Value, 0) {
		r.fault(n, where, "a text must not hold a zero byte")
		return "", false
	}
	return n.Value, true
}

// into gives a field that reads a text.
func (r *reader) into(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		if text, ok := r.textOf(n, where); ok {
			*to = text
		}
	}
}

// matching gives a field that reads a text of a certain form.
func (r *reader) matching(to *string, form *regexp.Regexp, what string) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		switch {
		case !ok:
		case !form.MatchString(text):
			r.fault(n, where, fmt.Sprintf("%q is not %s", short(text), what))
		default:
			*to = text
		}
	}
}

// short bounds what is quoted of a config.
func short(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

// maxDuration keeps sums of times within what time can hold.
const maxDuration = 366 * 24 * time.Hour

func (r *reader) durationOf(n *yaml.Node, where string) (time.Duration, bool) {
	text, ok := r.textOf(n, where)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		r.fault(n, where, fmt.Sprintf("%q is not a duration", short(text)), durationHint(text))
		return 0, false
	case d < 0 || d > maxDuration:
		r.fault(n, where, "a duration is not negative and at most a year")
		return 0, false
	}
	return d, true
}

var (
	bareNumber = regexp.MustCompile(`^[0-9]+$`)
	days       = regexp.MustCompile(`^[0-9]+ ?d(ays?)?$`)
)

func durationHint(text string) string {
	switch {
	case bareNumber.MatchString(text):
		return "it needs a unit, as " + short(text) + "s, " + short(text) + "m or " + short(text) + "ms"
	case days.MatchString(text):
		return "a day is 24h"
	}
	return "write it as 500ms, 30s, 5m or 1h30m"
}

func (r *reader) durationInto(to *time.Duration) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		if d, ok := r.durationOf(n, where); ok {
			*to = d
		}
	}
}

// positiveInto is durationInto for times that must not be zero.
func (r *reader) positiveInto(to *time.Duration) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		d, ok := r.durationOf(n, where)
		switch {
		case !ok:
		case d == 0:
			r.fault(n, where, "this must be longer than nothing")
		default:
			*to = d
		}
	}
}

// numberInto gives a field that reads a whole number within bounds.
func (r *reader) numberInto(to *int, least, most int) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < least || v > most {
			what := fmt.Sprintf("here must be a whole number from %d to %d", least, most)
			if n.Tag != "!!int" {
				what += ", not " + kindOf(n)
			}
			r.fault(n, where, what)
			return
		}
		*to = v
	}
}

// maxContent is the most that a file may be allowed to hold.
const maxContent = 1 << 30

var (
	sizePattern = regexp.MustCompile(`^([1-9][0-9]{0,9}) ?(|KiB|MiB|GiB)$`)
	units       = map[string]int{"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
)

// sizeInto gives a field that reads a number of bytes.
func (r *reader) sizeInto(to *int) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		if !ok {
			return
		}
		m := sizePattern.FindStringSubmatch(text)
		if m == nil {
			r.fault(n, where, fmt.Sprintf("%q is not a size", short(text)), "write it as 64KiB, 16MiB, 1GiB or a number of bytes")
			return
		}
		count, err := strconv.Atoi(m[1])
		if err != nil || count > maxContent/units[m[2]] {
			r.fault(n, where, fmt.Sprintf("%q is too large; the most is 1GiB", short(text)))
			return
		}
		*to = count * units[m[2]]
	}
}

// truthInto gives a field that reads true or false.
func (r *reader) truthInto(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			r.fault(n, where, "here must be true or false, not "+kindOf(n))
			return
		}
		_ = n.Decode(to) // the tag says that it can be
	}
}

// choiceInto gives a field that reads one of some words.
func (r *reader) choiceInto(to *string, words ...string) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		switch {
		case !ok:
		case !slices.Contains(words, text):
			r.fault(n, where, unknownWord(text, words))
		default:
			*to = text
		}
	}
}

// meantWords are words that people use for the ones of choices.
var meantWords = map[string]string{
	"yml": "yaml", "env": "dotenv", "conf": "ini", "crt": "pem", "key": "pem", "warning": "warn", "err": "error", "trace": "debug",
}

func unknownWord(text string, words []string) string {
	what := fmt.Sprintf("unknown %q", short(text))
	near := meantWords[strings.ToLower(text)]
	if !slices.Contains(words, near) {
		near = fault.Near(strings.ToLower(text), words)
	}
	if near != "" {
		return what + fmt.Sprintf("; did you mean %q?", near)
	}
	return what + "; one of " + strings.Join(words, ", ")
}

func (r *reader) scheduleInto(to *cron.Schedule) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		if !ok {
			return
		}
		s, err := cron.Parse(text)
		if err != nil {
			r.fault(n, where, fmt.Sprintf("%q: %v", short(text), err), scheduleHint(text)...)
			return
		}
		*to = s
	}
}

// scheduleHint says how to write a period.
func scheduleHint(text string) []string {
	period := strings.TrimSpace(strings.TrimPrefix(text, "every"))
	if bareNumber.MatchString(period) {
		period += "s"
	}
	if d, err := time.ParseDuration(period); err == nil && d >= time.Second {
		return []string{fmt.Sprintf("write schedule: %q", "@every "+period)}
	}
	return nil
}
