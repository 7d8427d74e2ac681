package jsontext

import "iter"

// Members gives the keys and values of an object in their order. The text is a value that Check let
// pass, or a part of one.
func Members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for s := (&scanner{data: object}); s.first('}'); s.at++ {
			begin := s.at
			_ = s.string()
			key := decoded(object[begin:s.at])
			s.blank()
			s.at++ // the colon
			if !yield(key, s.part()) || s.blank() != ',' {
				return
			}
		}
	}
}

// Elements gives the values of a list in their order. The text is a value that Check let pass, or a
// part of one.
func Elements(list []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for s := (&scanner{data: list}); s.first(']'); s.at++ {
			if !yield(s.part()) || s.blank() != ',' {
				return
			}
		}
	}
}

// first goes to the next member or element, into the object or list where it is before it. It
// reports whether there is one.
func (s *scanner) first(end byte) bool {
	if s.at == 0 {
		s.blank()
		s.at++
	}
	c := s.blank()
	return s.at < len(s.data) && c != end
}

// part reads one value and gives its text.
func (s *scanner) part() []byte {
	s.blank()
	begin, depth := s.at, 0
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case '"':
			_ = s.string()
			if depth == 0 {
				return s.data[begin:s.at]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.data[begin:s.at] // a number's or a word's end
			}
			if depth--; depth == 0 {
				s.at++
				return s.data[begin:s.at]
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return s.data[begin:s.at]
			}
		}
		s.at++
	}
	return s.data[begin:]
}
