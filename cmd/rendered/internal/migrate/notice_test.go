package migrate

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

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
		"nginx -t && true":                                   "  after nginx -t",
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

// Checks of several files are one command, which fails where one of them does.
func TestChecksTogether(t *testing.T) {
	for want, commands := range map[string][]string{
		"nginx -t": {"nginx -t"},
		"nginx -t && haproxy -c -f /etc/haproxy.cfg": {"nginx -t", "haproxy -c -f /etc/haproxy.cfg"},
		"(true # all\n) && false":                    {"true # all", "false"},
		"(true; false\n) && true":                    {"true; false", "true"},
		"true && (false || true\n) && (false &\n)":   {"true", "false || true", "false &"},
	} {
		if got := together(commands); got != want {
			t.Errorf("%q: %q, want %q", commands, got, want)
		}
		fails := len(commands) > 1 && commands[1] == "false" || len(commands) > 0 && strings.HasSuffix(commands[0], "; false")
		if strings.Contains(want, "nginx") {
			continue
		}
		if err := exec.Command("sh", "-c", together(commands)).Run(); (err != nil) != fails {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// Two paths have two names, however they are written.
func TestNamesAreOfOnePath(t *testing.T) {
	for _, paths := range [][]string{{"secret/a b", "secret/a-b", "secret/a:b", "secret/data/a b"}, {"secret/a-b", "secret/a b"}, {"kv/x", "secret/x", "kv/kv/x", "secret/kv/x"}} {
		n := &names{given: map[string]string{}, found: map[string]string{}, owner: map[string]string{}}
		of := map[string]string{}
		for _, path := range paths {
			plain := strings.Replace(path, "/data/", "/", 1)
			if name := n.name(path); of[name] != "" && of[name] != plain {
				t.Errorf("%q and %q are both called %q", of[name], path, name)
			} else {
				of[name] = plain
			}
		}
	}
}

// No line of what a comment is made of is more than a comment, and no character breaks the YAML.
func TestCommentsAreComments(t *testing.T) {
	for c := range rune(0x3000) {
		var p page
		p.comment(2, "before"+string(c)+"services: {}")
		var tree map[string]any
		if err := yaml.Unmarshal([]byte("a: 1\n"+p.String()+"b: 2\n"), &tree); err != nil || len(tree) != 2 {
			t.Fatalf("U+%04X: %v: %v", c, tree, err)
		}
	}
}
