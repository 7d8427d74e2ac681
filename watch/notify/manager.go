package notify

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	systemBus = "unix:path=/run/dbus/system_bus_socket"
	// privateBus is systemd's own socket, for root. It works without a bus.
	privateBus  = "unix:path=/run/systemd/private"
	destination = "org.freedesktop.systemd1"
	managerPath = dbus.ObjectPath("/org/freedesktop/systemd1")
	managerType = "org.freedesktop.systemd1.Manager"
	unitType    = "org.freedesktop.systemd1.Unit"
	serviceType = "org.freedesktop.systemd1.Service"

	propertiesType = "org.freedesktop.DBus.Properties"
)

// A manager is systemd, over a connection of its own: one that is kept would have to notice that
// the bus went away.
//
// It uses godbus and not go-systemd, which listens on a second connection, ignores that listening
// may be refused, and cannot be told to give up.
type manager struct {
	conn *dbus.Conn
	// owner is how systemd signs: its unique name on a bus, which is another after daemon-reexec.
	owner string
}

// A unit is what systemd says about one.
type unit struct {
	name        string
	path        dbus.ObjectPath
	loadState   string // loaded, not-found, masked, bad-setting, error
	activeState string // active, reloading, inactive, failed, activating, deactivating
	canReload   bool
}

// dial reaches systemd at a D-Bus address; "" is DBUS_SYSTEM_BUS_ADDRESS, else the system bus, and
// without one, for root, systemd's own socket. The connection ends with ctx.
func dial(ctx context.Context, address string) (*manager, error) {
	given := cmp.Or(address, os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"))
	m, err := dialBus(ctx, cmp.Or(given, systemBus))
	if err != nil && given == "" && os.Geteuid() == 0 {
		if m, err := dialPrivate(ctx); err == nil {
			return m, nil
		}
	}
	switch {
	case err == nil:
		return m, nil
	case ctx.Err() != nil:
		return nil, stopped(ctx, "connecting to systemd")
	}
	e := unreachable("", "")
	e.Err, e.Hints = err, []string{"is dbus running, and is systemd the init system here? In a container, use signal: or run:"}
	return nil, e
}

// dialBus connects to systemd over a message bus.
func dialBus(ctx context.Context, address string) (*manager, error) {
	conn, err := connect(ctx, address)
	if err != nil {
		return nil, err
	}
	m := &manager{conn: conn}
	if err = conn.Hello(); err == nil {
		m.owner, err = m.nameOwner(ctx)
	}
	if err == nil {
		err = conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(destination), dbus.WithMatchObjectPath(managerPath),
			dbus.WithMatchInterface(managerType), dbus.WithMatchMember("JobRemoved"))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return m, nil
}

// dialPrivate connects to systemd itself.
//
// A message that reaches systemd together with the end of the authentication stays unread until
// more comes (seen with systemd 252, on most connections), so the first one is a ping, and it is
// repeated.
func dialPrivate(ctx context.Context) (*manager, error) {
	conn, err := connect(ctx, privateBus)
	if err != nil {
		return nil, err
	}
	for range 40 {
		soon, cancel := context.WithTimeout(ctx, 25*time.Millisecond)
		err = conn.Object(destination, managerPath).CallWithContext(soon, "org.freedesktop.DBus.Peer.Ping", 0).Err
		cancel()
		if err == nil {
			return &manager{conn: conn, owner: destination}, nil
		}
	}
	conn.Close()
	return nil, err
}

// nameOwner asks the bus who is systemd.
func (m *manager) nameOwner(ctx context.Context) (owner string, err error) {
	err = m.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, destination).Store(&owner)
	return owner, err
}

func connect(ctx context.Context, address string) (*dbus.Conn, error) {
	conn, err := dbus.Dial(address, dbus.WithContext(ctx), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		return nil, err
	}
	// By number: a name would have to be looked up first.
	if err := conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Close ends the connection.
func (m *manager) Close() { m.conn.Close() }

// load asks for a unit. One that does not exist is a unit, too, in the state not-found.
func (m *manager) load(ctx context.Context, name string) (*unit, error) {
	if err := template(name); err != nil {
		return nil, err
	}
	u := &unit{name: name}
	err := m.conn.Object(destination, managerPath).CallWithContext(ctx, managerType+".LoadUnit", 0, name).Store(&u.path)
	var of map[string]dbus.Variant
	if err == nil {
		of, err = m.properties(ctx, u, unitType)
	}
	if err != nil {
		return nil, explainCall(ctx, err, "look at", name)
	}
	u.loadState, u.activeState = text(of, "LoadState"), text(of, "ActiveState")
	u.canReload, _ = of["CanReload"].Value().(bool)
	return u, nil
}

// mainProcess opens the main process of a unit.
func (m *manager) mainProcess(ctx context.Context, name string) (*process, error) {
	u, err := m.load(ctx, name)
	if err != nil {
		return nil, err
	}
	pid, err := m.mainPID(ctx, u)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		if err := u.unusable(); err != nil {
			return nil, err
		}
		return nil, &Error{Reason: NotRunning, What: "unit is not running", Hints: []string{"systemctl status " + name}}
	}
	restarting := &Error{Reason: NotRunning, What: "unit is just being restarted"}
	p, err := open(int(pid))
	if err != nil {
		restarting.Err = err
		return nil, restarting
	}
	// systemd knows of the end of a main process before its number is free again.
	if again, err := m.mainPID(ctx, u); err != nil || again != pid {
		p.Close()
		return nil, cmp.Or(err, error(restarting))
	}
	return p, nil
}

func (m *manager) mainPID(ctx context.Context, u *unit) (uint32, error) {
	of, err := m.properties(ctx, u, serviceType)
	if e, ok := errors.AsType[dbus.Error](err); ok && e.Name == dbus.ErrMsgUnknownInterface.Name {
		return 0, &Error{Reason: NotSupported, What: "only a .service has a main process", Err: err}
	}
	if err != nil {
		return 0, explainCall(ctx, err, "look at", u.name)
	}
	pid, _ := of["MainPID"].Value().(uint32)
	return pid, nil
}

// run asks what a unit is like.
func (m *manager) run(ctx context.Context, u *unit) (run, error) {
	of, err := m.properties(ctx, u, unitType)
	if err != nil {
		return run{}, err
	}
	r := run{active: text(of, "ActiveState")}
	if id, ok := of["InvocationID"].Value().([]byte); ok {
		r.invocation = hex.EncodeToString(id)
	}
	if at, ok := of["InactiveExitTimestamp"].Value().(uint64); ok && at != 0 {
		r.begun = time.UnixMicro(int64(at))
	}
	if !strings.HasSuffix(u.name, ".service") {
		return r, nil
	}
	if of, err = m.properties(ctx, u, serviceType); err != nil {
		return run{}, err
	}
	r.kind, r.reload, r.death = cmp.Or(text(of, "Type"), "simple"), text(of, "ReloadResult"), deathIn(of)
	r.restarts, _ = of["NRestarts"].Value().(uint32)
	return r, nil
}

func (m *manager) properties(ctx context.Context, u *unit, of string) (all map[string]dbus.Variant, err error) {
	err = m.conn.Object(destination, u.path).CallWithContext(ctx, propertiesType+".GetAll", 0, of).Store(&all)
	return all, err
}

func text(properties map[string]dbus.Variant, name string) string {
	s, _ := properties[name].Value().(string)
	return s
}

func deathIn(properties map[string]dbus.Variant) death {
	d := death{result: text(properties, "Result")}
	d.code, _ = properties["ExecMainCode"].Value().(int32)
	d.status, _ = properties["ExecMainStatus"].Value().(int32)
	return d
}

// usable is load, and an error where the unit is none that could run.
func (m *manager) usable(ctx context.Context, name string) (*unit, error) {
	u, err := m.load(ctx, name)
	if err == nil {
		err = u.unusable()
	}
	return u, err
}

func (u *unit) unusable() error {
	switch {
	case u.loadState == "masked":
		return masked("", u.name)
	case u.loadState == "not-found" && u.activeState == "inactive":
		return missing("", u.name)
	case u.loadState == "bad-setting" || u.loadState == "error":
		return &Error{Reason: NotSupported, What: "systemd cannot use the unit's file", Hints: []string{"systemctl status " + u.name}}
	}
	return nil
}

func missing(Verb, string) *Error {
	return &Error{Reason: Missing, What: "there is no such unit", Hints: []string{"systemctl list-unit-files"}}
}

func masked(_ Verb, unit string) *Error {
	return &Error{Reason: Masked, What: "unit is masked", Hints: []string{"systemctl unmask " + unit}}
}

func notPermitted(verb Verb, unit string) *Error {
	return &Error{Reason: NotPermitted, What: fmt.Sprintf("we may not %s the unit", verb), Hints: []string{
		"run the daemon as root, or allow its user by a polkit rule:",
		fmt.Sprintf(`action org.freedesktop.systemd1.manage-units, unit %q, verb %q`, unit, verb),
		"/usr/share/doc/rendered/examples/systemd/50-rendered.rules is one; it takes polkitd",
	}}
}

func unreachable(Verb, string) *Error {
	return &Error{Reason: Unreachable, What: "systemd does not answer on D-Bus"}
}

// callErrors say what errors of D-Bus mean. The names are systemd's, in bus-common-errors.h, and
// the D-Bus specification's.
var callErrors = map[string]func(verb Verb, unit string) *Error{
	"org.freedesktop.systemd1.NoSuchUnit":                         missing,
	"org.freedesktop.systemd1.LoadFailed":                         missing,
	"org.freedesktop.systemd1.UnitMasked":                         masked,
	"org.freedesktop.systemd1.JobTypeNotApplicable":               func(_ Verb, unit string) *Error { return notReloadable(unit) },
	"org.freedesktop.DBus.Error.AccessDenied":                     notPermitted,
	"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": notPermitted,
	"org.freedesktop.DBus.Error.ServiceUnknown":                   unreachable,
	"org.freedesktop.DBus.Error.NameHasNoOwner":                   unreachable,
	"org.freedesktop.DBus.Error.NoReply":                          unreachable,
	"org.freedesktop.DBus.Error.Timeout":                          unreachable,
	"org.freedesktop.DBus.Error.Disconnected":                     unreachable,
}

// explainCall says what the error of a call means. The texts of D-Bus's name units and jobs only.
func explainCall(ctx context.Context, err error, verb Verb, unit string) *Error {
	if ctx.Err() != nil {
		return stopped(ctx, "waiting for systemd")
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return &Error{Reason: Unreachable, What: "the connection to systemd broke", Err: err}
	}
	explained := &Error{Reason: Failed, What: fmt.Sprintf("systemd refuses to %s the unit: %s", verb, strings.TrimSuffix(e.Error(), "."))}
	if explain := callErrors[e.Name]; explain != nil {
		explained = explain(verb, unit)
	}
	// Of an ordinary user's call systemd asks polkit, which it starts for that: the cause may be
	// with that unit.
	if strings.Contains(e.Error(), "polkit") && !strings.Contains(unit, "polkit") {
		explained = &Error{Reason: NotPermitted, What: fmt.Sprintf("we may not %s the unit: polkit, which could let us, does not run", verb), Hints: []string{
			"systemctl status polkit", "or run the daemon as root",
		}}
	}
	explained.Err = err
	return explained
}
