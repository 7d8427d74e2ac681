package notify

import (
	"bufio"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// bus starts a private message bus and gives its address.
func bus(t *testing.T) string {
	t.Helper()
	address, _ := mortalBus(t)
	return address
}

// mortalBus is a bus, and how to end it before the test does.
func mortalBus(t *testing.T) (address string, end func()) {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("dbus-daemon is missing, and must be there in CI")
		}
		t.Skip("no dbus-daemon here")
	}
	dir, err := os.MkdirTemp("", "bus") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(`<busconfig>
		<type>session</type>
		<listen>unix:path=`+dir+`/socket</listen>
		<policy context="default">
			<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
		</policy>
		</busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(end)
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address), end
}

// systemd is a small org.freedesktop.systemd1: it answers what the daemon asks, and ends jobs as it
// is told.
type systemd struct {
	t    *testing.T
	conn *dbus.Conn

	mu      sync.Mutex
	units   map[string]*fakeUnit
	calls   []string                // METHOD UNIT MODE
	jobs    int                     // so far
	refusal *dbus.Error             // of every job; nil: none
	result  string                  // of every job; "" does not end any
	results map[string]string       // Result and ReloadResult of every unit; "": it has none
	more    map[string]dbus.Variant // properties of every unit, of both interfaces
	files   []unitFile
	before  func()        // called when a job is asked for, before it ends; may be nil
	asked   chan struct{} // gets one for each job
}

type fakeUnit struct {
	load, active string
	canReload    bool
	pids         []uint32 // of the main process, one for each time it is asked for; the last stays
}

// client connects to the bus, until the test ends, half a minute at most.
func client(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func fakeSystemd(t *testing.T, address string, units map[string]*fakeUnit) *systemd {
	t.Helper()
	conn := client(t, address)
	s := &systemd{t: t, conn: conn, units: units, result: "done", asked: make(chan struct{}, 100)}
	if err := conn.Export(s, managerPath, managerType); err != nil {
		t.Fatal(err)
	}
	if err := conn.ExportSubtree(properties{s}, managerPath, "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(destination, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return s
}

// hang makes jobs that never end.
func (s *systemd) hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result = ""
}

func path(unit string) dbus.ObjectPath {
	return managerPath + "/unit/" + dbus.ObjectPath(strings.NewReplacer(".", "_2e", "-", "_2d", "@", "_40").Replace(unit))
}

// LoadUnit is systemd's.
func (s *systemd) LoadUnit(name string) (dbus.ObjectPath, *dbus.Error) { return path(name), nil }

// A unitFile is the file of a unit, and whether it is enabled.
type unitFile struct{ Path, State string }

// ListUnitFiles is systemd's.
func (s *systemd) ListUnitFiles() ([]unitFile, *dbus.Error) { return s.files, nil }

// Subscribe is systemd's.
func (s *systemd) Subscribe() *dbus.Error { return nil }

// ReloadUnit is systemd's.
func (s *systemd) ReloadUnit(name, mode string) (dbus.ObjectPath, *dbus.Error) {
	return s.job("reload", name, mode)
}

// RestartUnit is systemd's.
func (s *systemd) RestartUnit(name, mode string) (dbus.ObjectPath, *dbus.Error) {
	return s.job("restart", name, mode)
}

// StartUnit is systemd's.
func (s *systemd) StartUnit(name, mode string) (dbus.ObjectPath, *dbus.Error) {
	return s.job("start", name, mode)
}

func (s *systemd) job(method, name, mode string) (dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, method+" "+name+" "+mode)
	defer func() { s.asked <- struct{}{} }() // when nothing more is said: the bus may go then
	if s.refusal != nil {
		return "", s.refusal
	}
	if s.before != nil {
		s.before()
	}
	s.jobs++
	job := managerPath + "/job/" + dbus.ObjectPath(strconv.Itoa(s.jobs))
	s.removed("/org/freedesktop/systemd1/job/999", "other.service", "failed")
	if s.result != "" {
		s.removed(job, name, s.result)
	}
	return job, nil
}

func (s *systemd) removed(job dbus.ObjectPath, unit, result string) {
	if err := s.conn.Emit(managerPath, managerType+".JobRemoved", uint32(1), job, unit, result); err != nil {
		s.t.Error(err)
	}
}

// properties answers for the units.
type properties struct{ s *systemd }

// GetAll is that of org.freedesktop.DBus.Properties.
func (p properties) GetAll(m dbus.Message, of string) (map[string]dbus.Variant, *dbus.Error) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	name, u := "", &fakeUnit{load: "not-found", active: "inactive"}
	at, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	for n, known := range p.s.units {
		if path(n) == at {
			name, u = n, known
		}
	}
	all := maps.Clone(p.s.more)
	if all == nil {
		all = make(map[string]dbus.Variant)
	}
	if of == unitType {
		all["LoadState"], all["ActiveState"], all["CanReload"] = dbus.MakeVariant(u.load), dbus.MakeVariant(u.active), dbus.MakeVariant(u.canReload)
		return all, nil
	}
	if name != "" && !strings.HasSuffix(name, ".service") {
		return nil, dbus.NewError(dbus.ErrMsgUnknownInterface.Name, []any{"Unknown interface."})
	}
	for _, result := range []string{"Result", "ReloadResult"} {
		if p.s.results[result] != "" {
			all[result] = dbus.MakeVariant(p.s.results[result])
		}
	}
	if len(u.pids) > 0 {
		all["MainPID"] = dbus.MakeVariant(u.pids[0])
	}
	if len(u.pids) > 1 {
		u.pids = u.pids[1:]
	}
	return all, nil
}
