package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/render/fault"
	"github.com/rendered/rendered/watch/cron"
)

// textOf reads a text. A number or a word like true is taken as it is written where a text is meant anyway.
func (r *reader) textOf(n *yaml.Node, where string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Tag == "!!binary" {
		r.fault(n, where, "here must be a text, not "+kindOf(n))
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
		if ok && !form.MatchString(text) {
			r.fault(n, where, fmt.Sprintf("%q is not %s", short(text), what))
			return
		}
		*to = text
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
		r.fault(n, where, fmt.Sprintf("%q is not a duration", short(text)), "write it as 500ms, 30s, 5m or 1h30m")
		return 0, false
	case d < 0 || d > maxDuration:
		r.fault(n, where, "a duration is not negative and at most a year")
		return 0, false
	}
	return d, true
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
		if ok && d == 0 {
			r.fault(n, where, "this must be longer than nothing")
			return
		}
		*to = d
	}
}

// numberInto gives a field that reads a whole number within bounds.
func (r *reader) numberInto(to *int, least, most int) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < least || v > most {
			r.fault(n, where, fmt.Sprintf("here must be a whole number from %d to %d", least, most))
			return
		}
		*to = v
	}
}

// choiceInto gives a field that reads one of some words.
func (r *reader) choiceInto(to *string, words ...string) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		if ok && !slices.Contains(words, text) {
			r.fault(n, where, unknownWord(text, words))
			return
		}
		*to = text
	}
}

func unknownWord(text string, words []string) string {
	what := fmt.Sprintf("unknown %q", short(text))
	if near := fault.Near(text, words); near != "" {
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
			r.fault(n, where, fmt.Sprintf("%q: %v", short(text), err))
			return
		}
		*to = s
	}
}
