package migrate

import (
	"fmt"
	"testing"
	"time"

	_ "github.com/rendered/rendered/internal/long"
)

// What reloads, restarts or signals a unit or a process is a notice of its own; everything else is
// run as it is.
func TestNotices(t *testing.T) {
	for shell, want := range map[string]string{
		"systemctl reload nginx":                             "reload nginx.service",
		"/usr/bin/systemctl restart app.service":             "restart app.service",
		"sudo systemctl --quiet reload 'haproxy'":            "reload haproxy.service",
		"systemctl try-restart php8.2-fpm":                   "restart php8.2-fpm.service",
		"systemctl reload-or-restart app@1.service":          "reload app@1.service",
		"systemctl start backup.timer":                       "start backup.timer",
		"/usr/sbin/service nginx reload":                     "reload nginx.service",
		"service nginx force-reload":                         "reload nginx.service",
		"/etc/init.d/haproxy reload":                         "reload haproxy.service",
		"systemctl reload nginx || true":                     "reload nginx.service",
		"nginx -t && systemctl reload nginx":                 "reload nginx.service after nginx -t",
		"haproxy -c -f /etc/haproxy.cfg && service h reload": "reload h.service after haproxy -c -f /etc/haproxy.cfg",
		"systemctl kill -s HUP app.service":                  "signal HUP app.service",
		"kill -HUP $(cat /run/app.pid)":                      "signal HUP /run/app.pid",
		"kill -s USR1 `cat /run/app.pid`":                    "signal USR1 /run/app.pid",
		"kill -9 $(cat /run/app.pid)":                        "run kill -9 $(cat /run/app.pid)",
		"systemctl reload a && systemctl reload b":           "run systemctl reload a && systemctl reload b",
		"systemctl reload $UNIT":                             "run systemctl reload $UNIT",
		"nginx -s reload":                                    "run nginx -s reload",
		"pkill -HUP app":                                     "run pkill -HUP app",
		"true":                                               "none",
		" ":                                                  "none",
	} {
		n, does := noticeOf(command{shell: shell, timeout: time.Minute})
		got := "none"
		if does {
			got = n.key + " " + n.value
			if n.unit+n.pidFile != "" {
				got += " " + n.unit + n.pidFile
			}
			if n.check != "" {
				got += " after " + n.check
			}
		}
		if got != want || does && n.timeout != time.Minute {
			t.Errorf("%q: %s, want %s", shell, got, want)
		}
	}
	for want, args := range map[string][]string{"reload nginx.service []": {"systemctl", "reload", "nginx"}, "run  [sh -c systemctl reload nginx]": {"sh", "-c", "systemctl reload nginx"}} {
		n, _ := noticeOf(command{args: args})
		if got := fmt.Sprint(n.key, " ", n.value, " ", n.args); got != want {
			t.Errorf("%q: %s, want %s", args, got, want)
		}
	}
}
