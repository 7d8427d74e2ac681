package e2e

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/e2e/breakdown"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
)

// TestKilledAtEveryStep kills a pass with SIGKILL before each of its steps, those that only look
// included; without -long, before every eleventh. What is on disk is whole at any moment; a restart
// without AWS finishes what was begun; with AWS all is well, and the dependent was told of it:
// once, unless it was told before the kill already.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"first pass", "later pass", "through a link", "in place"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			switch kind {
			case "through a link":
				if err := errors.Join(os.Mkdir(s.path("real"), 0o755), os.Symlink("../real/crt", s.path("tls/site.crt"))); err != nil {
					t.Fatal(err)
				}
			case "in place":
				write(t, s.path("rendered.yaml"), strings.ReplaceAll(siteConfig, "mode:", "write: in-place, mode:"))
			}
			s.put("1")
			s.mustOnce()
			s.remove("told")
			n, pace := 1, long.Or(11, 1)
			for step := 1; ; step += pace {
				if n++; kind == "first pass" {
					n = 1
					s.forget()
				}
				s.put(strconv.Itoa(n))
				out, err := s.once("env", fmt.Sprint(breakdown.KillAt, "=", step))
				if err == nil {
					t.Logf("%s: killed before %d steps", kind, (step-1)/pace)
					return
				}
				if !strings.Contains(err.Error(), "killed") {
					t.Fatalf("step %d: %v:\n%s", step, err, out)
				}
				before := strings.Count(s.read("told"), "\n")
				if told := s.survives(n); told < 1 || told > 1+before {
					t.Errorf("told %d times, %d of them before the kill", told, before)
				}
				if kind == "through a link" && fmt.Sprint(s.list("real")) != "[crt]" {
					t.Errorf("beyond the link there is %v", s.list("real"))
				}
				if t.Failed() {
					t.Fatalf("killed at step %d", step)
				}
			}
		})
	}
}

// forget takes away everything that passes have made.
func (s *site) forget() {
	s.t.Helper()
	if err := errors.Join(os.RemoveAll(s.path("tls")), os.RemoveAll(s.path("state")), os.Mkdir(s.path("tls"), 0o755)); err != nil {
		s.t.Fatal(err)
	}
}

// TestKilledInSystemCalls kills a pass with SIGKILL by strace, before system calls of the kinds
// that change what is on disk, and before it starts the dependent. strace counts calls by thread,
// and a goroutine may move to another: not every call is hit.
func TestKilledInSystemCalls(t *testing.T) {
	long.Test(t)
	t.Parallel()
	needed(t, "strace")
	for _, kind := range []string{"renamed", "in place"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if kind == "in place" {
				s.torn = true
				write(t, s.path("rendered.yaml"), strings.ReplaceAll(siteConfig, "mode:", "write: in-place, mode:"))
			}
			s.put("1")
			s.mustOnce()
			s.remove("told")
			n, killed := 1, 0
			for _, call := range []string{"fallocate", "ftruncate", "fchown", "fchmod", "write", "fsync", "renameat", "unlinkat", "execve"} {
				for when := 1; ; when++ {
					n++
					s.put(strconv.Itoa(n))
					_, err := s.once("strace", "-f", "-o", s.path("trace"), "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, when))
					if err == nil {
						s.remove("told")
						break
					}
					before := strings.Count(s.read("told"), "\n")
					if told := s.survives(n); told > 2 {
						t.Errorf("told %d times, %d of them before the kill", told, before)
					}
					if t.Failed() {
						t.Fatalf("killed at %s %d", call, when)
					}
					killed++
				}
			}
			if t.Logf("%s: killed %d times", kind, killed); killed < 10 {
				t.Error("that is too few")
			}
		})
	}
}

// survives checks what a pass that was killed on the way from version n-1 to n has left, version 0
// being no files, and what passes after it make of that. It gives how often the dependent was told.
func (s *site) survives(n int) (told int) {
	s.t.Helper()
	old, new := strconv.Itoa(n-1), strconv.Itoa(n)
	if n == 1 {
		old = ""
	}
	if !s.torn {
		s.whole("after the kill", old, new)
	}
	clear := s.aws.Inject(awsfake.Fault{Kind: awsfake.Deny, Name: "site"})
	if out, err := s.once(); err == nil {
		s.t.Errorf("a pass without AWS succeeds:\n%s", out)
	}
	clear()
	if crt, key := s.whole("after a restart without AWS", old, new); crt != key {
		s.t.Errorf("a restart without AWS leaves the certificate of %s with the key of %s", crt, key)
	}
	s.mustOnce()
	s.whole("at last", new, new)
	for line := range strings.Lines(s.read("told")) {
		if crt, key, _ := strings.Cut(strings.TrimSpace(line), " "); strings.TrimPrefix(crt, "c-") != strings.TrimPrefix(key, "k-") {
			s.t.Errorf("when told, the dependent found %s", line)
		}
	}
	saw := s.read("told")
	if !strings.HasSuffix(saw, "c-"+new+" k-"+new+"\n") {
		s.t.Errorf("the dependent was not told at last:\n%s", saw)
	}
	if strings.Contains(s.read("state/"+ledger.Name), "path") {
		s.t.Errorf("still owed:\n%s", s.read("state/"+ledger.Name))
	}
	for dir, want := range map[string]string{"tls": "[same site.crt site.key]", "state": "[key ledger.jsonl lock]"} {
		var names []string
		entries, err := os.ReadDir(s.path(dir))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if fmt.Sprint(names) != want || err != nil {
			s.t.Errorf("%s holds %v, want %s: %v", dir, names, want, err)
		}
	}
	if out := s.mustOnce(); !strings.Contains(out, "nothing changed") || s.read("told") != saw {
		s.t.Errorf("one pass more does something:\n%s", out)
	}
	s.remove("told")
	return strings.Count(saw, "\n")
}

// whole checks that both files are those of one of the two versions each, with their modes, and
// gives which. Of version "" there is none.
func (s *site) whole(when, old, new string) (crt, key string) {
	s.t.Helper()
	for name, mode := range map[string]os.FileMode{"tls/site.crt": 0o644, "tls/site.key": 0o640} {
		info, err := os.Stat(s.path(name))
		if old == "" && os.IsNotExist(err) {
			continue
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if info.Mode() != mode {
			s.t.Errorf("%s: %s has mode %v", when, name, info.Mode())
		}
	}
	crt, key = strings.TrimPrefix(s.read("tls/site.crt"), "c-"), strings.TrimPrefix(s.read("tls/site.key"), "k-")
	if crt != old && crt != new || key != old && key != new {
		s.t.Errorf("%s: the files hold %q and %q, neither %s nor %s", when, crt, key, old, new)
	}
	return crt, key
}

func (s *site) remove(name string) {
	if err := os.Remove(s.path(name)); err != nil {
		s.t.Fatal(err)
	}
}
