package connect

import (
	"context"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/sources/local"
	"github.com/rendered/rendered/watch/inputs"
)

// What is known of the sources of a config before one is opened.

// Files gives what the sources are made from: the values file, or those files of AWS's
// configuration that are there. The latter name programs to run (credential_process), and where AWS
// is.
func Files(ctx context.Context, cfg *config.Config) (list []inputs.Input) {
	if cfg.Values != "" {
		return []inputs.Input{{Path: cfg.Values}}
	}
	for _, path := range aws.Files(ctx, cfg.AWS) {
		// /dev/null is a way to have none.
		if way, err := disk.Walk(path); err == nil && way.Found() && way.Last().Type == 0 {
			list = append(list, inputs.Input{Path: path})
		}
	}
	return list
}

// CheckRef gives a function that says why AWS can never answer a ref; nil where AWS is not asked.
func CheckRef(cfg *config.Config) func(sources.Ref) *sources.Error {
	if cfg.Values != "" {
		return nil
	}
	return aws.Offline(cfg.AWS).Check
}

// CheckValues finds what is wrong with the values file, where the config has one.
func CheckValues(cfg *config.Config) fault.List {
	if cfg.Values == "" {
		return nil
	}
	if faults := trust.Hanging([]inputs.Input{{Path: cfg.Values}}); len(faults) > 0 {
		return faults
	}
	faults := local.CheckValues(cfg.Values)
	if len(faults) > 0 && faults[0].Place.Line == 0 { // it could not be read
		faults[0].Hints = slices.Concat(faults[0].Hints, sandbox.Unseen(cfg.Values))
	}
	return faults
}
