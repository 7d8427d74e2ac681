package structure

import (
	"bytes"
	"encoding/pem"
)

// armour wants each value to be whole blocks of PEM, with text around them as openssl writes it, or
// to have no line of one.
func (d *document) armour() *Breach {
	for i := range d.values {
		rest := d.text(i)
		if !bytes.Contains(rest, []byte("-----BEGIN")) && !bytes.Contains(rest, []byte("-----END")) {
			continue
		}
		for {
			block, after := pem.Decode(rest)
			if block == nil {
				break
			}
			taken := rest[:len(rest)-len(after)]
			if bytes.Count(taken, []byte("-----BEGIN")) != 1 || bytes.Count(taken, []byte("-----END")) != 1 {
				return d.breach(i, newSight())
			}
			rest = after
		}
		if bytes.Contains(rest, []byte("-----BEGIN")) || bytes.Contains(rest, []byte("-----END")) {
			return d.breach(i, newSight())
		}
	}
	return nil
}
