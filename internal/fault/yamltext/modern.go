package yamltext

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/lazyregexp"
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
	text = olderVersion(text)
	if strings.Contains(err.Error(), "incompatible YAML document") {
		documents, err = p.decode(text)
	}
	if err == nil || !strings.Contains(err.Error(), "unknown escape character") {
		return documents, err
	}
	s := standInFor(text)
	if s == nil {
		return nil, err
	}
	documents, err = p.decode(s.put(text))
	for _, d := range documents {
		s.takeBack(d)
	}
	return documents, err
}

var (
	version12 = lazyregexp.New(`^%YAML[ \t]+1\.2[ \t]*(?:#.*)?\r?\n?$`)
	// prologue is a line that may stand before a document: a comment, a directive, or a blank one.
	prologue = lazyregexp.New(`^(?:[#%].*)?\s*$`)
)

// olderVersion gives the text with %YAML 1.1 for %YAML 1.2, where a document may begin.
func olderVersion(text []byte) []byte {
	older := bytes.Clone(text)
	at, begins := 0, true
	for line := range bytes.Lines(text) {
		if begins && version12.Match(line) {
			older[at+bytes.IndexByte(line, '.')+1] = '1'
		}
		begins = string(bytes.TrimRight(line, " \t\r\n")) == "..." || begins && prologue.Match(line)
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
		code := regexp.MustCompile(fmt.Sprintf(`(?i)\\(x|u00|U000000)%02x`, s.char[0]))
		if !bytes.Contains(text, []byte(s.escape)) && !code.Match(text) {
			return &s
		}
	}
	return nil
}

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
