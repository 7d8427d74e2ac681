// Package sandbox knows what the unit that this process runs in keeps it from (systemd.exec(5)),
// and what to write to be let.
package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Remedy says what to write so that the error of the file system that the path met goes away, a
// line each; nothing where it is not the unit's sandbox that forbids it.
func Remedy(path string, err error) []string {
	if !errors.Is(err, unix.EROFS) && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	p, dir := here(), filepath.Dir(path)
	if !p.mountOf(dir).hidden() {
		dir = nearest(dir)
	}
	return p.remedy(dir, err)
}

// Unseen says why a file that is there for others may not be for this unit, and what to do, a line
// each; nothing where the unit sees what all see.
func Unseen(path string) []string { return here().unseen(path) }

func (n namespace) unseen(path string) []string {
	m := n.mountOf(path)
	switch {
	case n.unit == "":
		return nil
	case m.hidden() && home(m.point):
		return n.dropIn("hides "+m.point+": have the file elsewhere, as in /etc, or let it read there", "ProtectHome=read-only")
	case n.private(path):
		return []string{n.unit + " has a /tmp and a /var/tmp of its own; have the file elsewhere, as in /etc, or set PrivateTmp=no in a drop-in"}
	}
	return nil
}

// Unit gives the service of systemd's that this process is of; "" where it is of none.
func Unit() string { return here().unit }

// Private tells whether a file at the path would be seen by this unit alone.
func Private(path string) bool { return here().private(path) }

func (n namespace) private(path string) bool {
	return n.unit != "" && strings.Contains(n.mountOf(path).root, "systemd-private-")
}

// nearest gives the directory itself, or that above it which exists, beyond all links: a unit with
// a path that is not there does not start.
func nearest(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return found
		} else if at == "/" {
			return dir
		}
	}
}

// A namespace is what a process sees of the machine.
type namespace struct {
	unit   string // "" where it is none of systemd's
	mounts []mount
}

// A mount is one of a mount namespace (proc_pid_mountinfo(5)).
type mount struct {
	root, point string
	readOnly    bool // here
	medium      bool // the file system itself is read-only, wherever it is mounted
}

// here gives where this process runs.
func here() namespace {
	if os.Getenv("INVOCATION_ID") == "" {
		return namespace{}
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return namespace{}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return namespace{}
	}
	return namespace{unitOf(string(groups)), mountsOf(string(mounts))}
}

// unitOf gives the service that a process's control groups belong to (cgroups(7)).
func unitOf(groups string) string {
	for line := range strings.Lines(groups) {
		_, path, ok := strings.Cut(strings.TrimSpace(line), "::")
		if !ok {
			if _, path, ok = strings.Cut(line, ":name=systemd:"); !ok {
				continue
			}
		}
		names := strings.Split(strings.TrimSpace(path), "/")
		for i := len(names) - 1; i >= 0; i-- {
			if strings.HasSuffix(names[i], ".service") {
				return names[i]
			}
		}
	}
	return ""
}

func mountsOf(text string) (list []mount) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(text) {
		own, super, ok := strings.Cut(line, " - ")
		fields, more := strings.Fields(own), strings.Fields(super)
		if !ok || len(fields) < 6 || len(more) < 3 {
			continue
		}
		list = append(list, mount{
			root:     unescape.Replace(fields[3]),
			point:    unescape.Replace(fields[4]),
			readOnly: has(fields[5], "ro"),
			medium:   has(more[len(more)-1], "ro"),
		})
	}
	return list
}

func has(options, option string) bool {
	return strings.Contains(","+options+",", ","+option+",")
}

// mountOf gives the mount that a path is in. Of several at one point the last covers the others.
func (n namespace) mountOf(path string) (found mount) {
	for _, m := range n.mounts {
		if len(m.point) >= len(found.point) && below(path, m.point) {
			found = m
		}
	}
	return found
}

func below(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}

// hidden tells whether the unit sees an empty directory in the place of what is there.
func (m mount) hidden() bool { return strings.HasSuffix(m.root, "/inaccessible/dir") }

// sealed tells whether a file system that can be written to is mounted so that it cannot.
// ProtectSystem= does so to /usr at least: where that can be written to, it is not the unit.
func (n namespace) sealed(m mount) bool {
	closed := func(m mount) bool { return m.readOnly && !m.medium }
	return closed(m) && closed(n.mountOf("/usr"))
}

// kernels are the directories that no line of a unit makes a place for files.
var kernels = []string{"/proc", "/sys", "/dev"}

func (n namespace) remedy(dir string, err error) []string {
	if n.unit == "" {
		return nil
	}
	m := n.mountOf(dir)
	sealed := errors.Is(err, unix.EROFS) && n.sealed(m)
	const why = "does not let it write there"
	switch {
	case slices.ContainsFunc(kernels, func(k string) bool { return below(dir, k) }):
		return nil
	case m.hidden() && home(m.point):
		return n.dropIn("hides "+m.point, protectHome(dir), "ReadWritePaths=-"+quoted(dir))
	case !sealed:
		return nil
	case dir == "/":
		// ReadWritePaths=/ would open all there is.
		return []string{"the sandbox of " + n.unit + " does not let it make anything in / itself; make the directory there, and this says what to write for it"}
	case home(dir):
		return n.dropIn(why, protectHome(dir), "ReadWritePaths="+dir)
	}
	return n.dropIn(why, "ReadWritePaths="+quoted(dir))
}

// protectHome gives the line that lets a directory be written to, which another line must do: of
// two lines about the same directory the stricter one counts.
func protectHome(dir string) string {
	if home(dir) {
		return "ProtectHome=no"
	}
	return "ProtectHome=read-only"
}

// dropIn says which lines to write, and where.
func (n namespace) dropIn(why string, lines ...string) []string {
	hints := []string{fmt.Sprintf("the sandbox of %s %s; add to /etc/systemd/system/%[1]s.d/paths.conf:", n.unit, why), "[Service]"}
	hints = append(hints, lines...)
	return append(hints, "then  systemctl daemon-reload && systemctl restart "+strings.TrimSuffix(n.unit, ".service"))
}

// home tells whether ProtectHome= hides this directory.
func home(dir string) bool { return dir == "/home" || dir == "/root" || dir == "/run/user" }

// quoted gives a path as a line of a unit takes it.
func quoted(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if !strings.ContainsAny(path, " \t\n\"'\\") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
