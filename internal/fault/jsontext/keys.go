package jsontext

import (
	"bytes"
	"cmp"
	"encoding/json"
	"hash/maphash"
	"slices"
)

// A keyStack holds the keys of all objects that are open, those of the innermost last. They are
// hashes: a set of texts would take many times what the text does.
type keyStack struct {
	seed maphash.Seed
	keys []key
}

type key struct {
	hash   uint64
	offset int
}

// push adds a key, which is a JSON text.
func (k *keyStack) push(text []byte, offset int) {
	if k.keys == nil {
		k.seed = maphash.MakeSeed()
	}
	name := text[1 : len(text)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		name = []byte(decoded(text))
	}
	k.keys = append(k.keys, key{maphash.Bytes(k.seed, name), offset})
}

// decoded gives the text that valid JSON stands for.
func decoded(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var s string
	_ = json.Unmarshal(text, &s) // it is valid
	return s
}

// stringAt gives the text that begins at an offset of what was read already.
func (s *scanner) stringAt(offset int) string {
	again := scanner{data: s.data, at: offset}
	_ = again.string()
	return decoded(s.data[offset:again.at])
}

// twice refuses an object that ends, if one of its keys stands there twice, and forgets its keys.
func (s *scanner) twice(l *level) *Error {
	keys := s.keys.keys[l.keys:]
	s.keys.keys = s.keys.keys[:l.keys]
	slices.SortFunc(keys, func(a, b key) int {
		if a.hash == b.hash {
			return a.offset - b.offset
		}
		return cmp.Compare(a.hash, b.hash)
	})
	again := len(s.data)
	for i := 1; i < len(keys); i++ {
		if a, b := keys[i-1], keys[i]; a.hash == b.hash && s.stringAt(a.offset) == s.stringAt(b.offset) {
			again = min(again, b.offset)
		}
	}
	if again == len(s.data) {
		return nil
	}
	l.key = again
	var way []Step
	for _, l := range s.open[1:] {
		step := Step{Index: l.index}
		if l.object {
			step = Step{Key: s.stringAt(l.key), Index: -1}
		}
		way = append(way, step)
	}
	return &Error{Offset: again, Cause: KeyTwice, Key: way}
}
