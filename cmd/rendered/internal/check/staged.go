package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// SetStage has a check work with the versions that have a staging label.
func (o *Options) SetStage(label string) error {
	if !o.Online {
		return errors.New("it takes --online, which looks secrets up")
	}
	r, err := sources.ParseRef(sources.Secret, "name:"+label)
	if err != nil || r.Selector == "" {
		return errors.New("it is a staging label other than AWSCURRENT, as AWSPENDING")
	}
	o.Stage = label
	return nil
}

// tries has every service try a pass with the versions that have the staging label, checks
// included, and reports whether none would refuse.
func (c *checker) tries(ctx context.Context) bool {
	dir, err := privateDir()
	if err != nil {
		c.find(Error, ofMachine, &fault.Fault{What: fmt.Sprintf("no directory to check files in: %v", err), Err: err})
		return false
	}
	defer os.RemoveAll(dir)
	staged := &sources.Staged{Source: c.plan.Source, Label: c.Stage}
	p := *c.plan
	p.Source = staged
	options := pass.Options{State: pass.NoStateDir(), Redactor: c.redactor}
	var faults fault.List
	c.during(waitsFor("lookups and checks"), func() { faults = watch.Try(ctx, &p, options, dir, nil) })
	c.sayStage(staged.Found())
	c.find(Error, ofLookups, faults.Unique()...)
	return len(faults) == 0
}

// sayStage says which secrets have a version with the staging label.
func (c *checker) sayStage(found []sources.Stage) {
	c.report.Stage = &Stage{Label: c.Stage, Secrets: []Staged{}}
	for _, s := range found {
		c.report.Stage.Secrets = append(c.report.Stage.Secrets, Staged{s.Ref.String(), s.Version})
		text := fmt.Sprintf("%s as %s", s.Ref, c.Stage)
		if s.Version != "" {
			text += ", version " + s.Version
		}
		console.Say(c.out, text)
	}
	if len(found) == 0 {
		console.Say(c.out, fmt.Sprintf("no secret has a version %s: all are checked as they are", c.Stage))
	}
}

// privateDir makes a directory of our own, in memory where there is one. Others can pass through
// it, as checks of other users do, and not list it.
func privateDir() (dir string, err error) {
	for _, in := range slices.Concat([]string{os.Getenv("XDG_RUNTIME_DIR"), "/run", "/dev/shm"}, []string{os.TempDir()}) {
		if in == "" {
			continue
		}
		if dir, err = os.MkdirTemp(in, "rendered-check-"); err == nil {
			break
		}
	}
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}
