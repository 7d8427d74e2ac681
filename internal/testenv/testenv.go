// Package testenv has tests run in an environment that is nobody's: what whoever runs them has set
// for AWS, for systemd or for this program itself says nothing about the tests. Whoever imports it
// has a process without these variables and without ~/.aws/config, and the usual umask. A test sets
// what it is about.
package testenv

import (
	"os"
	"slices"
	"strings"
	"syscall"
)

func init() {
	syscall.Umask(0o022)
	defer nobodysSettings()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); personal(name) {
			_ = os.Unsetenv(name)
		}
	}
}

// nobodysSettings has the SDK find no shared config and no credentials of a home.
func nobodysSettings() {
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		_ = os.Setenv(name, os.DevNull)
	}
}

// kept are those of the tests themselves.
var kept = []string{"AWS_EC2_METADATA_DISABLED", "RENDERED_TEST_"}

// ofOthers are variables, or how they begin, by which the program, the SDK or systemd's libraries
// would do something else.
var ofOthers = []string{
	"AWS_", "RENDERED_", "NO_COLOR",
	"NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "INVOCATION_ID", "JOURNAL_STREAM", "RUNTIME_DIRECTORY",
	"DBUS_SYSTEM_BUS_ADDRESS",
}

// personal reports that a variable is taken away.
func personal(name string) bool {
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return slices.ContainsFunc(ofOthers, begins) && !slices.ContainsFunc(kept, begins)
}
