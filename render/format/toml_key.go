package format

import "fmt"

// key reads a key with its dots, and hands on part by part.
func (t *tomlChecker) key(take func(part string, last bool) *Error) *Error {
	t.parts = nil
	for n := 1; ; n++ {
		if n > maxDepth {
			return limit(t.data, t.at, fmt.Sprintf("a key has more than %d parts", maxDepth))
		}
		begin := t.at
		part, err := t.part()
		if err != nil {
			return err
		}
		if t.tree != nil {
			name := Node{Text: part}
			if !isBare(t.data[begin]) {
				name.Style = Quoted
			}
			t.parts = append(t.parts, name)
		}
		t.blanks()
		dot := t.comes(".")
		if err := take(part, !dot); err != nil || !dot {
			return err
		}
		t.blanks()
	}
}

// part reads one part of a key.
func (t *tomlChecker) part() (string, *Error) {
	begin := t.at
	switch t.peek() {
	case '"':
		var text []byte
		t.at++
		err := t.basic(false, &text)
		return string(text), err
	case '\'':
		t.at++
		err := t.literal(false)
		return string(t.data[begin+1 : max(t.at-1, begin+1)]), err
	}
	for isBare(t.peek()) {
		t.at++
	}
	if t.at == begin {
		return "", t.fail(tomlKey)
	}
	return string(t.data[begin:t.at]), nil
}

func isBare(c byte) bool {
	return c == '_' || c == '-' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
