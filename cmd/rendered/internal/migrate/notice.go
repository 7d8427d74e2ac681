package migrate

import (
	"fmt"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A notice is one of ours, and a check that stood before it.
type notice struct {
	key     string // reload, restart, start, signal or run
	value   string
	args    []string // of run, where it is a list
	unit    string   // of signal
	pidFile string   // likewise
	timeout time.Duration
	check   string // what was run before it
	remark  string // what is other than it was
}

var (
	systemctl = lazyregexp.New(`^(?:sudo\s+)?(?:/usr)?(?:/s?bin/)?systemctl\s+(?:(?:-q|--quiet|--no-block)\s+)*(reload|restart|start|try-restart|reload-or-restart|try-reload-or-restart|reload-or-try-restart)\s+(?:(?:-q|--quiet|--no-block)\s+)*['"]?([\w@.:-]+)['"]?$`)
	service   = lazyregexp.New(`^(?:sudo\s+)?(?:/usr)?(?:/s?bin/)?(?:service\s+([\w@.-]+)|/etc/init\.d/([\w@.-]+)|invoke-rc\.d\s+([\w@.-]+))\s+(reload|restart|start|force-reload)$`)
	killUnit  = lazyregexp.New(`^(?:sudo\s+)?(?:/usr)?(?:/s?bin/)?systemctl\s+kill\s+(?:-s|--signal)[ =]?(?:SIG)?([A-Z0-9]+)\s+(?:--kill-who(?:m)?=main\s+)?([\w@.:-]+)$`)
	killPID   = lazyregexp.New("^(?:sudo\\s+)?(?:/bin/)?kill\\s+-(?:s\\s+)?(?:SIG)?([A-Z0-9]+)\\s+(?:\\$\\(|`)\\s*cat\\s+([\\w./@-]+)\\s*(?:\\)|`)$")
	before    = lazyregexp.New(`^(?:sudo\s+)?((?:/usr)?(?:/(?:local/)?s?bin/)?(?:nginx\s+-t|apachectl\s+(?:-t|configtest)|apache2ctl\s+(?:-t|configtest)|haproxy\s+-c\s[^&|;]*|sshd\s+-t|named-checkconf[^&|;]*|visudo\s+-c[^&|;]*))\s*&&\s*(.+)$`)
	failsSoft = lazyregexp.New(`^(.+?)\s*\|\|\s*(?:/bin/)?true$`)
)

// noticeOf gives a command as one of our notices, where it is one; else it is run as it is. It
// reports false for a command that does nothing.
func noticeOf(c command) (notice, bool) {
	if len(c.args) > 0 {
		line := strings.Join(c.args, " ")
		if n, ok := noticeOf(command{shell: line, timeout: c.timeout}); ok && n.key != "run" && n.check == "" && !strings.ContainsAny(line, "'\"`$&|;") {
			return n, true
		}
		return notice{key: "run", args: c.args, timeout: c.timeout}, true
	}
	line := strings.TrimSpace(c.shell)
	n := notice{timeout: c.timeout}
	if m := failsSoft.FindStringSubmatch(line); m != nil && ofSystem(m[1], &n) {
		return n, true
	}
	if m := before.FindStringSubmatch(line); m != nil {
		n.check, line = strings.TrimSpace(m[1]), strings.TrimSpace(m[2])
	}
	switch {
	case line == "" || line == "true" || line == "/bin/true" || line == ":":
		return n, n.check != ""
	case ofSystem(line, &n):
	default:
		n.key, n.value = "run", line
	}
	return n, true
}

// ofSystem reads a command that reloads, restarts or signals a unit or a process.
func ofSystem(line string, n *notice) bool {
	if m := systemctl.FindStringSubmatch(line); m != nil {
		verb := m[1]
		switch verb {
		case "try-restart":
			verb = "restart"
			n.remark = fmt.Sprintf("%s becomes restart: here it also starts a unit that does not run", m[1])
		case "reload-or-restart", "try-reload-or-restart", "reload-or-try-restart":
			verb = "reload"
			n.remark = fmt.Sprintf("%s becomes reload: a unit that cannot be reloaded needs restart:", m[1])
		}
		n.key, n.value = verb, unit(m[2])
		return true
	}
	if m := service.FindStringSubmatch(line); m != nil {
		n.key, n.value = strings.TrimPrefix(m[4], "force-"), unit(m[1]+m[2]+m[3])
		return true
	}
	if m := killUnit.FindStringSubmatch(line); m != nil && signalNames.MatchString(m[1]) {
		n.key, n.value, n.unit = "signal", m[1], unit(m[2])
		return true
	}
	if m := killPID.FindStringSubmatch(line); m != nil && signalNames.MatchString(m[1]) {
		n.key, n.value, n.pidFile = "signal", m[1], m[2]
		return true
	}
	return false
}

// signalNames are those that a notice knows by name.
var signalNames = lazyregexp.New(`^(HUP|INT|QUIT|USR1|USR2|TERM|WINCH|CONT)$`)

// unit gives the whole name of a unit.
func unit(name string) string {
	if strings.Contains(name, ".") && units.MatchString(name) {
		return name
	}
	return name + ".service"
}

var units = lazyregexp.New(`\.(service|socket|timer|path|target|mount|slice|scope)$`)
