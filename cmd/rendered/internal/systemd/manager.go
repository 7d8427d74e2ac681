// Package systemd tells systemd how the daemon stands, in its words (sd_notify(3)): ready,
// reloading, stopping, alive, and a line for people.
package systemd

import (
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/watch"
)

// A Manager is the systemd that has started this process and wants to hear of it. A nil one hears
// nothing. It belongs to the goroutine that reports.
type Manager struct {
	send     func(string)
	watchdog time.Duration // how long it waits for a sign of life; 0: it does not

	ready     bool
	reloading bool
	status    string
	alive     time.Time // when the last sign of life was given
}

// beatAnyway is how often there is a sign of life where no watchdog asks for it: it prolongs a
// start.
const beatAnyway = 20 * time.Second

// FromEnviron gives the systemd that the environment speaks of, nil where there is none. That it
// cannot be told anything goes into the log, once.
func FromEnviron(log *slog.Logger) *Manager {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	watchdog, err := watchdogOf(os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID"))
	if err != nil {
		log.Warn("systemd's watchdog is not served", "err", err)
	}
	failed := false
	return &Manager{watchdog: watchdog, send: func(text string) {
		if err := send(path, text); err != nil && !failed {
			failed = true
			log.Warn("systemd cannot be told how the daemon stands", "err", err)
		}
	}}
}

// watchdogOf gives how long systemd waits for a sign of life of this process; 0 where it waits for
// none, or for one of another process.
func watchdogOf(usec, pid string) (time.Duration, error) {
	if usec == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/int64(time.Microsecond) {
		return 0, fmt.Errorf("WATCHDOG_USEC is %q", usec)
	}
	return time.Duration(n) * time.Microsecond, nil
}

// patience is how long systemd may take to accept what it is told. Where it hangs the daemon goes
// on.
const patience = time.Second

// send sends a datagram to a socket, which is one without a path where its name begins with @.
func send(path, text string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(text))
	return err
}

// Beat gives how often Report is to be called at least; 0: it does not matter.
func (m *Manager) Beat() time.Duration {
	switch {
	case m == nil:
		return 0
	case m.watchdog > 0:
		return m.watchdog / 3
	}
	return beatAnyway
}

// Report tells what is new in a report, and that whoever reports is alive.
func (m *Manager) Report(r watch.Report) {
	if m == nil {
		return
	}
	text := m.phase(r)
	if status := status(r); status != m.status {
		m.status = status
		text += "STATUS=" + status + "\n"
	}
	if text += m.sign(time.Now()); text != "" {
		m.send(text)
	}
}

// phase says that a phase begins or ends. A reload before the start has ended is kept quiet: its
// end would be taken for that of the start.
func (m *Manager) phase(r watch.Report) string {
	was := m.reloading
	m.reloading = m.ready && r.Doing == watch.Reloading
	switch {
	case r.Doing == watch.Stopping:
		return "STOPPING=1\n"
	case m.reloading && !was:
		return "RELOADING=1\n" + monotonic()
	case was && !m.reloading, !m.ready && r.Tried:
		m.ready = true
		return "READY=1\n"
	}
	return ""
}

// sign gives a sign of life where it is time for one: to the watchdog, and to whoever waits for the
// start.
func (m *Manager) sign(now time.Time) (text string) {
	if now.Sub(m.alive) < m.Beat()*3/4 {
		return ""
	}
	m.alive = now
	if m.watchdog > 0 {
		text += "WATCHDOG=1\n"
	}
	if !m.ready {
		text += fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\n", max(3*m.Beat(), time.Minute).Microseconds())
	}
	return text
}

// monotonic gives the time by which systemd tells this reload from an earlier one.
func monotonic() string {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return ""
	}
	return fmt.Sprintf("MONOTONIC_USEC=%d\n", now.Nano()/1000)
}
