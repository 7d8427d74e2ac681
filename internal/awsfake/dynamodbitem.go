package awsfake

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
)

// A stored is an item, with what it was before.
type stored struct {
	now  item // nil: it was never made
	past history[item]
}

// An item has attributes, its key's among them.
type item map[string]attribute

// An attribute is a text or a whole number, as DynamoDB writes them.
type attribute struct {
	S, N *string `json:",omitempty"`
}

// A strict is an input that says what it is not made for.
type strict struct{ odd *refusal }

// read decodes an input of which everything is known.
func (s *strict) read(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if !json.Valid(text) {
			return err
		}
		s.odd = unimplemented(err.Error())
	}
	if _, err := d.Token(); s.odd == nil && err != io.EOF {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (a attribute) check() *refusal {
	switch {
	case (a.S == nil) == (a.N == nil):
		return refuse("ValidationException", "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case a.S != nil:
		return nil
	}
	n, err := strconv.ParseInt(*a.N, 10, 64)
	switch _, float := strconv.ParseFloat(*a.N, 64); {
	case float != nil:
		return refuse("ValidationException", "The parameter cannot be converted to a numeric value: %s", *a.N)
	case err != nil || strconv.FormatInt(n, 10) != *a.N:
		return unimplemented("numbers as " + *a.N)
	}
	return nil
}

func (a attribute) number() int64 {
	n, _ := strconv.ParseInt(*a.N, 10, 64) // which check has seen
	return n
}

func (a attribute) equal(b attribute) bool {
	if a.S != nil && b.S != nil {
		return *a.S == *b.S
	}
	return a.N != nil && b.N != nil && a.number() == b.number()
}

// less is false for what are not two numbers or two texts.
func (a attribute) less(b attribute) bool {
	if a.S != nil && b.S != nil {
		return *a.S < *b.S
	}
	return a.N != nil && b.N != nil && a.number() < b.number()
}

// size is an item's by AWS's rules ("DynamoDB item sizes and formats"), in bytes.
func (i item) size() (n int) {
	for name, a := range i {
		n += len(name)
		if a.S != nil {
			n += len(*a.S)
		} else {
			n += (len(*a.N)+1)/2 + 1
		}
	}
	return n
}
