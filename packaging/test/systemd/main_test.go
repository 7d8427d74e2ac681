// Package systemd_test tells the whole story of the package on the real thing: a Debian with its
// systemd, polkit and nginx, that is booted with systemd-nspawn, and an AWS beside it. It takes
// root, and what tools names; so it is told only to those who ask for it:
//
//	RENDERED_TEST_SYSTEMD=1 go test -v ./packaging/test/systemd
package systemd_test

import (
	"os"
	"sync"
	"testing"
)

// releases are the Debians on which the story is told.
var releases = []string{"bookworm", "trixie"}

// stories are told one after the other on one machine. Each leaves it as the next wants it:
// everything runs, nothing is owed.
var stories = []struct {
	name string
	tell func(*site)
}{
	{"a fresh install", freshInstall},
	{"rotations under load", rotateUnderLoad},
	{"a broken key", brokenKey},
	{"kill -9", killed},
	{"a daemon that hangs", hung},
	{"a broken config", brokenConfig},
	{"a faulty part of the config", faultyPart},
	{"twenty services of one secret", oneReload},
	{"seven questions", sevenQuestions},
	{"a stop", stop},
	{"a file elsewhere", elsewhere},
	{"what the SSM Agent reports", agentReports},
	{"metrics", metered},
	{"units that do not stay up", unitsThatStay},
	{"environment files", environmentFiles},
	{"narrower sandboxes", narrowed},
	{"an ordinary user", ordinaryUser},
	{"without a daemon", onceBeforeNginx},
	{"AWS away at boot", awayAtBoot},
	{"a quiet minute", quietMinute},
	{"an upgrade", upgrade},
	{"a purge", purge},
	{"as the README has it", asDocumented},
	{"no value in the journal", noCanary},
}

func TestSystemd(t *testing.T) {
	if os.Getenv("RENDERED_TEST_SYSTEMD") == "" {
		t.Skip("RENDERED_TEST_SYSTEMD=1 boots a Debian; that takes root")
	}
	tools(t)
	tree, err := pack(repository, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	before := t.TempDir()
	older := sync.OnceValues(func() (parcel, error) { return packCommit("HEAD^", before) })
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, image(t, release), release)
			s := newSite(m, newCloud(t))
			s.reach(m)
			s.release, s.tree, s.older = release, tree, older
			tellAll(t, s)
		})
	}
}

func tellAll(t *testing.T, s *site) {
	for _, story := range stories {
		good := t.Run(story.name, func(t *testing.T) {
			s.t = t
			story.tell(s)
		})
		s.t = t
		if !good {
			return // the machine is not what the next story takes it for
		}
	}
}
