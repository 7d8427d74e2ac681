package main

import "golang.org/x/sys/unix"

// hideMemory keeps what is in memory from a core file and from an ordinary user's debugger.
func hideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
