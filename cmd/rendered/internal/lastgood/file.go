// Package lastgood keeps the last known good config: the state directory has what the config last
// in force was read from. A start reads it where the config as it is on disk cannot be used.
package lastgood

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/watch/inputs"
)

// name is that of the file in the state directory.
//
// It is JSON, a line each: one for the whole, with a checksum of all that follows, then one for
// each file, with its path and its text. It is replaced whole.
const name = "config.jsonl"

const (
	version = 1
	// limit bounds the file, in bytes.
	limit = 64 << 20
)

// A Config is what a config was read from: the config file and those of conf.d, templates and
// partials, by path.
type Config struct {
	Path  string    // of the config file
	Since time.Time // when it came into force
	Files map[string][]byte
}

// A head is the first line.
type head struct {
	Version int       `json:"version"`
	Config  string    `json:"config"`
	Since   time.Time `json:"since"`
	Sum     string    `json:"sha256"`
}

// A line is one of the others. It has Text, or Bytes where they are not UTF-8.
type line struct {
	Path  string `json:"path"`
	Text  string `json:"text,omitempty"`
	Bytes []byte `json:"bytes,omitempty"`
}

// errDamaged is that the file is not as it was written.
var errDamaged = errors.New("it is damaged")

// Read gives the config last in force, which is kept in a state directory; nil where there is none
// of this path, or the directory is not ours. As root it takes none from where others could have
// put it: that is an error.
func Read(system disk.System, stateDir, path string) (*Config, error) {
	dir, err := system.Open(stateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENOTDIR):
		return nil, nil // it is not ours
	case err != nil:
		return nil, err
	}
	defer dir.Close()
	all := func(string) bool { return true }
	if doubts := trust.Check([]inputs.Input{{Path: stateDir, Match: all}}); len(doubts) > 0 {
		return nil, doubts[0]
	}
	c, err := read(dir)
	if c == nil || c.Path != path {
		return nil, err
	}
	return c, nil
}

func read(dir disk.Dir) (*Config, error) {
	data, err := dir.Read(name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir.Path(), name), err)
	}
	return c, nil
}

func decode(data []byte) (*Config, error) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	var h head
	if json.Unmarshal(first, &h) != nil || h.Sum != sum(rest) {
		return nil, errDamaged
	}
	if h.Version != version {
		return nil, fmt.Errorf("it is of another version of rendered (%d)", h.Version)
	}
	c := &Config{Path: h.Config, Since: h.Since, Files: make(map[string][]byte)}
	for text := range bytes.Lines(rest) {
		var ln line
		if json.Unmarshal(text, &ln) != nil {
			return nil, errDamaged
		}
		c.Files[ln.Path] = append([]byte(ln.Text), ln.Bytes...)
	}
	return c, nil
}

// encode gives the lines after the first.
func (c *Config) encode() []byte {
	var b bytes.Buffer
	json := json.NewEncoder(&b)
	json.SetEscapeHTML(false)
	for _, path := range slices.Sorted(maps.Keys(c.Files)) {
		ln := line{Path: path, Bytes: c.Files[path]}
		if utf8.Valid(ln.Bytes) {
			ln.Text, ln.Bytes = string(ln.Bytes), nil
		}
		if err := json.Encode(ln); err != nil { // there is nothing in it that JSON has no form for
			panic(err)
		}
	}
	return b.Bytes()
}

func sum(data []byte) string {
	of := sha256.Sum256(data)
	return hex.EncodeToString(of[:])
}

// write writes a config durably, in the place of the one that is there; where that is the same
// nothing is written. A crash leaves the one or the other.
func write(dir disk.Dir, c *Config) error {
	if err := disk.Tidy(dir, name); err != nil {
		return err
	}
	body := c.encode()
	h := head{Version: version, Config: c.Path, Since: c.Since.UTC().Round(0), Sum: sum(body)}
	if data, err := dir.Read(name, limit); err == nil && holds(data, h) {
		return nil
	}
	first, err := json.Marshal(h)
	if err != nil {
		return err
	}
	data := slices.Concat(first, []byte("\n"), body)
	if len(data) > limit {
		return &fs.PathError{Op: "write", Path: filepath.Join(dir.Path(), name), Err: unix.EFBIG}
	}
	return disk.Replace(dir, name, data)
}

// holds tells whether a file is whole, and of the same config.
func holds(data []byte, h head) bool {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	var was head
	if json.Unmarshal(first, &was) != nil {
		return false
	}
	was.Since = h.Since
	return was == h && sum(rest) == h.Sum
}

// ReadFile gives a file as it was when the config came into force.
func (c *Config) ReadFile(path string, most int64) ([]byte, error) {
	data, known := c.Files[path]
	switch {
	case !known:
		return nil, unix.ENOENT
	case int64(len(data)) > most:
		return nil, disk.TooLarge(most)
	}
	return data, nil
}

// ReadDir gives the names of those files that a directory had.
func (c *Config) ReadDir(dir string) (names []string, _ error) {
	for path := range c.Files {
		if filepath.Dir(path) == dir {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return names, nil
}
