package format

import "github.com/rendered/rendered/internal/fault/jsontext"

// checkJSON wants exactly one value in UTF-8 (RFC 8259, section 8.1), without keys that stand twice in an object.
func checkJSON(data []byte) *Error {
	_, err := jsontext.Check(data)
	if err == nil {
		return nil
	}
	what := err.Cause
	switch err.Cause {
	case jsontext.TooDeep:
		return limit(data, err.Offset, what)
	case jsontext.Control, jsontext.Escape:
		what += " (toJson writes them)"
	}
	return at(data, err.Offset, what)
}
