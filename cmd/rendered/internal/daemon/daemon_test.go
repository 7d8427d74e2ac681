package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/disk"
)

// What changes after the config was read, and before anything is watched, is read all the same,
// though nothing else is ever due.
func TestConfigChangesBeforeItIsWatched(t *testing.T) {
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	main := filepath.Join(dir, "rendered.yaml")
	write(main, "services:\nstate_dir: state\n")
	d, err := Start(t.Context(), Options{Plan: plan.Options{Config: main}, System: disk.Host, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "conf.d", "app.yaml"), "services: {app: {files: [{content: one, path: ../f}]}}\n")

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	kept := func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "f"))
		return string(text) == "one"
	}
	for limit := time.After(time.Minute); !kept(); {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-limit:
			t.Fatal("the new service is not kept")
		}
	}
}

// An address that somebody else has keeps no service from being kept.
func TestAddressIsTaken(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	dir := t.TempDir()
	main := filepath.Join(dir, "rendered.yaml")
	config := fmt.Sprintf("state_dir: state\nmetrics: {listen: %q}\nservices: {app: {files: [{content: one, path: f}]}}\n", other.Addr())
	if err := os.WriteFile(main, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d, err := Start(t.Context(), Options{Plan: plan.Options{Config: main}, System: disk.Host, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	said := func(words string) bool {
		text, _ := os.ReadFile(log.Name())
		return strings.Contains(string(text), words)
	}
	for limit := time.After(time.Minute); !said("file created") || !said("address already in use"); {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-limit:
			t.Fatal("the service is not kept, or nothing is said of the address")
		}
	}
}

// A panic beside the loop ends the daemon, in order, and says where it was.
func TestTriggerPanics(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "rendered.yaml")
	if err := os.WriteFile(main, []byte("services:\nstate_dir: state\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Start(t.Context(), Options{Plan: plan.Options{Config: main}, System: disk.Host, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.listener = nil
	if mistake := d.Run(t.Context()); mistake == nil || !strings.Contains(mistake.What, "a mistake in rendered itself") {
		t.Errorf("got %v", mistake)
	}
}
