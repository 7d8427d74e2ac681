package format

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/rendered/rendered/render/fault/yamltext"
)

var decodeLine = regexp.MustCompile(`line (\d+): `)

// checkYAML parses all documents, and decodes them: only then does the parser see keys that stand twice, and aliases inside what
// they name. Of its errors, which quote, only the line is used.
func checkYAML(data []byte) *Error {
	documents, err := yamltext.Documents(data)
	if err != nil {
		return atPlace(data, err.Line, err.Column, err.What)
	}
	for _, d := range documents {
		var value any
		err := d.Decode(&value)
		if err == nil {
			continue
		}
		what := ""
		switch text := err.Error(); {
		case strings.Contains(text, "already defined at line"):
			what = "a key stands twice in one map"
		case strings.Contains(text, "value contains itself"):
			what = "an alias stands inside what it names"
		case strings.Contains(text, "excessive aliasing"):
			what = "aliases of aliases make it too large"
		case strings.Contains(text, "!!binary"):
			what = "a !!binary is not base64"
		case strings.Contains(text, "invalid map key"):
			what = "a key is a map or a list"
		case strings.Contains(text, "map merge"):
			what = "<< merges what is no map"
		}
		if m := decodeLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ := strconv.Atoi(m[1])
			return atPlace(data, line, 0, what)
		}
		return &Error{What: what}
	}
	return nil
}
