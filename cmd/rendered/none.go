package main

import (
	"log/slog"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

// noServices is said of a config that has none. That is how a package installs it, and no mistake.
const noServices = "there are no services yet"

// firstService says where to put one.
func firstService(cfg *config.Config) string {
	return "add one under services: in " + cfg.Path + ", or in a file of " + cfg.ConfD + " that ends in .yaml"
}

// sayNone says in the daemon's log that it has nothing to keep.
func sayNone(log *slog.Logger, cfg *config.Config) {
	if len(cfg.Services) == 0 {
		log.Info(noServices, "hint", firstService(cfg))
	}
}
