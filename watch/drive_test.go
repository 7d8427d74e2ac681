package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/memory"
	"github.com/rendered/rendered/internal/long"
)

// A drive is what the files of a trial are on.
type drive interface {
	// mount gives it to a new process.
	mount() disk.System
	// empty leaves nothing in a directory, which is made where it is missing.
	empty(dir string)
	remove(path string) // a file
	look(path string) looked
	list(dir string) []string
}

// A looked is what somebody finds who opens a path.
type looked struct {
	exists  bool
	content []byte
	mode    fs.FileMode
}

// onDrives runs a test of each kind on the disk in memory; with -long on this machine's, too, where
// there are more kinds.
func onDrives(t *testing.T, kinds, onHost []string, test func(t *testing.T, on drive, kind string)) {
	for _, kind := range kinds {
		t.Run("memory, "+kind, func(t *testing.T) { test(t, new(memoryDrive), kind) })
	}
	t.Run("host", func(t *testing.T) {
		long.Test(t)
		for _, kind := range append(kinds, onHost...) {
			t.Run(kind, func(t *testing.T) { test(t, hostDrive{}, kind) })
		}
	})
}

type hostDrive struct{}

func (hostDrive) mount() disk.System { return disk.Host }

func (hostDrive) empty(dir string) {
	for _, name := range (hostDrive{}).list(dir) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			panic(err)
		}
	}
}

func (hostDrive) remove(path string) {
	if err := os.Remove(path); err != nil {
		panic(err)
	}
}

func (hostDrive) look(path string) looked {
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return looked{}
	}
	st, failed := os.Stat(path)
	if err != nil || failed != nil {
		panic(err)
	}
	return looked{true, content, st.Mode()}
}

func (hostDrive) list(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

type memoryDrive struct{ disk *memory.Disk }

func (d *memoryDrive) mount() disk.System { return d.disk.Start() }

func (d *memoryDrive) empty(dir string) {
	d.disk = memory.New()
	d.disk.Mkdir(dir, 0o755)
}

func (d *memoryDrive) remove(path string) { d.disk.Delete(path) }

func (d *memoryDrive) look(path string) looked {
	content, as, _, exists := d.disk.Look(path)
	return looked{exists, content, as.Mode}
}

func (d *memoryDrive) list(dir string) []string { return d.disk.List(dir) }
