package redact

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// A short secret has too few letters and digits for a window, and is recognised as a word.

// wholeWords hides short secrets: as they are written, and with anything between their characters.
func (f *finder) wholeWords(t *reading, letters letters) {
	if s := (speller{f, lower(string(t.data)), f.lengths(3, maxWord)}); len(s.lengths) > 0 {
		for i := range s.text {
			if j := s.run(i); j > 0 {
				f.cover(t, i, j)
			}
		}
		f.bareWords(t, letters)
	}
}

// A speller finds short secrets in a text as they are written.
type speller struct {
	*finder
	text    []byte // in lower case
	lengths []int  // that there are
}

// run gives where short secrets end that begin at i; 0: none does.
func (s speller) run(i int) int {
	if s.ends(i) {
		if j := s.end(i); j > 0 && (isNumber(s.text[i:j]) || divided(s.text, i)) {
			return j
		}
	}
	return 0
}

// end gives where short secrets end that follow each other from i on: several may stand without
// anything between them.
func (s speller) end(i int) int {
	for _, n := range s.lengths {
		j := i + n
		if j > len(s.text) || !s.secret(s.text[i:j]) {
			continue
		}
		if s.ends(j) && (isNumber(s.text[i:j]) || divided(s.text, j)) {
			return j
		}
		if k := s.end(j); k > 0 {
			return k
		}
	}
	return 0
}

// ends tells whether a word may end at i. A number ends where its digits do, whatever follows.
func (s speller) ends(i int) bool {
	return divided(s.text, i) || isDigit(s.text[i-1]) != isDigit(s.text[i])
}

// lengths gives the lengths of short secrets that there are.
func (f *finder) lengths(least, most int) (list []int) {
	for n := least; n <= most; n++ {
		if f.forms[n] > 0 {
			list = append(list, n)
		}
	}
	return list
}

const (
	leastDecodedWord = 6  // bytes that do not come about by chance in what is decoded
	mostDecodedWord  = 24 // longer ones have windows, as a rule
)

// decodedWords hides short secrets wherever they stand in what is decoded.
func (f *finder) decodedWords(t *reading) {
	lengths := f.lengths(leastDecodedWord, mostDecodedWord)
	if lengths == nil {
		return
	}
	text := lower(string(t.data))
	for i := range text {
		for _, n := range lengths {
			if j := i + n; j <= len(text) && f.secret(text[i:j]) {
				f.cover(t, i, j)
			}
		}
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isNumber(text []byte) bool {
	return len(text) > 5 && bytes.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// divided tells whether a word may begin or end at i.
func divided(text []byte, i int) bool {
	return i == 0 || i == len(text) || !isLetter(text[i-1]) || !isLetter(text[i])
}

// bareWords hides short secrets by their letters and digits.
func (f *finder) bareWords(t *reading, letters letters) {
	for n := range maxBare + 1 {
		if f.forms[bareForm|form(n)] == 0 {
			continue
		}
		for i := 0; i+n <= len(letters.folded); i++ {
			bare := letters.folded[i : i+n]
			start, end := int(letters.at[i]), int(letters.at[i+n-1])+1
			if divided(t.data, start) && divided(t.data, end) && f.is(f.bare, bare) && !f.public.bare(bare) {
				f.coverEdges(t, start, end)
			}
		}
	}
}

// is reports that a text has a fingerprint.
func (f *finder) is(seed maphash.Seed, text []byte) bool {
	_, ok := f.prints.marks(maphash.Bytes(seed, text))
	return ok
}

// secret tells whether a text is a short secret, and not public.
func (f *finder) secret(text []byte) bool { return f.is(f.words, text) && !f.public.word(text) }

const (
	leastCode = 4    // characters that may encode a short secret
	mostCode  = 4096 // and those of a header that holds one
)

// encodedWords looks for short secrets in what stands in base64 or hexadecimal and is plain text.
func (f *finder) encodedWords(t *reading) {
	ofCode := func(b byte) bool { return base64Digits[0][b] < 64 || base64Digits[1][b] < 64 }
	for start, end := range spans(t.data, ofCode) {
		if n := end - start; n >= leastCode && n <= mostCode {
			f.encodedWord(&reading{data: t.data[start:end], from: t.from[start:end], to: t.to[start:end]})
		}
	}
}

func (f *finder) encodedWord(word *reading) {
	all := everywhere(word.data)
	for alphabet := range base64Digits {
		digits := &base64Digits[alphabet]
		if !slices.ContainsFunc(word.data, func(b byte) bool { return digits[b] == 64 }) {
			f.decodedWord(base64At(word, all, digits))
		}
	}
	if len(all)%2 == 0 && !slices.ContainsFunc(word.data, func(b byte) bool { return !isHex(b) }) {
		f.decodedWord(hexAt(word, all))
	}
}

// decodedWord looks for short secrets in what was decoded on its own.
func (f *finder) decodedWord(t *reading) {
	if len(t.data) >= 3 && printable(t.data) {
		t.code = false
		f.wholeWords(t, lettersOf(t.data))
	}
}
