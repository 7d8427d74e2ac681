package rewrite

import (
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A notation says how a value is quoted in files of a kind.
type notation struct {
	function string
	// before is what stands on the line before a value, with the quote that begins it, if any.
	before *lazyregexp.Regexp
	bare   bool // a value without quotes is one, too
}

var notations = map[string]notation{
	"env":        {"envQuote", lazyregexp.New(`^\s*(?:export\s+)?[A-Za-z_]\w*=(["']?)$`), true},
	"json":       {"toJson", lazyregexp.New(`[:\[,]\s*(")$`), false},
	"yaml":       {"yamlQuote", lazyregexp.New(`^\s*(?:- )?(?:["']?[\w./-]+["']?:\s+)?(["'])$`), false}, // without quotes it may be a number
	"toml":       {"tomlQuote", lazyregexp.New(`^\s*[\w."-]+\s*=\s*(")$`), false},
	"ini":        {"iniQuote", lazyregexp.New(`^\s*[^\s#;=\[]+\s*=\s*(["']?)$`), true},
	"properties": {"propertiesQuote", lazyregexp.New(`^\s*[^\s#!=:]+\s*[=:]\s*()$`), true},
}

// quoted quotes what an action prints, where it is all of a value in the notation of the file, and
// takes the quotes around it away.
func (r *rewriter) quoted(v value, text string, p *parse.PipeNode) string {
	n, known := notations[r.o.Quote]
	a, found := r.src.around(int(p.Position()))
	if !known || !found || r.refusal != nil || a.trims || v.written == whole || strings.Contains(text, n.function) {
		return text
	}
	before := r.src.text[:a.start]
	m := n.before.FindStringSubmatch(before[strings.LastIndex(before, "\n")+1:])
	if m == nil || !strings.HasPrefix(r.src.text[a.end:], m[1]) || m[1] == "" && !n.bare {
		return text
	}
	behind := r.src.text[a.end+len(m[1]):]
	if end := strings.TrimLeft(behind, " \t\r"); r.o.Quote != "json" && end != "" && end[0] != '\n' {
		return text
	}
	if m[1] != "" {
		r.edits = append(r.edits, edit{a.start - 1, a.start, ""}, edit{a.end, a.end + 1, ""})
	}
	if n.function == "toJson" && v.shape.kind != oneText {
		return text + " | toString | toJson" // it may be a number, and stood between quotes
	}
	return text + " | " + n.function
}
