package swap

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// A Key belongs to one state directory. With it digests say nothing to those who have a backup of
// the ledger but not the key, however easily the content could be guessed; and a temporary tells by
// its name alone that it is of this machine.
type Key [32]byte

const keyFile = "key"

// LoadKey reads the key kept in the state directory. Where there is none, or one that is damaged,
// it makes a new one and says so: with that nothing recorded can be compared any more, and no
// temporary known. Where there is a key the directory's own name is durable.
func LoadKey(system disk.System, state disk.Dir) (k Key, made bool, err error) {
	k, there, err := ReadKey(state)
	if there || err != nil {
		return k, false, err
	}
	// A process that made the directory may have been killed before it was durable.
	if err := disk.SyncAbove(system, state.Real()); err != nil {
		return k, false, err
	}
	rand.Read(k[:])
	return k, true, disk.Replace(state, keyFile, k[:])
}

// ReadKey reads the key kept in the state directory, and says whether there is a sound one.
func ReadKey(state disk.Dir) (k Key, there bool, err error) {
	data, err := state.Read(keyFile, int64(len(k)))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.EFBIG):
		return k, false, nil
	case err != nil || len(data) != len(k):
		return k, false, err
	}
	return Key(data), true, nil
}

// Digest tells contents at a path apart.
func (k Key) Digest(path string, content []byte) string {
	return hex.EncodeToString(k.sum("content", path, string(content)))
}

func (k Key) sum(fields ...string) []byte {
	mac := hmac.New(sha256.New, k[:])
	for _, f := range fields {
		fmt.Fprintf(mac, "%d:%s", len(f), f)
	}
	return mac.Sum(nil)
}

// A temporary's name is hidden, so that no include glob matches it, has no ending that a program
// would look for, and holds a byte that counts the service's files, seven random bytes and eight
// that only the key and the directory give.
const (
	tempPrefix = ".rendered-"
	tempRandom = 16 // hexadecimal digits, the count included
)

// tempName makes the name of a temporary for a service's nth file.
func (k Key) tempName(dir string, n int) string {
	var random [tempRandom / 2]byte
	rand.Read(random[:])
	random[0] = byte(n)
	r := hex.EncodeToString(random[:])
	return tempPrefix + r + k.mark(dir, r)
}

func (k Key) mark(dir, random string) string {
	return hex.EncodeToString(k.sum("temporary", dir, random))[:tempRandom]
}

// owns reports whether name is a temporary that was made with this key in this directory, for
// whichever service.
func (k Key) owns(dir, name string) bool {
	id, ok := strings.CutPrefix(name, tempPrefix)
	if !ok || len(id) != 2*tempRandom {
		return false
	}
	return hmac.Equal([]byte(id[tempRandom:]), []byte(k.mark(dir, id[:tempRandom])))
}
