package render

import (
	"regexp"
	"strings"
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

const (
	unclosedAction  = "this action is not closed: it has no %s"
	unclosedComment = "this comment is not closed: it has no */%s"
	earlyComment    = "this comment ends before its action does: %s stands right behind */"
	unclosedText    = `this text is not closed: it has no second " on its line`
	unclosedRaw     = "this text is not closed: it has no second `"
	unclosedChar    = "this has no second ' on its line"
	unclosedParen   = "this ( is not closed: it has no ) in its action"
	strayParen      = "this ) closes nothing"
	doubtedText     = "this text is not closed before %s"
)

var keyword = regexp.MustCompile(`^(?:if|range|with|define|block|end|else|template|break|continue)\b`)

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
		s.broken(a, a.at, strings.Replace(unclosedComment, "%s", s.right, 1), pos)
		return
	}
	pos += n + len("*/")
	if end := s.closes(pos); end > 0 {
		a.end = end
		return
	}
	s.broken(a, a.at, strings.Replace(earlyComment, "%s", s.right, 1), pos)
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
	var parens []int
	for pos < len(s.body) {
		if end := s.closes(pos); end > 0 {
			a.end = end
			if len(parens) > 0 {
				a.flaw = &flaw{parens[len(parens)-1], unclosedParen}
			}
			return
		}
		if strings.HasPrefix(s.body[pos:], s.left) && s.left[0] != '(' { // no token begins like any other delimiter
			break
		}
		switch c := s.body[pos]; c {
		case '"', '\'', '`':
			end, what := s.quoted(pos, c)
			if what != "" {
				s.broken(a, pos, what, pos)
				return
			}
			pos = end
			continue
		case '(':
			parens = append(parens, pos)
		case ')':
			if len(parens) == 0 {
				s.broken(a, pos, strayParen, pos)
				return
			}
			parens = parens[:len(parens)-1]
		}
		pos++
	}
	s.broken(a, a.at, strings.Replace(unclosedAction, "%s", s.right, 1), a.at+len(s.left))
}

// quoted gives the byte behind the text that begins at pos with a quote, or what is wrong with it.
func (s scanner) quoted(pos int, quote byte) (end int, what string) {
	end = pos + 1
	for ; ; end++ {
		if end >= len(s.body) || quote != '`' && s.body[end] == '\n' {
			return end, map[byte]string{'"': unclosedText, '\'': unclosedChar, '`': unclosedRaw}[quote]
		}
		if s.body[end] == '\\' && quote != '`' && end+1 < len(s.body) && s.body[end+1] != '\n' {
			end++
		} else if s.body[end] == quote {
			break
		}
	}
	end++
	// A text that runs over the end of an action and stops in the middle of something was meant to
	// end before.
	if strings.Contains(s.body[pos:end], s.right) && end < len(s.body) && inWord(s.body[end]) {
		return end, strings.Replace(doubtedText, "%s", s.right, 1)
	}
	return end, ""
}

func inWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_/.-$@%:\\\"`'", c) >= 0
}

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
