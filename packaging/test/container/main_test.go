// Package container_test builds the image of the container by buildah, and runs what
// docs/containers.md shows of it. It takes root, buildah and busybox; so it is done only for those
// who ask for it:
//
//	RENDERED_TEST_CONTAINER=1 go test -count=1 -v ./packaging/test/container
package container_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/pages"
)

const project = "../../.."

func TestContainer(t *testing.T) {
	if os.Getenv("RENDERED_TEST_CONTAINER") == "" {
		t.Skip("RENDERED_TEST_CONTAINER=1 builds the image of the container and runs it; that takes root")
	}
	if os.Geteuid() != 0 {
		t.Fatal("needs root")
	}
	for program, from := range map[string]string{"buildah": "buildah", "busybox": "busybox-static", "unshare": "util-linux"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: apt-get install %s", err, from)
		}
	}
	store(t)
	shown := make(map[string]string)
	for _, b := range pages.Claimed(t) {
		shown[b.Kind] = b.Text
	}
	dockerfile := read(t, filepath.Join(project, "packaging/container/Dockerfile"))
	if _, instructions, _ := strings.Cut(dockerfile, "FROM"); "FROM"+instructions != shown["dockerfile"] {
		t.Errorf("the page shows another Dockerfile:\n%s", shown["dockerfile"])
	}
	commands(t, shown["sh image"])
	root := image(t)
	t.Run("process 1", func(t *testing.T) { first(t, root) })
	t.Run("pod", func(t *testing.T) { beside(t, root, shown["yaml pod"]) })
}

// store gives buildah a store of its own for images, and what it needs within a container.
func store(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rendered-image") // t.TempDir would be taken away before it is unmounted
	if err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", filepath.Join(dir, "graph"), filepath.Join(dir, "run"))
	write(t, filepath.Join(dir, "storage.conf"), conf)
	t.Setenv("CONTAINERS_STORAGE_CONF", filepath.Join(dir, "storage.conf"))
	t.Setenv("STORAGE_DRIVER", "vfs")
	t.Setenv("BUILDAH_ISOLATION", "chroot")
	t.Cleanup(func() {
		if out, err := exec.Command("buildah", "rm", "--all").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		os.RemoveAll(dir)
	})
}

// commands runs the page's commands in a copy of what is checked out.
func commands(t *testing.T, script string) {
	t.Helper()
	clone := filepath.Join(t.TempDir(), "clone")
	output(t, "git", "clone", "--quiet", "--no-hardlinks", project, clone)
	for _, dir := range []string{filepath.Dir(filepath.Dir(clone)), filepath.Dir(clone), clone} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Those that are not committed yet are part of what is tried.
	output(t, "cp", "-a", filepath.Join(project, "packaging"), clone)
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir = clone
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "\nok\n") || !strings.Contains(string(out), "2 lookups of 1 ref, answered from /etc/rendered/values.yaml without AWS.") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// image looks at the image, and gives the directory of its root.
func image(t *testing.T) string {
	t.Helper()
	var about struct {
		OCIv1 struct {
			Config struct {
				User            string
				Entrypoint, Cmd []string
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(output(t, "buildah", "inspect", "--type", "image", "rendered")), &about); err != nil {
		t.Fatal(err)
	}
	config := about.OCIv1.Config
	if config.User != "65532:65532" || !slices.Equal(config.Entrypoint, []string{"/usr/bin/rendered"}) || !slices.Equal(config.Cmd, []string{"run"}) {
		t.Errorf("%+v", config)
	}
	root := strings.TrimSpace(output(t, "buildah", "mount", strings.TrimSpace(output(t, "buildah", "from", "rendered"))))
	want := `drwxr-xr-x 0:0 etc
drwxr-xr-x 0:0 etc/rendered
drwxr-xr-x 0:0 etc/ssl
drwxr-xr-x 0:0 etc/ssl/certs
-rw-r--r-- 0:0 etc/ssl/certs/ca-certificates.crt
drwxr-xr-x 0:0 run
drwx------ 65532:65532 run/rendered
drwxr-xr-x 0:0 usr
drwxr-xr-x 0:0 usr/bin
-rwxr-xr-x 0:0 usr/bin/rendered
drwxr-xr-x 0:0 var
drwxr-xr-x 0:0 var/lib
drwx------ 65532:65532 var/lib/rendered
`
	lines := strings.Split(strings.TrimSpace(output(t, "find", root, "-mindepth", "1", "-printf", `%M %U:%G %P\n`)), "\n")
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(strings.Fields(a)[2], strings.Fields(b)[2]) })
	if diff := cmp.Diff(want, strings.Join(lines, "\n")+"\n"); diff != "" {
		t.Error(diff)
	}
	return root
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	out, err := cmd.Output()
	if err != nil {
		said := ""
		if ended, ok := err.(*exec.ExitError); ok {
			said = string(ended.Stderr)
		}
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, said)
	}
	return string(out)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
