package format

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
)

func checkTOML(data []byte) *Error {
	var value map[string]any
	_, err := toml.Decode(string(data), &value)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[toml.ParseError](err); ok {
		return at(data, e.Position.Start, tomlCause(e.Message))
	}
	return &Error{}
}

// tomlCause says what some of the parser's texts, which quote, mean.
func tomlCause(text string) string {
	for _, c := range []struct{ part, what string }{
		{"already been defined", "a key stands twice"},
		{"already created", "a key stands twice"},
		{"expected value but found", "a text must be quoted (tomlQuote writes it), or a value is missing"},
		{"invalid escape", `a \ that means nothing (tomlQuote writes them)`},
		{"control characters are not allowed", "a control character (tomlQuote writes them)"},
		{"strings cannot contain newlines", "a line break between single-line quotes (tomlQuote writes them)"},
		{"unexpected EOF", "it ends too early"},
		{"invalid UTF-8", "a byte that is not UTF-8"},
	} {
		if strings.Contains(text, c.part) {
			return c.what
		}
	}
	return ""
}
