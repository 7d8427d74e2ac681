package inputs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A scene is a watcher at work in a directory.
type scene struct {
	t      *testing.T
	dir    string
	w      *Watcher
	ping   chan struct{} // something was reported
	rounds int

	mu   sync.Mutex
	seen []string
}

func watch(t *testing.T, setup func(dir string), paths ...Input) *scene {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	setup(dir)
	s := &scene{t: t, dir: dir, w: New(slog.New(slog.DiscardHandler)), ping: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.w.Run(ctx, s.report)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	var list []Input
	for _, in := range paths {
		in.Path = filepath.Join(dir, in.Path)
		list = append(list, in)
	}
	s.w.Set(Look(append(list, Input{Path: filepath.Join(dir, "ready")})))
	s.settle()
	return s
}

// report is what the watcher calls.
func (s *scene) report(paths []string) {
	s.mu.Lock()
	s.seen = append(s.seen, paths...)
	s.mu.Unlock()
	select {
	case s.ping <- struct{}{}:
	default:
	}
}

// take gives what was reported since the last time.
func (s *scene) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// settle waits until everything up to now has been looked at, and forgets what was reported: an
// input of our own is changed.
func (s *scene) settle() {
	s.t.Helper()
	s.rounds++
	s.write("ready", strings.Repeat("x", s.rounds))
	s.await("ready")
}

// await waits until the input is said to have changed.
func (s *scene) await(name string) {
	s.t.Helper()
	limit := time.After(time.Minute)
	for !slices.Contains(s.take(), s.path(name)) {
		select {
		case <-s.ping:
		case <-limit:
			s.t.Fatalf("nobody said that %s changed", name)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *scene) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scene) write(name, content string) {
	s.t.Helper()
	must(s.t, os.WriteFile(s.path(name), []byte(content), 0o600))
}

// want waits until the input is said to have changed, and until nothing more is to be said.
func (s *scene) want(name string) {
	s.t.Helper()
	s.await(name)
	s.settle()
}

func nothing(string) {}

func TestChangesAreSeen(t *testing.T) {
	replace := func(s *scene, name, content string) {
		s.write(name+".tmp", content)
		must(s.t, os.Rename(s.path(name+".tmp"), s.path(name)))
	}
	kubernetes := func(dir string) {
		for _, v := range []string{"..1", "..2", "..3"} {
			os.MkdirAll(filepath.Join(dir, "vol", v), 0o700)
			os.WriteFile(filepath.Join(dir, "vol", v, "conf"), []byte(v), 0o600)
		}
		os.Symlink("..1", filepath.Join(dir, "vol", "..data"))
		os.Symlink("..data/conf", filepath.Join(dir, "vol", "conf"))
	}
	for name, c := range map[string]struct {
		setup func(dir string)
		input string
		steps []func(s *scene)
	}{
		"written in place": {nothing, "f", []func(*scene){
			func(s *scene) { s.write("f", "1") },
			func(s *scene) { s.write("f", "22") },
			func(s *scene) { s.write("f", "333") },
		}},
		"renamed over": {nothing, "f", []func(*scene){
			func(s *scene) { replace(s, "f", "1") },
			func(s *scene) { replace(s, "f", "2") },
		}},
		"removed and made again": {nothing, "f", []func(*scene){
			func(s *scene) { s.write("f", "1") },
			func(s *scene) { must(s.t, os.Remove(s.path("f"))) },
			func(s *scene) { s.write("f", "1") },
			func(s *scene) { must(s.t, os.Remove(s.path("f"))) },
		}},
		"symlink flipped as Kubernetes does": {kubernetes, "vol/conf", []func(*scene){
			func(s *scene) {
				must(s.t, os.Symlink("..2", s.path("vol/..tmp")))
				must(s.t, os.Rename(s.path("vol/..tmp"), s.path("vol/..data")))
			},
			func(s *scene) {
				must(s.t, os.Symlink("..3", s.path("vol/..tmp")))
				must(s.t, os.Rename(s.path("vol/..tmp"), s.path("vol/..data")))
			},
			func(s *scene) { s.write("vol/..3/conf", "in the real directory") },
		}},
		"directory that comes, goes and comes": {nothing, "a/b/f", []func(*scene){
			func(s *scene) { must(s.t, os.MkdirAll(s.path("a/b"), 0o700)); s.write("a/b/f", "1") },
			func(s *scene) { must(s.t, os.RemoveAll(s.path("a"))) },
			func(s *scene) { must(s.t, os.MkdirAll(s.path("a/b"), 0o700)); s.write("a/b/f", "2") },
			func(s *scene) { s.write("a/b/f", "again") },
		}},
		"directory replaced": {func(dir string) { os.Mkdir(filepath.Join(dir, "d"), 0o700) }, "d/f", []func(*scene){
			func(s *scene) { s.write("d/f", "1") },
			func(s *scene) {
				must(s.t, os.Mkdir(s.path("new"), 0o700))
				s.write("new/f", "22")
				must(s.t, os.Rename(s.path("d"), s.path("old")))
				must(s.t, os.Rename(s.path("new"), s.path("d")))
			},
			func(s *scene) { s.write("d/f", "333") },
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := watch(t, c.setup, Input{Path: c.input})
			for _, step := range c.steps {
				step(s)
				s.want(c.input)
			}
		})
	}
}

func TestDirectoryWithMatch(t *testing.T) {
	s := watch(t, func(dir string) { os.Mkdir(filepath.Join(dir, "d"), 0o700) },
		Input{Path: "d", Match: func(name string) bool { return strings.HasPrefix(name, "_") }})
	s.write("d/other", "no input")
	s.write("d/_head", "1")
	s.want("d")
	must(t, os.Remove(s.path("d/_head")))
	s.want("d")
}

// What shares a directory with an input wakes nobody.
func TestForeignFilesAreNotReported(t *testing.T) {
	s := watch(t, nothing, Input{Path: "f"})
	for i := range 100 {
		s.write("access.log", fmt.Sprint(i))
	}
	if paths := slices.DeleteFunc(s.take(), func(path string) bool { return path == s.path("ready") }); len(paths) != 0 {
		t.Errorf("reported %v", paths)
	}
	s.write("f", "1")
	s.want("f")
}

func TestManyQuickChangesEndWithTheLast(t *testing.T) {
	s := watch(t, nothing, Input{Path: "f"})
	for i := range 200 {
		s.write("f", strings.Repeat("x", i))
	}
	s.want("f")
	s.write("f", "last")
	s.want("f")
}

func TestNothingIsLeftBehind(t *testing.T) {
	fds := func() int { l, _ := os.ReadDir("/proc/self/fd"); return len(l) }
	before, files := runtime.NumGoroutine(), fds()
	for range 5 {
		t.Run("once", func(t *testing.T) {
			s := watch(t, nothing, Input{Path: "f"})
			s.write("f", "1")
			s.want("f")
		})
	}
	for limit := time.After(time.Minute); runtime.NumGoroutine() > before || fds() > files; {
		select {
		case <-limit:
			t.Fatalf("%d goroutines and %d descriptors, before %d and %d", runtime.NumGoroutine(), fds(), before, files)
		default:
			runtime.Gosched()
		}
	}
}

func TestStamp(t *testing.T) {
	dir := t.TempDir()
	list := Look([]Input{{Path: dir + "/f"}, {Path: dir, Match: func(name string) bool { return name != "f" }}})
	seen := map[string]bool{list[0].Seen + list[1].Seen: true}
	for _, step := range []func() error{
		func() error { return os.WriteFile(dir+"/f", nil, 0o600) },
		func() error { return os.WriteFile(dir+"/f", []byte("x"), 0o600) },
		func() error { return os.WriteFile(dir+"/g", []byte("x"), 0o600) },
		func() error { return os.Rename(dir+"/g", dir+"/h") },
	} {
		must(t, step())
		if Same(list) {
			t.Error("the change is not seen")
		}
		list = Look(list)
		if s := list[0].Seen + list[1].Seen; seen[s] || !Same(list) {
			t.Error("the stamps do not show the change")
		} else {
			seen[s] = true
		}
	}
}

// Between reading an input and watching it, it may change: that change is told all the same.
func TestChangedBeforeItIsWatched(t *testing.T) {
	for name, in := range map[string]Input{
		"file":      {Path: "f"},
		"directory": {Path: "d", Match: func(string) bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			s := watch(t, nothing)
			in.Path = s.path(in.Path)
			list := Look([]Input{in, {Path: s.path("ready")}})
			s.write("f", "1")
			must(t, os.Mkdir(s.path("d"), 0o700))
			s.w.Set(list)
			s.await(filepath.Base(in.Path))
		})
	}
}

// Where nobody knows what was read, it is read again; only once.
func TestUnseenIsToldOnce(t *testing.T) {
	s := watch(t, nothing)
	list := append(Look([]Input{{Path: s.path("ready")}}), Input{Path: s.path("f")}, Input{Path: s.path("d"), Match: func(string) bool { return true }})
	s.w.Set(list)
	s.await("f") // and d, in one breath
	s.w.Set(list)
	s.rounds++
	s.write("ready", strings.Repeat("x", s.rounds))
	for {
		<-s.ping
		seen := s.take()
		if slices.Contains(seen, s.path("f")) || slices.Contains(seen, s.path("d")) {
			t.Errorf("told again: %v", seen)
		}
		if slices.Contains(seen, s.path("ready")) {
			return
		}
	}
}

// Where the process has no descriptors left to look with, inputs are looked at from time to time.
func TestNoDescriptors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	must(t, os.WriteFile(path, []byte("one"), 0o600))
	var log strings.Builder
	w := New(slog.New(slog.NewTextHandler(&log, nil)))
	defer w.fsn.Close()
	w.set([]Input{{Path: path}})
	var limit, none syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	none.Max = limit.Max
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	w.arm()
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	if !w.blind || !strings.Contains(log.String(), "looking every 30 s instead") || !strings.Contains(log.String(), "LimitNOFILE=") {
		t.Errorf("blind %v, said %s", w.blind, &log)
	}
	if w.arm(); w.armed[dir] == "" {
		t.Errorf("watched are %v", w.armed)
	}
}
