package preview

import (
	"encoding/json"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A mailbox is where the daemon and its helper leave each other messages: files in memory, which
// nobody waits for. They hold paths and a command, and no value.
type mailbox struct{ plan, report *os.File }

// A report says where the helper failed, if it did.
type report struct {
	Step  string
	Text  string
	Errno syscall.Errno // 0 where the kernel did not say no
}

// stepCommand is the step in which the command is executed.
const stepCommand = "command"

func (m *mailbox) open(p plan) (err error) {
	if m.plan, err = memory("plan"); err != nil {
		return err
	}
	if m.report, err = memory("report"); err != nil {
		return err
	}
	return put(m.plan, p)
}

func memory(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate("rendered-"+name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// close closes the files. One that was never opened is none.
func (m *mailbox) close() {
	m.plan.Close()
	m.report.Close()
}

// read gives the helper's report, the zero report where it left none.
func (m *mailbox) read() (r report) {
	_ = get(m.report, &r)
	return r
}

func put(f *os.File, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	return err
}

func get(f *os.File, v any) error {
	return json.NewDecoder(io.NewSectionReader(f, 0, 1<<30)).Decode(v)
}
