package structure

import (
	"bytes"

	"github.com/rendered/rendered/render/format"
)

// armour wants each value to be whole blocks of PEM, with text around them as openssl writes it, or
// to have no line of one.
func (d *document) armour() *Breach {
	for i := range d.values {
		for block, text := range format.Blocks(d.text(i)) {
			lines := 1
			if block == nil {
				lines = 0
			}
			if bytes.Count(text, []byte("-----BEGIN")) != lines || bytes.Count(text, []byte("-----END")) != lines {
				return d.breach(i, newSight())
			}
		}
	}
	return nil
}
