package redact

import (
	"bytes"
	"hash/maphash"
)

// A short secret has too few letters and digits for a window, and is recognised as a word.

// wholeWords hides short secrets: as they are written, and with anything between their characters.
func (f *finder) wholeWords(t *reading, folded []byte, at []int32) {
	lengths := f.lengths(3, maxWord)
	if lengths == nil {
		return
	}
	text := lower(string(t.data))
	// A number ends where its digits do, whatever follows.
	ends := func(i int) bool {
		return divided(text, i) || isDigit(text[i-1]) != isDigit(text[i])
	}
	// word gives where words that begin at i end: several may stand without anything between them.
	var word func(i int) int
	word = func(i int) int {
		for _, n := range lengths {
			j := i + n
			if j > len(text) || !f.is(f.words, text[i:j]) || f.public.word(text[i:j]) {
				continue
			}
			if ends(j) && (isNumber(text[i:j]) || divided(text, j)) {
				return j
			}
			if k := word(j); k > 0 {
				return k
			}
		}
		return 0
	}
	for i := range text {
		if ends(i) {
			if j := word(i); j > 0 && (isNumber(text[i:j]) || divided(text, i)) {
				f.cover(t, i, j)
			}
		}
	}
	f.bareWords(t, folded, at, text)
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
			if j := i + n; j <= len(text) && f.is(f.words, text[i:j]) && !f.public.word(text[i:j]) {
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
func (f *finder) bareWords(t *reading, folded []byte, at []int32, text []byte) {
	for n := range maxBare + 1 {
		if f.forms[bareForm|form(n)] == 0 {
			continue
		}
		for i := 0; i+n <= len(folded); i++ {
			start, end := int(at[i]), int(at[i+n-1])+1
			if start > 0 && isLetter(text[start-1]) || end < len(text) && isLetter(text[end]) {
				continue
			}
			if f.is(f.bare, folded[i:i+n]) && !f.public.bare(folded[i:i+n]) {
				start, end = edges(t.data, start, end)
				f.cover(t, start, end)
			}
		}
	}
}

// is reports that a text has a fingerprint.
func (f *finder) is(seed maphash.Seed, text []byte) bool {
	_, ok := f.prints.marks(maphash.Bytes(seed, text))
	return ok
}

const (
	leastCode = 4    // characters that may encode a short secret
	mostCode  = 4096 // and those of a header that holds one
)

// encodedWords looks for short secrets in what stands in base64 or hexadecimal and is plain text.
func (f *finder) encodedWords(t *reading) {
	for i := 0; i < len(t.data); {
		start := i
		for i < len(t.data) && (base64Digits[0][t.data[i]] < 64 || base64Digits[1][t.data[i]] < 64) {
			i++
		}
		if n := i - start; n >= leastCode && n <= mostCode {
			f.encodedWord(t, start, i)
		}
		i++
	}
}

func (f *finder) encodedWord(t *reading, start, end int) {
	word := &reading{data: t.data[start:end], from: t.from[start:end], to: t.to[start:end]}
	give := func(r *reading) {
		if r == nil || len(r.data) < 3 || !legible(r.data) {
			return
		}
		r.code = false
		folded, at := lettersOf(r.data)
		f.wholeWords(r, folded, at)
	}
	all := make([]int32, end-start)
	isOf, hexadecimal := [2]bool{true, true}, len(all)%2 == 0
	for i := range all {
		all[i] = int32(i)
		hexadecimal = hexadecimal && isHex(word.data[i])
		for alphabet := range isOf {
			isOf[alphabet] = isOf[alphabet] && base64Digits[alphabet][word.data[i]] < 64
		}
	}
	for alphabet, ok := range isOf {
		if ok {
			give(base64At(word, all, &base64Digits[alphabet]))
		}
	}
	if hexadecimal {
		first := true
		hexes(word, func(r *reading) {
			if first {
				give(r)
			}
			first = false
		})
	}
}
