package e2e

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/rendered/rendered/render/preview"
)

// root is the project's directory.
const root = "../.."

// Exit codes of the program.
const (
	exitFailed = 1
	exitPanic  = 70
)

// ours is the variable of the environment that names a program which was built before, for users
// who have no Go.
const ours = "RENDERED_TEST_PROGRAM"

// raceDetector is set where the race detector watches, the program as well. It makes minutes of
// what takes seconds and has nothing to do with races.
var raceDetector bool

func TestMain(m *testing.M) {
	preview.Main()
	// Under nohup(1) every program that the tests launch would ignore it, and a shell cannot change
	// that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	closeOnExec()
	// Without this each child waits a second for the race detector.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	// Most of the tests wait for what they have started.
	_ = flag.Set("test.parallel", "8")
	code := m.Run()
	_ = os.RemoveAll(buildDir)
	os.Exit(code)
}

// closeOnExec keeps what make(1) and others leave open for their children from ours, which look at
// what they have open.
func closeOnExec() {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// program gives the path of the program that these tests are about. From then on it is found by its
// name as well.
func program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// copyProgram puts the program where another user may run it. A process of its own writes it: what
// we have open is open in children of other tests, too, and is then busy (ETXTBSY in execve(2)).
func copyProgram(t testing.TB, to string) {
	t.Helper()
	if out, err := exec.Command("install", "-m", "0755", program(t), to).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}

var buildDir string

// built builds the program, once in a run.
var built = sync.OnceValues(func() (path string, err error) {
	if path = os.Getenv(ours); path == "" {
		if buildDir, err = os.MkdirTemp("", "rendered-e2e"); err == nil {
			path, err = build(buildDir, "-tags=breakdown")
		}
		if err != nil {
			return "", err
		}
	}
	return path, os.Setenv("PATH", filepath.Dir(path)+":"+os.Getenv("PATH"))
})

// build compiles the program into a directory, where other users can execute it.
func build(dir string, flags ...string) (path string, err error) {
	if err := noteSource(); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "rendered")
	if raceDetector {
		flags = append(flags, "-race")
	}
	args := append([]string{"build", "-buildvcs=false", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "./cmd/rendered")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w:\n%s", err, out)
	}
	return path, os.Chmod(dir, 0o755)
}

// noteSource looks at all of the source: what a test looks at decides whether go test takes its
// last result for this one.
func noteSource() error {
	for _, dir := range []string{"cmd", "docs/cookbook", "internal", "render", "sources", "watch"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	_, err := os.Stat(filepath.Join(root, "go.mod"))
	return err
}
