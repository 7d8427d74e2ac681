package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/watch/cron"
)

// textOf reads a text. A number or a word like true is taken as it is written where a text is meant
// anyway.
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

// A refusal says why a text is not what is meant.
type refusal struct {
	what  string
	hints []string
}

func refuse(what string, hints ...string) *refusal { return &refusal{what, hints} }

// parsed gives what reads a text and parses it.
func parsed[T any](r *reader, parse func(text string) (T, *refusal)) func(*yaml.Node, string) (T, bool) {
	return func(n *yaml.Node, where string) (v T, ok bool) {
		text, ok := r.textOf(n, where)
		if !ok {
			return v, false
		}
		v, refused := parse(text)
		if refused != nil {
			r.fault(n, where, refused.what, refused.hints...)
		}
		return v, refused == nil
	}
}

// A form is a regular expression that keeps its text.
type form struct {
	*lazyregexp.Regexp
	text string
}

func newForm(text string) form { return form{lazyregexp.New(text), text} }

// matching parses a text of a certain form.
func matching(form form, what string) func(string) (string, *refusal) {
	return func(text string) (string, *refusal) {
		if !form.MatchString(text) {
			return "", refuse(fmt.Sprintf("%q is not %s", short(text), what))
		}
		return text, nil
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

func parseDuration(text string) (time.Duration, *refusal) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, refuse(fmt.Sprintf("%q is not a duration", short(text)), durationHint(text))
	case strings.HasPrefix(text, "-") || d > maxDuration:
		return 0, refuse("a duration is not negative and at most a year")
	}
	return d, nil
}

// parsePositive is parseDuration of times that must not be zero.
func parsePositive(text string) (time.Duration, *refusal) {
	d, refused := parseDuration(text)
	if refused == nil && d == 0 {
		refused = refuse("this must be longer than nothing")
	}
	return d, refused
}

var (
	bareNumber = lazyregexp.New(`^[0-9]+$`)
	days       = lazyregexp.New(`^[0-9]+ ?d(ays?)?$`)
)

const asDuration = "write it as 500ms, 30s, 5m or 1h30m"

func durationHint(text string) string {
	switch {
	case bareNumber.MatchString(text):
		return "it needs a unit, as " + short(text) + "s, " + short(text) + "m or " + short(text) + "ms"
	case days.MatchString(text):
		return "a day is 24h"
	}
	return asDuration
}

// number reads a whole number within bounds.
func (r *reader) number(n *yaml.Node, where string, least, most int) (int, bool) {
	v, err := strconv.Atoi(n.Value)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" && err == nil && v >= least && v <= most {
		return v, true
	}
	what := fmt.Sprintf("here must be a whole number from %d to %d", least, most)
	if n.Tag != "!!int" {
		what += ", not " + kindOf(n)
	}
	r.fault(n, where, what)
	return 0, false
}

const asSize = "write it as 64KiB, 16MiB, 1GiB or a number of bytes"

// maxContent is the most that a file may be allowed to hold.
const maxContent = 1 << 30

var (
	sizePattern = newForm(`^([1-9][0-9]{0,9}) ?(|KiB|MiB|GiB)$`)
	units       = map[string]int{"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
)

// parseSize parses a number of bytes.
func parseSize(text string) (int, *refusal) {
	m := sizePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, refuse(fmt.Sprintf("%q is not a size", short(text)), asSize)
	}
	count, err := strconv.Atoi(m[1])
	if err != nil || count > maxContent/units[m[2]] {
		return 0, refuse(fmt.Sprintf("%q is too large; the most is 1GiB", short(text)))
	}
	return count * units[m[2]], nil
}

// truthOf reads true or false.
func (r *reader) truthOf(n *yaml.Node, where string) (truth, ok bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		r.fault(n, where, "here must be true or false, not "+kindOf(n))
		return false, false
	}
	return truth, n.Decode(&truth) == nil // the tag says that it can be
}

// oneOf parses one of some words.
func oneOf[T ~string](words ...T) func(string) (T, *refusal) {
	return func(text string) (T, *refusal) {
		if !slices.Contains(words, T(text)) {
			return "", refuse(unknownWord(text, words))
		}
		return T(text), nil
	}
}

// meantWords are words that people use for the ones of choices.
var meantWords = map[string]string{
	"yml": "yaml", "env": "dotenv", "conf": "ini", "java": "properties", "props": "properties", "crt": "pem", "key": "pem", "warning": "warn", "err": "error", "trace": "debug",
}

func unknownWord[T ~string](text string, list []T) string {
	words := make([]string, len(list))
	for i, word := range list {
		words[i] = string(word)
	}
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

func parseSchedule(text string) (cron.Schedule, *refusal) {
	s, err := cron.Parse(text)
	if err != nil {
		return s, refuse(fmt.Sprintf("%q: %v", short(text), err), scheduleHint(text)...)
	}
	return s, nil
}

// windowsOf reads a window, or a list of them.
func (r *reader) windowsOf(n *yaml.Node, where string) (list cron.Windows, _ bool) {
	r.oneOrMore(n, where, "a window", windowHint, func(n *yaml.Node, where string) {
		if w, ok := parsed(r, parseWindow)(n, where); ok {
			list = append(list, w)
		}
	})
	return list, true
}

const windowHint = `a window is days, two readings of the clock and a time zone, as "Mon-Fri 02:00-04:00 Europe/Berlin"`

func parseWindow(text string) (cron.Window, *refusal) {
	w, err := cron.ParseWindow(text)
	if err != nil {
		return w, refuse(fmt.Sprintf("%q: %v", short(text), err))
	}
	return w, nil
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
