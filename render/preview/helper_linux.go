package preview

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// helperName is the helper's own name, by which Main knows it.
const helperName = "rendered-preview"

// The helper's stages.
const (
	stageEnter = "enter" // make a user namespace, and start the next stage in it
	stageShow  = "show"  // in a mount namespace of its own: show the files, become the command
)

// The helper's descriptors.
const (
	planFD = 3 + iota
	reportFD
)

// A step is one in which something went wrong.
type step struct {
	name string
	error
}

// enter runs the next stage in a user namespace and a mount namespace, and ends as it ends. The
// daemon itself could not give the user namespace its ids: as an ordinary user it may not write to
// its children's files in /proc, because its memory is closed to others.
func (m mailbox) enter() error {
	// Whoever stops the group means the command: this process ends after it. A signal that is
	// caught is not, as one that is ignored would be, ignored by the command too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	ids := mapIDs()
	ambient := ambient()
	cmd := &exec.Cmd{
		Path:       self,
		Args:       []string{helperName, stageShow, strconv.FormatUint(ambient, 16)},
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		ExtraFiles: []*os.File{m.plan, m.report},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:                 syscall.CLONE_NEWUSER,
			Unshareflags:               syscall.CLONE_NEWNS,
			UidMappings:                ids.users,
			GidMappings:                ids.groups,
			GidMappingsEnableSetgroups: ids.all,
			AmbientCaps:                bits(ambient | 1<<unix.CAP_SYS_ADMIN),
		},
	}
	if err := cmd.Start(); err != nil {
		return step{"making a user namespace", cause(err)}
	}
	_ = cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		signal.Reset(status.Signal())
		_ = syscall.Kill(os.Getpid(), status.Signal())
	}
	os.Exit(status.ExitStatus())
	return nil
}

// show mounts the files at their paths and becomes the command. Capabilities that only the user
// namespace gave are those that are not in the mask.
func (p plan) show(mask []string) error {
	runtime.LockOSThread()
	if p.Probe {
		return probe()
	}
	if err := mount(p.Files); err != nil {
		return err
	}
	// The working directory may be one that is covered now.
	if dir, err := os.Getwd(); err == nil {
		_ = os.Chdir(dir)
	}
	if len(mask) > 0 {
		if err := keepAmbient(mask[0]); err != nil {
			return step{"giving up capabilities", err}
		}
	}
	return step{stepCommand, syscall.Exec(p.Path, p.Args, os.Environ())}
}

func keepAmbient(text string) error {
	mask, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		return fmt.Errorf("capabilities %q: %w", text, err)
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	for _, c := range bits(mask) {
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, c, 0, 0); err != nil {
			return err
		}
	}
	return nil
}
