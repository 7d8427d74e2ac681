// Package moto runs moto_server, an implementation of AWS's protocols that nobody here wrote, for
// tests to judge our own fake and our own client by.
package moto

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

var listening = regexp.MustCompile(`Running on (http://127\.0\.0\.1:[0-9]+)`)

// Start runs moto_server on a free port of loopback until the test ends and gives its endpoint.
// Where it is not installed the test is skipped, but fails in CI.
func Start(t testing.TB) (endpoint string) {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	late := time.AfterFunc(time.Minute, cancel)
	cmd := exec.CommandContext(ctx, path, "-H", "127.0.0.1", "-p", "0")
	cmd.WaitDelay = time.Second
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			late.Stop()
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				for lines.Scan() { // a full pipe would stop it
				}
			}()
			t.Cleanup(func() { cancel(); <-drained; _ = cmd.Wait() })
			return m[1]
		}
	}
	_ = cmd.Wait()
	t.Fatal("moto_server does not say where it listens")
	return ""
}

// Env gives the environment, as KEY=value, in which a program that uses an AWS SDK asks the server
// at the endpoint.
func Env(endpoint string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + endpoint,
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}
