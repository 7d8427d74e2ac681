package aws

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// aside makes a file in memory, by whose name this process can open it again until it is dropped.
func aside(content []byte) (held *os.File, drop func(), err error) {
	fd, err := unix.MemfdCreate("token", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), fmt.Sprintf("/proc/self/fd/%d", fd))
	if _, err := f.Write(content); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, func() { f.Close() }, nil
}
