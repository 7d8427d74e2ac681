package disk

import (
	"bytes"
	"io/fs"
	"testing"
)

// A list gets the bits that chmod(2) would give it.
func TestAccessListWithMode(t *testing.T) {
	entry := func(tag, permissions byte) []byte { return []byte{tag, 0, permissions, 0, 255, 255, 255, 255} }
	list := func(entries ...[]byte) []byte { return append([]byte{2, 0, 0, 0}, bytes.Join(entries, nil)...) }
	named := []byte{2, 0, 6, 0, 12, 0, 0, 0}
	for _, tt := range []struct {
		name       string
		list, want []byte
		mode       fs.FileMode
	}{
		{"with a mask", list(entry(1, 6), named, entry(4, 4), entry(16, 6), entry(32, 4)), list(entry(1, 7), named, entry(4, 4), entry(16, 1), entry(32, 0)), 0o710},
		{"without one", list(entry(1, 6), entry(4, 4), entry(32, 4)), list(entry(1, 6), entry(4, 0), entry(32, 0)), 0o600},
		{"of another version", []byte{3, 0, 0, 0}, []byte{3, 0, 0, 0}, 0o600},
		{"cut off", []byte{2, 0, 0, 0, 1, 0, 6}, []byte{2, 0, 0, 0, 1, 0, 6}, 0o600},
		{"empty", nil, nil, 0o600},
	} {
		before := bytes.Clone(tt.list)
		if got := withMode(tt.list, tt.mode); !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if !bytes.Equal(before, tt.list) {
			t.Errorf("%s: the list itself is changed", tt.name)
		}
	}
}
