package breakdown

import "golang.org/x/sys/unix"

func letTrace() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }
