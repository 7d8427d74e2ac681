package render

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// text/template ends at the first thing that it does not understand. A person wants to know all
// that is wrong: so a text that does not parse is mended for the search, one action after the
// other, and what is left of it is looked through like any other. Nothing is ever rendered from it.

// mended says how much of a template's texts parsed as it stands.
type mended int

const (
	whole mended = iota
	parts        // what did not was replaced by something that does
	lost         // and which of the rest stands in which block is not known any more
)

// placeholder is the name of the function that stands in the place of what does not parse. Nobody
// can define it.
const placeholder = "_"

const (
	maxFlaws  = 10      // syntax faults of a text that are told
	maxParsed = 4 << 20 // bytes gone over, after which no more of them are looked for
)

// A mender finds what does not parse in one text.
type mender struct {
	scanner
	t       *Template
	text    *Text
	name    string
	body    []byte // with what did not parse replaced; the rest stays at its byte
	state   mended
	faults  fault.List
	parsed  int          // bytes so far
	dropped []string     // sources of the actions that were replaced
	put     map[int]bool // the bytes at which others stand in their place
}

// mend gives the trees of what parses, and what does not, in the order of the text.
func (m *mender) mend() (map[string]*parse.Tree, fault.List) {
	m.state, m.body, m.put = parts, []byte(m.scanner.body), make(map[int]bool)
	m.flaws()
	for tries := 0; ; tries++ {
		set, err := m.parse(len(m.body))
		if err == nil {
			return set, m.faults
		}
		if tries == 2*maxFlaws || m.parsed > maxParsed || !m.step(err) {
			m.state = lost
			return nil, m.faults
		}
	}
}

// flaws notes the actions that have no end, or none that was meant, and replaces them.
func (m *mender) flaws() {
	for _, a := range m.actions() {
		if a.flaw != nil && len(m.faults) < maxFlaws {
			m.note(a.flaw.at, a.flaw.what, syntaxHints(a.flaw.what, m.source(a))...)
			m.replace(a)
		}
	}
}

// parse parses the text up to a byte.
func (m *mender) parse(end int) (map[string]*parse.Tree, error) {
	m.parsed += end
	return m.t.parseText(m.name, string(m.body[:end]))
}

// note adds a fault.
func (m *mender) note(at int, what string, hints ...string) {
	if len(m.faults) < maxFlaws {
		m.faults = append(m.faults, m.text.fault(at, what, hints...))
	}
}

var syntaxError = lazyregexp.New(`(?s)^template: \d+:(\d+): (.*)$`)

// step notes the error of a parse and replaces the action that it is about. It reports whether that
// helps.
func (m *mender) step(err error) bool {
	found := syntaxError.FindStringSubmatch(err.Error())
	if found == nil {
		m.note(0, "not a template")
		return false
	}
	what, _, _ := strings.Cut(found[2], "\n")
	if what == "unexpected EOF" {
		return m.blocks()
	}
	line, _ := strconv.Atoi(found[1])
	a, ok := m.actionOf(line, err)
	if !ok {
		at := Text{Body: m.scanner.body}.offset(line, 0)
		m.note(at, what)
		return false
	}
	if m.put[a.at] { // what stands there now does not fit its place either
		m.drop(a)
		return true
	}
	if !m.follows(what) {
		at, words, hints := m.explain(a, what)
		m.note(at, words, hints...)
	}
	m.replace(a)
	return true
}

// current gives the actions of the text as it is mended so far.
func (m *mender) current() []action {
	m.parsed += len(m.body)
	return scanner{string(m.body), m.left, m.right}.actions()
}

// actionOf finds the action that a parse error of a line is about: the first of that line with
// which the text up to its end gives the same error. The parser goes from left to right, so
// whichever stands after it gives that error too.
func (m *mender) actionOf(line int, err error) (action, bool) {
	start := Text{Body: string(m.body)}.offset(line, 0)
	end := len(m.body)
	if n := bytes.IndexByte(m.body[start:], '\n'); n >= 0 {
		end = start + n
	}
	list := slices.DeleteFunc(m.current(), func(a action) bool { return a.end <= start || a.at > end })
	i := sort.Search(len(list), func(i int) bool {
		_, e := m.parse(list[i].end)
		return e != nil && e.Error() == err.Error()
	})
	if i == len(list) {
		return action{}, false
	}
	return list[i], true
}

var quotedName = lazyregexp.New(`\$\w+`)

// follows reports that an error is the consequence of what was replaced: a variable that was
// declared there is not known any more.
func (m *mender) follows(what string) bool {
	if !strings.HasPrefix(what, "undefined variable") {
		return false
	}
	name := quotedName.FindString(what)
	return slices.ContainsFunc(m.dropped, func(source string) bool { return strings.Contains(source, name) })
}

// A block is an action that takes an end, with what belongs to it.
type block struct {
	action
	elses []action
	end   *action
}

// all gives the actions of the block but the first.
func (b *block) all() []action {
	if b.end == nil {
		return b.elses
	}
	return append(b.elses, *b.end)
}

// nest gives the blocks of the text as it is mended so far.
func (m *mender) nest() (list []*block) {
	var open []*block
	for _, a := range m.current() {
		switch last := len(open) - 1; a.word {
		case "if", "range", "with", "define", "block":
			b := &block{action: a}
			list, open = append(list, b), append(open, b)
		case "else":
			if last >= 0 {
				open[last].elses = append(open[last].elses, a)
			}
		case "end":
			if last >= 0 {
				open[last].end, open = &a, open[:last]
			}
		}
	}
	return list
}

// blocks notes the blocks that have no end and gives them one.
func (m *mender) blocks() bool {
	helps := false
	for _, b := range m.nest() {
		if b.end != nil {
			continue
		}
		helps = true
		m.body = append(m.body, m.left+"end"+m.right...)
		if !m.put[b.at] { // else it is told already
			m.note(b.at, b.word+" has no "+m.left+"end"+m.right)
		}
	}
	if !helps {
		m.note(len(m.scanner.body), "a block has no "+m.left+"end"+m.right)
	}
	return helps
}

var declares = lazyregexp.New(`^((?:\w+\s+)?\$\w+(?:\s*,\s*\$\w+)?\s*:?=)`)

// replace puts something in the place of an action that parses, and leaves the blocks as they are.
func (m *mender) replace(a action) {
	source := m.source(a)
	m.dropped = append(m.dropped, source)
	end := len(m.body)
	if n := bytes.Index(m.body[a.end:], []byte(m.left)); n >= 0 {
		end = a.end + n
	}
	words := substitute(a.word, strings.TrimLeft(strings.TrimPrefix(source, m.left), "- \t\r\n"))
	if words == "" || m.isStray(a) || !m.write(a.at, end, m.left+words+m.right) {
		m.drop(a)
	}
}

// substitute gives what parses in the place of an action that begins with a word, "" where nothing
// need stand there.
func substitute(word, inside string) string {
	declared := declares.FindString(inside)
	switch word {
	case "if", "range", "with":
		if declared == "" {
			declared = word + " "
		}
		return declared + placeholder
	case "end", "else":
		if branch := elseIf.FindString(inside); branch != "" {
			return branch + " " + placeholder
		}
		return word
	case "":
		if declared != "" {
			return declared + placeholder
		}
	}
	return ""
}

// drop takes an action away.
func (m *mender) drop(a action) {
	if a.word != "" && a.word != "template" && !m.isStray(a) {
		m.unblock(a)
	}
	m.clear(a.at, a.end)
}

// unblock takes away what belongs to the block that an action begins.
func (m *mender) unblock(a action) {
	m.state = lost
	for _, b := range m.nest() {
		if b.at != a.at {
			continue
		}
		for _, part := range b.all() {
			m.clear(part.at, part.end)
		}
	}
}

// source gives an action as it stands in the text now.
func (m *mender) source(a action) string { return string(m.body[a.at:a.end]) }

// isStray reports that an else or an end belongs to nothing, or stands where its block has had one.
func (m *mender) isStray(a action) bool {
	if a.word != "else" && a.word != "end" {
		return false
	}
	for _, b := range m.nest() {
		i := slices.IndexFunc(b.all(), func(part action) bool { return part.at == a.at })
		if i >= 0 {
			return a.word == "else" && (b.word == "define" || b.word == "block" || i > 0 && !elseIf.MatchString(m.source(b.elses[i-1])))
		}
	}
	return true
}

var elseIf = lazyregexp.New(`\belse\s+(?:if|with)\b`)

// write puts an action into a stretch of the text, on the first line of it that is wide enough, and
// blanks the rest of it.
func (m *mender) write(from, to int, source string) bool {
	at := from
	for line := range bytes.Lines(m.body[from:to]) {
		if len(bytes.TrimSuffix(line, []byte("\n"))) >= len(source) {
			m.clear(from, to)
			copy(m.body[at:], source)
			m.put[at] = true
			return true
		}
		at += len(line)
	}
	return false
}

// clear makes spaces of a stretch of the text. Its lines stay.
func (m *mender) clear(from, to int) {
	for i := from; i < to; i++ {
		if m.body[i] != '\n' {
			m.body[i] = ' '
		}
	}
}
