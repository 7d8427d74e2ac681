package render

import (
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// Where a text does not parse, text/template's lexer names a line, and of an action that has no end
// none at all. This scan goes by the same rules (text/template/parse, lex.go) and finds where what
// is not closed began.

// An action is one of a text's actions, or a comment.
type action struct {
	at, end int    // bytes: of the left delimiter, and behind the right one
	word    string // if, else, end …; "" where it begins with none of these
	flaw    *flaw
}

// A flaw is why an action has no end, or none that was meant.
type flaw struct {
	at   int // the byte where it begins
	what string
}

var keyword = lazyregexp.New(`^(?:if|range|with|define|block|end|else|template|break|continue)\b`)

// A scanner goes over a text.
type scanner struct {
	body, left, right string
}

func (t *Template) scanner(body string) scanner {
	left, right := t.delims()
	return scanner{body, left, right}
}

// actions gives the actions of the text in order, up to where there are too many flaws to tell.
func (s scanner) actions() []action {
	var list []action
	flaws := 0
	for at := 0; flaws < maxFlaws; {
		n := strings.Index(s.body[at:], s.left)
		if n < 0 {
			break
		}
		a := s.action(at + n)
		if list = append(list, a); a.flaw != nil {
			flaws++
		}
		at = a.end
	}
	return list
}

// action reads the action that begins at a byte.
func (s scanner) action(at int) action {
	a := action{at: at}
	pos := at + len(s.left)
	if rest := s.body[pos:]; len(rest) > 1 && rest[0] == '-' && blankByte(rest[1]) {
		pos += 2
	}
	if strings.HasPrefix(s.body[pos:], "/*") {
		s.comment(&a, pos)
		return a
	}
	a.word = keyword.FindString(strings.TrimLeft(s.body[pos:], " \t\r\n"))
	s.inside(&a, pos)
	return a
}

// comment reads the comment that begins at pos.
func (s scanner) comment(a *action, pos int) {
	n := strings.Index(s.body[pos:], "*/")
	if n < 0 {
		s.broken(a, a.at, "this comment is not closed: it has no */"+s.right, pos)
		return
	}
	pos += n + len("*/")
	if end := s.closes(pos); end > 0 {
		a.end = end
		return
	}
	s.broken(a, a.at, "this comment ends before its action does: "+s.right+" stands right behind */", pos)
}

// closes gives the byte behind the right delimiter at pos, with its trim marker; 0 where none
// stands there.
func (s scanner) closes(pos int) int {
	rest := s.body[pos:]
	if strings.HasPrefix(rest, s.right) {
		return pos + len(s.right)
	}
	if len(rest) > 2 && blankByte(rest[0]) && rest[1] == '-' && strings.HasPrefix(rest[2:], s.right) {
		return pos + 2 + len(s.right)
	}
	return 0
}

// inside reads an action from pos to its end.
func (s scanner) inside(a *action, pos int) {
	var parens []int // that are open
	for pos < len(s.body) {
		if end := s.closes(pos); end > 0 {
			a.end = end
			if len(parens) > 0 {
				a.flaw = &flaw{parens[len(parens)-1], "this ( is not closed: it has no ) in its action"}
			}
			return
		}
		// No token begins like any other delimiter.
		if strings.HasPrefix(s.body[pos:], s.left) && s.left[0] != '(' {
			break
		}
		length, what := s.token(pos, &parens)
		if what != "" {
			s.broken(a, pos, what, pos)
			return
		}
		pos += length
	}
	s.broken(a, a.at, "this action is not closed: it has no "+s.right, a.at+len(s.left))
}

// token gives the length of the text or the other byte at pos, or what is wrong with it.
func (s scanner) token(pos int, parens *[]int) (length int, what string) {
	switch s.body[pos] {
	case '"', '\'', '`':
		return s.quoted(pos)
	case '(':
		*parens = append(*parens, pos)
	case ')':
		last := len(*parens) - 1
		if last < 0 {
			return 0, "this ) closes nothing"
		}
		*parens = (*parens)[:last]
	}
	return 1, ""
}

// quotes are the texts that begin with each of the quotes, and what is said of one that does not
// end.
var quotes = map[byte]struct {
	text     *lazyregexp.Regexp
	unclosed string
}{
	'"':  {lazyregexp.New(`^"(?:[^"\\\n]|\\[^\n])*"`), `this text is not closed: it has no second " on its line`},
	'\'': {lazyregexp.New(`^'(?:[^'\\\n]|\\[^\n])*'`), "this has no second ' on its line"},
	'`':  {lazyregexp.New("^`[^`]*`"), "this text is not closed: it has no second `"},
}

// quoted gives the length of the text that begins at pos with a quote, or what is wrong with it.
func (s scanner) quoted(pos int) (length int, what string) {
	quote := quotes[s.body[pos]]
	text := quote.text.FindString(s.body[pos:])
	behind := s.body[pos+len(text):]
	switch {
	case text == "":
		return 0, quote.unclosed
	case strings.Contains(text, s.right) && midWord.MatchString(behind):
		// A text that runs over the end of an action and stops in the middle of something was meant
		// to end before.
		return 0, "this text is not closed before " + s.right
	}
	return len(text), ""
}

var midWord = lazyregexp.New("^[\\w/.$@%:\\\\\"`'-]")

func blankByte(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }

// broken notes a flaw, and takes for the action's end what most likely was meant: the next right
// delimiter of the line that is read so far, else the next action or the end of that line.
func (s scanner) broken(a *action, at int, what string, pos int) {
	a.flaw = &flaw{at, what}
	a.end = len(s.body)
	line := s.body[pos:]
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		line, a.end = line[:n], pos+n
	}
	next := strings.Index(line, s.left)
	if n := strings.Index(line, s.right); n >= 0 && (next < 0 || n < next) {
		a.end = pos + n + len(s.right)
	} else if next >= 0 {
		a.end = pos + next
	}
}
