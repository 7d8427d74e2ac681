package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A hanging file system is mounted, and answers no question. It speaks the protocol of fuse(4) as
// far as that takes: after the kernel's greeting it takes questions and forgets them, or does not
// even take them.
type hanging struct {
	asked  atomic.Int64 // questions that were taken
	mended func()       // ends it: everybody who waits gets an error
}

const (
	fuseInit       = 26 // the opcode of the greeting
	fuseHeader     = 16 // bytes before an answer: its length, an error, the number of the question
	fuseInitAnswer = 64
	fuseMajor      = 7
	fuseMinor      = 31
	fuseQuestion   = 128 << 10 // bytes of the longest one
)

// hang mounts a hanging file system. Where there is no FUSE, or we may not mount, the test is
// skipped, but fails in CI.
func hang(t *testing.T, dir string, takes bool) *hanging {
	t.Helper()
	neededRoot(t)
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Mount("hanging", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", device))
	}
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	h := &hanging{}
	ended := make(chan struct{})
	greeted := make(chan error, 1)
	go func() {
		defer close(ended)
		question := make([]byte, fuseQuestion)
		greeted <- greet(device, question)
		for takes {
			if _, err := unix.Read(device, question); err != nil {
				return
			}
			h.asked.Add(1)
		}
	}()
	over := false
	h.mended = func() {
		if over {
			return
		}
		over = true
		// Unmount ends the connection.
		if err := unix.Unmount(dir, unix.MNT_FORCE|unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
		<-ended
		unix.Close(device)
	}
	t.Cleanup(h.mended)
	if err := <-greeted; err != nil {
		t.Fatal(err)
	}
	return h
}

// greet answers the kernel's greeting.
func greet(device int, question []byte) error {
	n, err := unix.Read(device, question)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	if opcode := order.Uint32(question[4:]); n < fuseHeader || opcode != fuseInit {
		return fmt.Errorf("the first question is %d", opcode)
	}
	answer := make([]byte, fuseHeader+fuseInitAnswer)
	order.PutUint32(answer, uint32(len(answer)))
	copy(answer[8:fuseHeader], question[8:16]) // the number of the question
	order.PutUint32(answer[fuseHeader:], fuseMajor)
	order.PutUint32(answer[fuseHeader+4:], fuseMinor)
	_, err = unix.Write(device, answer)
	return err
}
