package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/push"
)

// What changes after the config was read, and before anything is watched, is read all the same, though nothing else is ever due.
func TestConfigChangesBeforeItIsWatched(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "rendered.yaml")
	write(t, main, "services:\nstate_dir: state\n")
	c := newCompiler(main, config.Options{})
	cfg, plan, err := c.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "conf.d", "app.yaml"), "services: {app: {files: [{content: one, path: ../f}]}}\n")

	ctx, cancel := context.WithCancel(t.Context())
	state, err := watch.OpenStateDir(ctx, files, cfg.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	log := slog.New(slog.DiscardHandler)
	d := &upkeep{compiler: c, stateDir: cfg.StateDir, level: new(slog.LevelVar), log: log, watcher: inputs.New(log), listener: push.New(log)}
	d.prepare(ctx, cfg, plan, state)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.run(ctx, nil)
	}()
	defer func() { cancel(); <-ended }()
	until(t.Fatalf, "the new service is kept", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "f"))
		return string(text) == "one"
	})
}
