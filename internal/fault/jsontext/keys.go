package jsontext

import (
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

func (k *keyStack) len() int { return len(k.keys) }

// push adds a key, which is a JSON text.
func (k *keyStack) push(text []byte, offset int) {
	if k.keys == nil {
		k.seed = maphash.MakeSeed()
	}
	k.keys = append(k.keys, key{maphash.String(k.seed, decoded(text)), offset})
}

// decoded gives the text that valid JSON stands for.
func decoded(text []byte) string {
	for _, c := range text {
		if c == '\\' {
			var s string
			_ = json.Unmarshal(text, &s) // it is valid
			return s
		}
	}
	return string(text[1 : len(text)-1])
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
	if len(keys) < 2 {
		return nil
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.offset, b.offset)) })
	again := -1
	for i := 1; i < len(keys); i++ {
		if keys[i].hash == keys[i-1].hash && (again < 0 || keys[i].offset < again) && s.stringAt(keys[i].offset) == s.stringAt(keys[i-1].offset) {
			again = keys[i].offset
		}
	}
	if again < 0 {
		return nil
	}
	var way []Step
	for _, l := range s.open[:len(s.open)-1] {
		if l.object {
			way = append(way, Step{Key: s.stringAt(l.key), Index: -1})
		} else {
			way = append(way, Step{Index: l.index})
		}
	}
	return &Error{Offset: again, Cause: KeyTwice, Key: append(way, Step{Key: s.stringAt(again), Index: -1})}
}
