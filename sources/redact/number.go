package redact

import (
	"bytes"
	"unicode/utf8"
)

// What is decoded here need not be meant so: of ordinary text it makes noise, in which no secret is
// recognised.

// base64Digits gives the value of each character of base64, in either alphabet; 64: it is none.
var base64Digits = func() (of [2][256]byte) {
	for alphabet, last := range []string{"+/", "-_"} {
		for i := range of[alphabet] {
			of[alphabet][i] = 64
		}
		for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last) {
			of[alphabet][c] = byte(i)
		}
	}
	return of
}()

// base64s gives what all of base64's characters stand for together, beginning with each of the
// first four.
func base64s(t *reading, give func(*reading)) {
	ofURLs := bytes.ContainsAny(t.data, "-_")
	for alphabet, used := range []bool{!ofURLs || bytes.ContainsAny(t.data, "+/"), ofURLs} {
		if !used {
			continue // the other one reads the same
		}
		at := make([]int32, 0, len(t.data))
		for i, b := range t.data {
			if base64Digits[alphabet][b] < 64 {
				at = append(at, int32(i))
			}
		}
		for offset := range min(4, len(at)) {
			give(base64At(t, at[offset:], &base64Digits[alphabet]))
		}
	}
}

// base64At decodes the characters that stand at these places.
func base64At(t *reading, at []int32, digits *[256]byte) *reading {
	r := newReading(len(at) * 3 / 4)
	r.code = true
	for ; len(at) >= 2; at = at[min(4, len(at)):] {
		value := func(i int) byte { return digits[t.data[at[i]]] }
		between := func(b byte, first, last int) { r.add(b, t.from[at[first]], t.to[at[last]]) }
		between(value(0)<<2|value(1)>>4, 0, 1)
		if len(at) > 2 {
			between(value(1)<<4|value(2)>>2, 1, 2)
		}
		if len(at) > 3 {
			between(value(2)<<6|value(3), 2, 3)
		}
	}
	return r
}

// hexes gives what all hexadecimal digits stand for together, beginning with the first or the
// second, in the order in which they stand and with the bytes of each pair swapped, as od -x has
// them.
func hexes(t *reading, give func(*reading)) {
	at := make([]int32, 0, len(t.data))
	for i, b := range t.data {
		if isHex(b) && !(b == '0' && i+1 < len(t.data) && t.data[i+1]|0x20 == 'x') {
			at = append(at, int32(i))
		}
	}
	for offset := range min(2, len(at)) {
		r := newReading(len(at) / 2)
		r.code = true
		for i := offset; i+1 < len(at); i += 2 {
			high, low := at[i], at[i+1]
			r.add(byte(digit(t.data[high])<<4|digit(t.data[low])), t.from[high], t.to[low])
		}
		give(r)
		for first := range min(2, len(r.data)) {
			swapped := newReading(len(r.data))
			swapped.code = true
			for i := first; i+1 < len(r.data); i += 2 {
				swapped.addFrom(r, i+1)
				swapped.addFrom(r, i)
			}
			give(swapped)
		}
	}
}

// octals reads what od(1) prints without -x: characters, bytes of three octal digits, and words of
// six, the lower byte first.
func octals(t *reading) *reading {
	r := newReading(len(t.data) / 4)
	r.code = true
	words(t, func(from, to int) {
		word := t.data[from:to]
		value, n := number(word, 8, 6)
		first, last := t.from[from], t.to[to-1]
		switch {
		case len(word) == 1:
			r.add(word[0], first, last)
		case word[0] == '\\' && len(word) == 2:
			if c, ok := controls[word[1]]; ok {
				r.add(c, first, last)
			}
		case n == len(word) && n == 3 && value < 256:
			r.add(byte(value), first, last)
		case n == len(word) && n == 6 && value < 1<<16:
			r.add(byte(value), first, last)
			r.add(byte(value>>8), first, last)
		}
	})
	return r
}

// machineWords reads the words of a dump that are numbers of the machine, whose lower bytes come
// first in memory: eight or sixteen hexadecimal digits, as of od -t x4 and xxd -e, five decimal
// ones, as of hexdump -d, and the bits of a byte.
func machineWords(t *reading) *reading {
	r := newReading(len(t.data) / 4)
	r.code = true
	words(t, func(from, to int) {
		word := t.data[from:to]
		first, last := t.from[from], t.to[to-1]
		if len(word) == 5 {
			if value, n := number(word, 10, 5); n == 5 && value < 1<<16 {
				r.add(byte(value), first, last)
				r.add(byte(value>>8), first, last)
			}
			return
		}
		if value, n := number(word, 2, 8); len(word) == 8 && n == 8 {
			r.add(byte(value), first, last)
			return
		}
		if len(word) != 8 && len(word) != 16 || bytes.ContainsFunc(word, func(c rune) bool { return c >= utf8.RuneSelf || !isHex(byte(c)) }) {
			return
		}
		for i := len(word) - 2; i >= 0; i -= 2 {
			r.add(byte(digit(word[i])<<4|digit(word[i+1])), first, last)
		}
	})
	return r
}

// decimals reads numbers as the bytes that they are, as programs print a list of them.
func decimals(t *reading) *reading {
	r := newReading(len(t.data) / 4)
	r.code = true
	for i := 0; i < len(t.data); {
		if !isLetter(t.data[i]) {
			i++
			continue
		}
		start := i
		for i < len(t.data) && isLetter(t.data[i]) {
			i++
		}
		value, n := number(t.data[start:i], 10, 3)
		switch negative := start > 0 && t.data[start-1] == '-'; {
		case n == 0 || n < i-start:
		case negative && value <= 128:
			r.add(byte(-value), t.from[start-1], t.to[i-1])
		case !negative && value < 256:
			r.add(byte(value), t.from[start], t.to[i-1])
		}
	}
	return r
}

// words calls f with each word between white space.
func words(t *reading, f func(from, to int)) {
	start := -1
	for i, b := range t.data {
		space := b == ' ' || b == '\t' || b == '\n' || b == '\r'
		switch {
		case !space && start < 0:
			start = i
		case space && start >= 0:
			f(start, i)
			start = -1
		}
	}
	if start >= 0 {
		f(start, len(t.data))
	}
}
