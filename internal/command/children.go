package command

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// family are the processes that Run has started and waits for: nobody else may take their status.
var family = struct {
	sync.Mutex
	// Of each number, how many wait for it: it may be given out again before the last one has said
	// that it is done.
	pids   map[int]int
	births map[*exec.Cmd]uint64 // those whose number is not known yet, by when they began
	clock  uint64               // counts births
}{pids: make(map[int]int), births: make(map[*exec.Cmd]uint64)}

// bear starts a process that forget is called for once it was waited for. Starting may hang: it
// holds no lock.
func bear(cmd *exec.Cmd) error {
	family.Lock()
	family.clock++
	family.births[cmd] = family.clock
	family.Unlock()
	err := cmd.Start()
	family.Lock()
	defer family.Unlock()
	delete(family.births, cmd)
	if err == nil {
		family.pids[cmd.Process.Pid]++
	}
	return err
}

func forget(pid int) {
	family.Lock()
	defer family.Unlock()
	if family.pids[pid]--; family.pids[pid] == 0 {
		delete(family.pids, pid)
	}
}

// orphanage is how long a process that ended stays a zombie before Reap takes it for nobody's. A
// library that starts a process waits for it at once, and has taken its status by then.
const orphanage = 500 * time.Millisecond

// Reap reaps, until ctx ends, what nobody waits for: the process with the number 1 of a container
// becomes the parent of all whose own parent has ended, and each would stay a zombie
// (pid_namespaces(7)). It takes the status of no process that Run has started.
func Reap(ctx context.Context) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	defer signal.Stop(ended)
	timer := time.NewTimer(0) // some may have ended already
	defer timer.Stop()
	seen := make(map[int]sighting)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
		case <-timer.C:
		}
		if seen = reap(seen, time.Now()); len(seen) > 0 {
			timer.Reset(orphanage / 5)
		}
	}
}

// A sighting is when a zombie was first seen that is not known to be anybody's.
type sighting struct {
	at    time.Time
	clock uint64 // of family
}

// reap looks at the zombies that are there and reaps those that were seen long enough ago. It gives
// the others.
func reap(seen map[int]sighting, now time.Time) map[int]sighting {
	left := make(map[int]sighting)
	for _, pid := range zombies() {
		first, again := seen[pid]
		if !again {
			first = sighting{now, birthday()}
		}
		switch {
		case ours(pid):
		case now.Sub(first.at) < orphanage || borne(first.clock):
			left[pid] = first
		default:
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
	return left
}

func birthday() uint64 {
	family.Lock()
	defer family.Unlock()
	return family.clock
}

func ours(pid int) bool {
	family.Lock()
	defer family.Unlock()
	return family.pids[pid] > 0
}

// borne reports that a process is being started since then or longer: any number may be its.
func borne(since uint64) bool {
	family.Lock()
	defer family.Unlock()
	for _, clock := range family.births {
		if clock <= since {
			return true
		}
	}
	return false
}

// zombies gives the numbers of our children that have ended and that nobody has waited for
// (proc_pid_stat(5)).
func zombies() (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// The name before it may hold anything.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) < 2 || fields[0] != "Z" || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
