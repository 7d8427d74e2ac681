package render

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A lineIndex knows where the lines of a body begin, and how many characters stand before each
// stretch of it. A template may have thousands of actions on one line: the place of each is found
// without a count of all that stands before it. It is made when the first place is asked for.
type lineIndex struct {
	once   sync.Once
	begins []int // the bytes at which lines begin
	before []int // characters before each stretch
}

// stretch is the length of one in bytes.
const stretch = 256

func (x *lineIndex) make(body string) {
	x.begins, x.before = []int{0}, make([]int, 0, len(body)/stretch+1)
	for at := 0; ; {
		n := strings.IndexByte(body[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
		x.begins = append(x.begins, at)
	}
	characters := 0
	for at := 0; at <= len(body); at += stretch {
		x.before = append(x.before, characters)
		characters += begun(body[at:min(at+stretch, len(body))])
	}
}

// begun counts the characters that begin in a text.
func begun(text string) (n int) {
	for i := range len(text) {
		if utf8.RuneStart(text[i]) {
			n++
		}
	}
	return n
}

// around gives the line of the body in which a byte stands, by its number, counted from 1, and from
// its first byte to the one after its last.
func (x *lineIndex) around(body string, offset int) (number, begin, end int) {
	x.once.Do(func() { x.make(body) })
	number, found := slices.BinarySearch(x.begins, offset)
	if found {
		number++
	}
	if end = len(body); number < len(x.begins) {
		end = x.begins[number] - 1
	}
	return number, x.begins[number-1], end
}

// characters counts those that begin from one byte to another.
func (x *lineIndex) characters(body string, from, to int) int {
	x.once.Do(func() { x.make(body) })
	return x.upTo(body, to) - x.upTo(body, from)
}

// upTo counts the characters that begin before a byte.
func (x *lineIndex) upTo(body string, offset int) int {
	whole := offset / stretch
	return x.before[whole] + begun(body[whole*stretch:offset])
}
