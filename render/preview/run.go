//go:build linux && !portable

package preview

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
)

// Main is the helper, where this process is one, and does not return then. Each program that calls
// Run calls it first of all.
func Main() {
	if len(os.Args) < 2 || os.Args[0] != helperName {
		return
	}
	m := mailbox{os.NewFile(planFD, "plan"), os.NewFile(reportFD, "report")}
	unix.CloseOnExec(planFD)
	unix.CloseOnExec(reportFD)
	var p plan
	err := get(m.plan, &p)
	if err != nil {
		err = step{"reading the plan", err}
	} else if os.Args[1] == stageEnter {
		err = m.enter()
	} else {
		err = p.show(os.Args[2:])
	}
	if s, ok := errors.AsType[step](err); ok {
		errno, _ := errors.AsType[syscall.Errno](s.error)
		_ = put(m.report, report{s.name, s.Error(), errno})
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, c command.Command, p plan, o command.Options) ([]byte, error) {
	var m mailbox
	defer m.close()
	// Without CAP_SYS_ADMIN it takes a user namespace.
	user, entered := !capable(unix.CAP_SYS_ADMIN), false
	o.Via = func(cmd *exec.Cmd) error {
		entered = true
		p.Path, p.Args = cmd.Path, cmd.Args
		if err := m.open(p); err != nil {
			return err
		}
		cmd.Path, cmd.Args = self, []string{helperName, stageEnter}
		cmd.ExtraFiles = []*os.File{m.plan, m.report}
		if !user {
			cmd.Args[1] = stageShow
			cmd.SysProcAttr.Unshareflags |= syscall.CLONE_NEWNS
		}
		return nil
	}
	output, err := command.Run(ctx, c, o)
	failed, ok := errors.AsType[*command.Error](err)
	if !ok {
		return output, err
	}
	report := m.read()
	switch {
	case entered && failed.Reason == command.Start:
		return nil, refusal(user, "making a namespace", cause(failed.Err))
	case report.Step == stepCommand:
		return nil, command.NotStarted(c, o.Dir, report.Errno)
	case report.Step != "":
		return nil, refusal(user, report.Step, &helperError{report.Text, report.Errno})
	}
	if user && failed.Reason != command.Stopped {
		failed.Hints = append(failed.Hints, "it ran in a user namespace, as CAP_SYS_ADMIN is missing: there a program cannot bind ports below 1024 or act as another user")
	}
	return output, failed
}
