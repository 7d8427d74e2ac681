package yamltext

import (
	"bytes"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// yaml.v3 refuses two things of YAML 1.2 that libyaml reads: the directive %YAML 1.2, and \/
// between double quotes, which PHP and others write in JSON. Both are parsed as something of YAML
// 1.1 that is as long, so that places stay right.

// modern parses a text that may have them.
func (p *parser) modern(text []byte) ([]*yaml.Node, error) {
	documents, err := p.decode(text)
	if err == nil {
		return documents, nil
	}
	if older := olderVersion(text); older != nil {
		if text = older; strings.Contains(err.Error(), "incompatible YAML document") {
			documents, err = p.decode(text)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "unknown escape character") {
		return documents, err
	}
	s := standInFor(text)
	if s == nil {
		return nil, err
	}
	documents, again := p.decode(s.put(text))
	if again != nil {
		return nil, again
	}
	for _, d := range documents {
		s.takeBack(d)
	}
	return documents, nil
}

var version12 = regexp.MustCompile(`^%YAML[ \t]+1\.2[ \t]*(?:#.*)?\r?\n?$`)

// olderVersion gives the text with %YAML 1.1 for %YAML 1.2, where a document may begin; nil where
// that stands nowhere.
func olderVersion(text []byte) []byte {
	if !bytes.Contains(text, []byte("%YAML")) {
		return nil
	}
	var older []byte
	at, begins := 0, true
	for line := range bytes.Lines(text) {
		if begins && version12.Match(line) {
			if older == nil {
				older = bytes.Clone(text)
			}
			older[at+bytes.IndexByte(line, '.')+1] = '1'
		}
		word := bytes.TrimRight(line, " \t\r\n")
		begins = bytes.Equal(word, []byte("...")) || begins && (len(word) == 0 || word[0] == '#' || word[0] == '%')
		at += len(line)
	}
	return older
}

// A standIn is an escape that a text does not hold and yaml.v3 knows. It stands for \/ where the
// text is parsed.
type standIn struct {
	escape string // where \ is no escape the two stay as they are
	char   string // what it becomes between double quotes
}

var standIns = []standIn{{`\v`, "\v"}, {`\a`, "\a"}, {`\e`, "\x1b"}, {`\f`, "\f"}, {`\b`, "\b"}}

// standInFor gives nil where the text has no \/, or everything that could stand for it.
func standInFor(text []byte) *standIn {
	if !bytes.Contains(text, []byte(`\/`)) {
		return nil
	}
	for _, s := range standIns {
		code := regexp.MustCompile(`(?i)\\(x|u00|U000000)` + hex(s.char[0]))
		if !bytes.Contains(text, []byte(s.escape)) && !code.Match(text) {
			return &s
		}
	}
	return nil
}

func hex(c byte) string { return string([]byte{"0123456789abcdef"[c>>4], "0123456789abcdef"[c&15]}) }

// put gives the text with the escape for \/. The \ of \\/ is escaped itself.
func (s *standIn) put(text []byte) []byte {
	text = bytes.Clone(text)
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; i < len(text) && text[i] == '/' {
			text[i] = s.escape[1]
		}
	}
	return text
}

// takeBack puts into the nodes what was written.
func (s *standIn) takeBack(n *yaml.Node) {
	if n.Style&yaml.DoubleQuotedStyle != 0 {
		n.Value = strings.ReplaceAll(n.Value, s.char, "/")
	} else if n.Kind == yaml.ScalarNode {
		n.Value = strings.ReplaceAll(n.Value, s.escape, `\/`)
	}
	for _, part := range n.Content {
		s.takeBack(part)
	}
}
