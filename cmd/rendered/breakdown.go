//go:build breakdown

package main

import (
	"cmp"
	"os"

	"github.com/rendered/rendered/cmd/rendered/internal/settings"
	"github.com/rendered/rendered/internal/e2e/breakdown"
)

// In the program of the end-to-end tests alone.
func init() {
	settings.Files = breakdown.Files(settings.Files)
	settings.Installed = cmp.Or(os.Getenv(breakdown.InstalledAt), settings.Installed)
}
