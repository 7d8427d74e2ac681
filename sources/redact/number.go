package redact

import (
	"bytes"
	"iter"
	"strconv"
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
	r := newCode(len(at) * 3 / 4)
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
		r := hexAt(t, at[offset:])
		give(r)
		for first := range min(2, len(r.data)) {
			give(swapped(r, first))
		}
	}
}

// hexAt decodes the digits that stand at these places.
func hexAt(t *reading, at []int32) *reading {
	r := newCode(len(at) / 2)
	for ; len(at) >= 2; at = at[2:] {
		high, low := at[0], at[1]
		r.add(byte(digit(t.data[high])<<4|digit(t.data[low])), t.from[high], t.to[low])
	}
	return r
}

func swapped(t *reading, first int) *reading {
	r := newCode(len(t.data))
	for i := first; i+1 < len(t.data); i += 2 {
		r.addFrom(t, i+1)
		r.addFrom(t, i)
	}
	return r
}

// A notation is a way in which a dump writes some bytes as one number, of which the lower byte
// comes first in memory.
type notation struct{ digits, base, bytes int }

var (
	// ofOctals are those of od -b, od, od -t o4 and od -t o8.
	ofOctals = []notation{{3, 8, 1}, {6, 8, 2}, {11, 8, 4}, {22, 8, 8}}
	// ofMachine are those of hexdump -d, of xxd -b, and of od -t x4, xxd -e and od -t x8.
	ofMachine = []notation{{5, 10, 2}, {8, 2, 1}, {8, 16, 4}, {16, 16, 8}}
	// ofLists are those of lists of bytes.
	ofLists = []notation{{1, 10, 1}, {2, 10, 1}, {3, 10, 1}}
)

// addNumber appends what a word of another reading stands for in the first of these notations that
// it is in.
func (r *reading) addNumber(t *reading, from, to int, notations []notation) {
	for _, n := range notations {
		if to-from != n.digits {
			continue
		}
		if value, err := strconv.ParseUint(string(t.data[from:to]), n.base, 8*n.bytes); err == nil {
			for range n.bytes {
				r.add(byte(value), t.from[from], t.to[to-1])
				value >>= 8
			}
			return
		}
	}
}

// octals reads what od(1) prints without -x: characters, bytes and words.
func octals(t *reading) *reading {
	r := newCode(len(t.data) / 4)
	for from, to := range spans(t.data, isBlack) {
		word := t.data[from:to]
		control, escaped := controls[word[len(word)-1]]
		switch {
		case len(word) == 1:
			r.addFrom(t, from)
		case len(word) == 2 && word[0] == '\\' && escaped:
			r.add(control, t.from[from], t.to[to-1])
		default:
			r.addNumber(t, from, to, ofOctals)
		}
	}
	return r
}

// machineWords reads the words of a dump that are numbers of the machine.
func machineWords(t *reading) *reading {
	r := newCode(len(t.data) / 4)
	for from, to := range spans(t.data, isBlack) {
		r.addNumber(t, from, to, ofMachine)
	}
	return r
}

// machineDecimals reads the words of a dump that are decimal numbers of so many bytes, with a sign
// or without, as od -t d4 and od -t u8 have them.
func machineDecimals(t *reading, size int) *reading {
	r := newCode(len(t.data) / 4)
	for from, to := range spans(t.data, isBlack) {
		word := string(t.data[from:to])
		value, err := strconv.ParseUint(word, 10, 8*size)
		if err != nil && word[0] == '-' {
			var below int64
			below, err = strconv.ParseInt(word, 10, 8*size)
			value = uint64(below)
		}
		if err != nil {
			continue
		}
		for range size {
			r.add(byte(value), t.from[from], t.to[to-1])
			value >>= 8
		}
	}
	return r
}

// decimals reads numbers as the bytes that they are, as programs print a list of them.
func decimals(t *reading) *reading {
	r := newCode(len(t.data) / 4)
	for from, to := range spans(t.data, isLetter) {
		if from == 0 || t.data[from-1] != '-' {
			r.addNumber(t, from, to, ofLists)
		} else if value, err := strconv.ParseInt(string(t.data[from-1:to]), 10, 8); err == nil {
			r.add(byte(value), t.from[from-1], t.to[to-1])
		}
	}
	return r
}

// isBlack tells of what is no white space.
func isBlack(b byte) bool { return b != ' ' && b != '\t' && b != '\n' && b != '\r' }

// spans gives where the longest parts of data are of which all bytes are of a kind.
func spans(data []byte, of func(byte) bool) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for from := 0; from < len(data); from++ {
			to := from
			for to < len(data) && of(data[to]) {
				to++
			}
			if to > from && !yield(from, to) {
				return
			}
			from = to
		}
	}
}
