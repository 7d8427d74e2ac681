package jsontext

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Members gives the keys and values of an object in their order. The text is a value that Check let
// pass, or a part of one.
func Members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for d := inside(object); d.More(); {
			token, _ := d.Token()
			key, _ := token.(string)
			if !yield(key, part(d, object)) {
				return
			}
		}
	}
}

// Elements gives the values of a list in their order. The text is a value that Check let pass, or a
// part of one.
func Elements(list []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for d := inside(list); d.More(); {
			if !yield(part(d, list)) {
				return
			}
		}
	}
}

// inside gives a decoder that is after the { or [ that a text begins with.
func inside(text []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(text))
	_, _ = d.Token()
	return d
}

// part goes over a value and gives its text.
func part(d *json.Decoder, text []byte) []byte {
	begin := d.InputOffset()
	_ = d.Decode(new(anything))
	return bytes.TrimLeft(text[begin:d.InputOffset()], blanks+",:")
}
