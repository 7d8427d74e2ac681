package packaging_test

import (
	"fmt"
	"strings"
	"testing"
)

// matches tells whether EventBridge hands an event to a rule, for the part of its language that the
// rules here need: exact strings and {"prefix": …}. What else stands in a pattern is an error, not
// a guess.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
func matches(pattern, event map[string]any) (bool, error) {
	all := true
	for name, want := range pattern {
		one, err := fieldMatches(want, event[name])
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		// It does not end at once: a fault in the rest of the pattern is to be found whatever the
		// event.
		all = all && one
	}
	return all, nil
}

// fieldMatches takes a pattern's object for what the event has nested, and its list for
// alternatives. A field that is not there is nil.
func fieldMatches(want, got any) (bool, error) {
	switch want := want.(type) {
	case map[string]any:
		nested, _ := got.(map[string]any)
		return matches(want, nested)
	case []any:
		return anyMatches(want, got)
	}
	return false, fmt.Errorf("%T where EventBridge takes an object or a list", want)
}

// anyMatches looks for one alternative that holds; where the event has a list, for one of its
// elements.
func anyMatches(alternatives []any, got any) (bool, error) {
	values, isList := got.([]any)
	if !isList {
		values = []any{got}
	}
	found := false
	for _, alternative := range alternatives {
		for _, value := range values {
			one, err := valueMatches(alternative, value)
			if err != nil {
				return false, err
			}
			found = found || one
		}
	}
	return found, nil
}

func valueMatches(alternative, value any) (bool, error) {
	text, isText := value.(string)
	switch alternative := alternative.(type) {
	case string:
		return isText && text == alternative, nil
	case map[string]any:
		prefix, ok := alternative["prefix"].(string)
		if !ok || len(alternative) != 1 {
			return false, fmt.Errorf("%v is not known here", alternative)
		}
		return isText && strings.HasPrefix(text, prefix), nil
	}
	return false, fmt.Errorf("%T is not known here", alternative)
}

func TestMatches(t *testing.T) {
	event := object(t, `{"source": "aws.ssm", "resources": ["a", "bc"], "count": 1, "detail": {"name": "/prod/x"}}`)
	for _, tt := range []struct {
		pattern string
		want    bool
	}{
		{`{}`, true},
		{`{"source": ["aws.ssm"]}`, true},
		{`{"source": ["aws.ec2", "aws.ssm"]}`, true},
		{`{"source": ["aws.ss"]}`, false},
		{`{"source": ["AWS.SSM"]}`, false},
		{`{"source": []}`, false},
		{`{"source": [{"prefix": "aws."}]}`, true},
		{`{"source": [{"prefix": ""}]}`, true},
		{`{"source": [{"prefix": "ssm"}]}`, false},
		{`{"resources": [{"prefix": "b"}]}`, true},
		{`{"resources": ["b"]}`, false},
		{`{"absent": [{"prefix": ""}]}`, false},
		{`{"count": [{"prefix": ""}]}`, false},
		{`{"detail": {"name": ["/prod/x"]}}`, true},
		{`{"detail": {"name": ["/prod/x"], "type": ["String"]}}`, false},
		{`{"source": {"name": ["aws.ssm"]}}`, false},
		{`{"source": ["aws.ssm"], "detail": {"name": ["/"]}}`, false},
	} {
		if got, err := matches(object(t, tt.pattern), event); err != nil || got != tt.want {
			t.Errorf("%s: %v, %v; want %v", tt.pattern, got, err, tt.want)
		}
	}
}

func TestMatchesOnlyWhatItKnows(t *testing.T) {
	event := object(t, `{"source": "aws.ssm"}`)
	for _, pattern := range []string{
		`{"source": "aws.ssm"}`,
		`{"source": [{"suffix": "ssm"}]}`,
		`{"source": [{"prefix": {"equals-ignore-case": "AWS"}}]}`,
		`{"source": [{"prefix": "aws", "suffix": "ssm"}]}`,
		`{"detail": {"count": [1]}}`,
	} {
		if got, err := matches(object(t, pattern), event); err == nil {
			t.Errorf("%s: %v, want an error", pattern, got)
		}
	}
}
