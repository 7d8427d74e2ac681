package testenv_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	_ "github.com/rendered/rendered/internal/long"
)

// A test sees nothing of what whoever runs it has set, but what is the tests' own.
func TestNobodysEnvironment(t *testing.T) {
	const child = "RENDERED_TEST_NOBODY"
	if os.Getenv(child) != "" {
		umask := syscall.Umask(0)
		fmt.Printf("%03o %q\n", umask, os.Environ())
		return
	}
	syscall.Umask(0o077)
	defer syscall.Umask(0o022)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	own := []string{child + "=1", "AWS_EC2_METADATA_DISABLED=true", "HOME=/", "TZ=Asia/Kolkata", "HTTPS_PROXY=http://127.0.0.1:9"}
	theirs := []string{
		"AWS_PROFILE=web", "AWS_REGION=eu-west-1", "AWS_SESSION_TOKEN=x", "AWS_ENDPOINT_URL_SQS=http://127.0.0.1:9",
		"AWS_CONFIG_FILE=/c", "RENDERED_VAR_env=staging", "RENDERED_SOCKET=/s", "RENDERED_CONFIG=/c", "NOTIFY_SOCKET=/n", "WATCHDOG_USEC=1", "WATCHDOG_PID=1",
		"INVOCATION_ID=1", "JOURNAL_STREAM=8:1", "LISTEN_FDS=1", "RUNTIME_DIRECTORY=/r", "NO_COLOR=1", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/b",
	}
	cmd.Env = slices.Concat(own, theirs)
	out, err := cmd.Output()
	own = append(own, "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	if want := fmt.Sprintf("022 %q\n", own); err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v, it has %s, want %s", err, out, want)
	}
}
