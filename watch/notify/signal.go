package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/fault"
)

// Signal sends a signal to one process: the main process of a unit, or the one that a pid file
// names. Exactly one of Unit and PIDFile is set.
//
// It looks before it sends. Most signals kill a process that has not installed its handler yet;
// such a process is not signaled, which is NotHandled, and can be tried again a moment later. Only
// those that are there to end a process (TERM, INT, QUIT, KILL) need no handler.
type Signal struct {
	Signal  syscall.Signal
	Unit    string // without a suffix it is a .service
	PIDFile string // absolute path
	Bus     string // D-Bus address of systemd; "" is the system bus
}

// signalTimeout bounds the questions to systemd; the rest takes no time.
const signalTimeout = 30 * time.Second

// signals are those by which programs are told something, and those that end them.
var signals = []syscall.Signal{
	unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGALRM, unix.SIGCONT, unix.SIGTTIN, unix.SIGTTOU,
	unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGKILL,
}

// Signals gives the names that ParseSignal takes, without SIG.
func Signals() (names []string) {
	for _, s := range signals {
		names = append(names, signalName(s))
	}
	return names
}

// ParseSignal reads a signal's name, with SIG or without. Numbers are refused: some differ from
// machine to machine, and none says what it does.
func ParseSignal(text string) (syscall.Signal, error) {
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	names := Signals()
	if i := slices.Index(names, name); i >= 0 {
		return signals[i], nil
	}
	switch near := fault.Near(name, names); {
	case text != "" && strings.Trim(text, "0123456789") == "":
		return 0, errors.New("a signal is given by its name, like HUP")
	case near != "":
		return 0, fmt.Errorf("no signal that tells a program anything; did you mean %s?", near)
	}
	return 0, fmt.Errorf("no signal that tells a program anything; there are %s", strings.Join(names, ", "))
}

func signalName(s syscall.Signal) string { return strings.TrimPrefix(unix.SignalName(s), "SIG") }

// ends reports whether s is there to end a process that does not handle it.
func ends(s syscall.Signal) bool {
	return slices.Contains([]syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGKILL}, s)
}

// Name gives "HUP app.service" or "HUP /run/app.pid".
func (s Signal) Name() string {
	if s.Unit != "" {
		return signalName(s.Signal) + " " + unitName(s.Unit)
	}
	return signalName(s.Signal) + " " + s.PIDFile
}

// Target gives the unit or the pid file.
func (s Signal) Target() string {
	if s.Unit != "" {
		return unitName(s.Unit)
	}
	return s.PIDFile
}

// Do sends the signal. That the process handles it is all the acknowledgement that there is.
func (s Signal) Do(ctx context.Context, _ Change) (Output, error) {
	if err := ctx.Err(); err != nil {
		return Output{}, stopped(ctx, "about to signal")
	}
	p, err := s.find(ctx)
	if err != nil {
		return Output{}, err
	}
	defer p.Close()
	if err := p.heeds(s.Signal); err != nil {
		return Output{}, err
	}
	return Output{}, p.send(s.Signal)
}

// find opens the process that is meant, and makes sure that it is still the one.
func (s Signal) find(ctx context.Context) (*process, error) {
	if s.Unit == "" {
		return fromPIDFile(s.PIDFile)
	}
	ctx, cancel := context.WithTimeout(ctx, signalTimeout)
	defer cancel()
	m, err := dial(ctx, s.Bus)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return m.mainProcess(ctx, unitName(s.Unit))
}
