// Package sandbox knows what the unit that this process runs in keeps it from (systemd.exec(5)), and what to write to be let.
package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Remedy says what to write so that the error of the file system that the path met goes away, a line each; nothing where it is not the
// unit's sandbox that forbids it.
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

// Unseen says why a file that is there for others may not be for this unit, and what to do, a line each; nothing where the unit sees what
// all see.
func Unseen(path string) []string { return here().unseen(path) }

func (p place) unseen(path string) []string {
	m := p.mountOf(path)
	switch {
	case p.unit == "":
		return nil
	case m.hidden() && home(m.point):
		return p.dropIn("hides "+m.point+": have the file elsewhere, as in /etc, or let it read there", "ProtectHome=read-only")
	case p.private(path):
		return []string{p.unit + " has a /tmp and a /var/tmp of its own; have the file elsewhere, as in /etc, or set PrivateTmp=no in a drop-in"}
	}
	return nil
}

// Unit gives the service of systemd's that this process is of; "" where it is of none.
func Unit() string { return here().unit }

// Private tells whether a file at the path would be seen by this unit alone.
func Private(path string) bool { return here().private(path) }

func (p place) private(path string) bool {
	return p.unit != "" && strings.Contains(p.mountOf(path).root, "systemd-private-")
}

// nearest gives the directory itself, or that above it which exists, beyond all links: a unit with a path that is not there does not start.
func nearest(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return found
		} else if at == "/" {
			return dir
		}
	}
}

// A place is where a process runs.
type place struct {
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
func here() place {
	if os.Getenv("INVOCATION_ID") == "" {
		return place{}
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return place{}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return place{}
	}
	return place{unitOf(string(groups)), mountsOf(string(mounts))}
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
func (p place) mountOf(path string) (found mount) {
	for _, m := range p.mounts {
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

// sealed tells whether a file system that can be written to is mounted so that it cannot. ProtectSystem= does so to /usr at least: where
// that can be written to, it is not the unit.
func (p place) sealed(m mount) bool {
	closed := func(m mount) bool { return m.readOnly && !m.medium }
	return closed(m) && closed(p.mountOf("/usr"))
}

// kernels are the directories that no line of a unit makes a place for files.
var kernels = []string{"/proc", "/sys", "/dev"}

func (p place) remedy(dir string, err error) []string {
	if p.unit == "" {
		return nil
	}
	for _, k := range kernels {
		if below(dir, k) {
			return nil
		}
	}
	m := p.mountOf(dir)
	switch {
	case errors.Is(err, unix.EROFS) && p.sealed(m) && dir == "/":
		// ReadWritePaths=/ would open all there is.
		return []string{"the sandbox of " + p.unit + " does not let it make anything in / itself; make the directory there, and this says what to write for it"}
	case m.hidden() && home(m.point):
		return p.dropIn("hides "+m.point, protectHome(dir), "ReadWritePaths=-"+quoted(dir))
	case errors.Is(err, unix.EROFS) && p.sealed(m) && home(dir):
		return p.dropIn("does not let it write there", protectHome(dir), "ReadWritePaths="+dir)
	case errors.Is(err, unix.EROFS) && p.sealed(m):
		return p.dropIn("does not let it write there", "ReadWritePaths="+quoted(dir))
	}
	return nil
}

// protectHome gives the line that lets a directory be written to, which another line must do: of two lines about the same directory the
// stricter one counts.
func protectHome(dir string) string {
	if home(dir) {
		return "ProtectHome=no"
	}
	return "ProtectHome=read-only"
}

// dropIn says which lines to write, and where.
func (p place) dropIn(why string, lines ...string) []string {
	hints := []string{fmt.Sprintf("the sandbox of %s %s; add to /etc/systemd/system/%[1]s.d/paths.conf:", p.unit, why), "[Service]"}
	hints = append(hints, lines...)
	return append(hints, "then  systemctl daemon-reload && systemctl restart "+strings.TrimSuffix(p.unit, ".service"))
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
