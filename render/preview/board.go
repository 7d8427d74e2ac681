package preview

import (
	"encoding/json"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A board is where the daemon and its helper leave each other notes: files in memory, which nobody waits for. They hold paths and a
// command, and no value.
type board struct{ plan, report *os.File }

// A report says where the helper failed, if it did.
type report struct {
	Step  string
	Text  string
	Errno syscall.Errno // 0 where the kernel did not say no
}

// stepCommand is the step in which the command is executed.
const stepCommand = "command"

func (b *board) open(p plan) (err error) {
	if b.plan, err = memory("plan"); err != nil {
		return err
	}
	if b.report, err = memory("report"); err != nil {
		return err
	}
	return leave(b.plan, p)
}

func memory(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate("rendered-"+name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (b *board) close() {
	for _, f := range []*os.File{b.plan, b.report} {
		if f != nil {
			f.Close()
		}
	}
}

// read gives the helper's report, the zero report where it left none.
func (b *board) read() (r report) {
	if b.report != nil {
		_ = take(b.report, &r)
	}
	return r
}

func leave(f *os.File, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	return err
}

func take(f *os.File, v any) error {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
