package container_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/pages"
)

// A pod is what is run of Kubernetes' definition of one.
type pod struct {
	Spec struct {
		Shared     bool     `yaml:"shareProcessNamespace"`
		Context    security `yaml:"securityContext"`
		Volumes    []volume
		Init       []container `yaml:"initContainers"`
		Containers []container
	}
}

type volume struct {
	Name  string
	Empty *struct{ Medium string } `yaml:"emptyDir"`
}

type security struct {
	User     int  `yaml:"runAsUser"`
	Group    int  `yaml:"runAsGroup"`
	FSGroup  int  `yaml:"fsGroup"`
	ReadOnly bool `yaml:"readOnlyRootFilesystem"`
}

type container struct {
	Name, Image   string
	Args, Command []string
	Security      security `yaml:"securityContext"`
	Mounts        []struct {
		Name     string
		Path     string `yaml:"mountPath"`
		ReadOnly bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

// A site is a directory in which a pod is laid out.
type site struct {
	t   *testing.T
	dir string
	log lines
}

// lines are what containers print.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "rendered-pod")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &site{t: t, dir: dir}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// config writes the page's config, and the values that stand in the place of AWS.
func (s *site) config(password string) {
	s.t.Helper()
	all, err := pages.Blocks(project)
	if err != nil {
		s.t.Fatal(err)
	}
	config := ""
	for _, b := range all {
		if b.Page == "docs/containers.md" && b.Kind == "yaml" {
			config += b.Text
		}
	}
	if err := os.MkdirAll(s.path("config"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	write(s.t, s.path("config/rendered.yaml"), config)
	write(s.t, s.path("config/new"), fmt.Sprintf("secrets: {prod/app: {password: %q}}\n", password))
	if err := os.Rename(s.path("config/new"), s.path("config/values.yaml")); err != nil {
		s.t.Fatal(err)
	}
}

// lay gives the lines of a script that mount a container's root and run it as its definition says.
func (s *site) lay(c container, p pod, image string) string {
	s.t.Helper()
	root := s.path("roots/" + c.Name)
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		s.t.Fatal(err)
	}
	line := []string{"/usr/bin/rendered"}
	if c.Image == "rendered" {
		output(s.t, "cp", "-a", image, root)
		if c.Args == nil {
			c.Args = []string{"run"}
		}
	} else {
		output(s.t, "install", "-D", "/bin/busybox", root+"/bin/busybox")
		output(s.t, "sh", "-c", "chmod 755 "+root+" && for a in sh cp sleep; do ln -s busybox "+root+"/bin/$a; done")
		line = c.Command
	}
	var script strings.Builder
	fmt.Fprintf(&script, "mount --bind %[1]s %[1]s\n", root)
	for _, m := range c.Mounts {
		at := root + m.Path
		fmt.Fprintf(&script, "mkdir -p %[2]s && mount --bind %[1]s %[2]s\n", s.path(m.Name), at)
		if m.ReadOnly {
			fmt.Fprintf(&script, "mount -o remount,bind,ro %s\n", at)
		}
	}
	fmt.Fprintf(&script, "mkdir -p %[1]s/proc && mount -t proc proc %[1]s/proc\n", root)
	fmt.Fprintf(&script, "mkdir -p %[1]s/dev && touch %[1]s/dev/null && mount --bind /dev/null %[1]s/dev/null\n", root)
	if c.Security.ReadOnly {
		fmt.Fprintf(&script, "mount -o remount,bind,ro %s\n", root)
	}
	fmt.Fprintf(&script, "env -i PATH=/usr/bin:/bin RENDERED_SOCKET=/run/rendered/rendered.sock RENDERED_VALUES=/etc/rendered/values.yaml AWS_EC2_METADATA_DISABLED=true"+
		" %s --userspec=%d:%d --groups= %s", strings.TrimSpace(output(s.t, "sh", "-c", "command -v chroot")), p.Spec.Context.User, p.Spec.Context.Group, root)
	for _, word := range append(line, c.Args...) {
		fmt.Fprintf(&script, " '%s'", strings.ReplaceAll(word, "'", `'\''`))
	}
	return script.String()
}

// start runs a script in namespaces of its own, and gives its end.
func (s *site) start(script string) (*exec.Cmd, chan error) {
	s.t.Helper()
	write(s.t, s.path("script"), "set -e\nmount --make-rprivate /\n"+script)
	cmd := exec.CommandContext(s.t.Context(), "sh", s.path("script"))
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		close(ended)
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is process 1 of its namespace: all others end before it
		<-ended
		if s.t.Failed() {
			s.t.Log(s.log.String())
		}
	})
	return cmd, ended
}

// until waits for something.
func (s *site) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not in a minute: %s\n%s", what, s.log.String())
		}
	}
}

func (s *site) has(name, text string) func() bool {
	return func() bool {
		found, err := os.ReadFile(s.path(name))
		return err == nil && strings.Contains(string(found), text)
	}
}

// volumes makes the directories that stand for volumes.
func (s *site) volumes(p pod) {
	s.t.Helper()
	for _, v := range p.Spec.Volumes {
		if v.Empty == nil {
			continue
		}
		if err := os.Mkdir(s.path(v.Name), 0o770); err != nil {
			s.t.Fatal(err)
		}
		if err := cmp.Or(os.Chown(s.path(v.Name), 0, p.Spec.Context.FSGroup), os.Chmod(s.path(v.Name), 0o2770)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// beside runs the page's pod: the application finds its file at its start, and is told of a
// rotation.
func beside(t *testing.T, image, definition string) {
	var p pod
	if err := yaml.Unmarshal([]byte(definition), &p); err != nil {
		t.Fatal(err)
	}
	if !p.Spec.Shared || len(p.Spec.Init) != 1 || len(p.Spec.Containers) != 2 || p.Spec.Context.User == 0 {
		t.Fatalf("%+v", p)
	}
	s := newSite(t)
	s.config("c4n4ry-one")
	s.volumes(p)
	script := s.lay(p.Spec.Init[0], p, image) + "\necho the first has ended\n"
	for _, c := range p.Spec.Containers {
		script += s.lay(c, p, image) + " &\n"
	}
	s.start(script + "wait\n")
	s.until("the application has its file before it starts", s.has("files/app.conf", "c4n4ry-one"))
	s.until("both run", func() bool { _, err := os.Stat(s.path("files/app.pid")); return err == nil })
	status := func() string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(image, "usr/bin/rendered"), "status")
		cmd.Env = []string{"RENDERED_SOCKET=" + s.path("socket/rendered.sock")}
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	s.until("the daemon answers", func() bool { return strings.Contains(status(), "app") && !strings.Contains(status(), "error") })
	s.config("c4n4ry-two")
	s.until("the application uses the new file", s.has("files/in-use", "c4n4ry-two"))
	if strings.Contains(s.log.String(), "c4n4ry") {
		t.Error("a value is in the log")
	}
}

// first runs the daemon as process 1: it looks again at SIGUSR1, reads its config again at SIGHUP,
// and ends at SIGTERM.
func first(t *testing.T, image string) {
	s := newSite(t)
	s.config("c4n4ry-one")
	var c container
	p := pod{}
	p.Spec.Context = security{User: 65532, Group: 65532, FSGroup: 65532}
	p.Spec.Volumes = []volume{{Name: "files", Empty: &struct{ Medium string }{}}, {Name: "state", Empty: &struct{ Medium string }{}}, {Name: "socket", Empty: &struct{ Medium string }{}}}
	definition := "{name: one, image: rendered, securityContext: {readOnlyRootFilesystem: true}, volumeMounts: [" +
		"{name: config, mountPath: /etc/rendered, readOnly: true}, {name: files, mountPath: /etc/app}, {name: state, mountPath: /var/lib/rendered}, {name: socket, mountPath: /run/rendered}]}"
	if err := yaml.Unmarshal([]byte(definition), &c); err != nil {
		t.Fatal(err)
	}
	s.volumes(p)
	lines := strings.Split(s.lay(c, p, image), "\n")
	lines[len(lines)-1] = "exec " + lines[len(lines)-1]
	cmd, ended := s.start(strings.Join(lines, "\n"))
	s.until("it renders", s.has("files/app.conf", "c4n4ry-one"))
	signal := func(sig syscall.Signal) {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(s.path("files/app.conf")); err != nil {
		t.Fatal(err)
	}
	signal(syscall.SIGUSR1)
	s.until("it looks again", s.has("files/app.conf", "c4n4ry-one"))
	write(t, s.path("config/rendered.yaml"), read(t, s.path("config/rendered.yaml"))+"  more:\n    files: [{path: /etc/app/more, content: more}]\n")
	signal(syscall.SIGHUP)
	s.until("it has read its config again", s.has("files/more", "more"))
	begun := time.Now()
	signal(syscall.SIGTERM)
	if err := <-ended; err != nil || time.Since(begun) > 15*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}
