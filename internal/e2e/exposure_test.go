package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Two users of the machine, whom it need not know.
const (
	mallory = 12001
	eve     = 12002
)

// A crowd is a directory on a machine that root shares with others.
type crowd struct {
	t       *testing.T
	dir     string
	program string
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	if _, err := exec.LookPath("setfacl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("/tmp", "crowd") // which others can reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &crowd{t, dir, filepath.Join(dir, "rendered")}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	copyProgram(t, c.program)
	c.shell(0, "mkdir etc own group sticky root; chown 12001:12001 own; chown 0:12001 group; chmod 0775 group; chmod 1777 sticky; echo canary-root >etc/private; chmod 0600 etc/private")
	return c
}

// shell runs lines as a user.
func (c *crowd) shell(uid int, lines string) string {
	c.t.Helper()
	cmd := exec.Command("sh", "-c", lines)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// rendered runs a verb over a config, whose paths are relative to the directory, as a user.
// The directory's name is as long as it happens to be: what a message gives the column of stands
// before the first DIR of its line.
func (c *crowd) rendered(uid int, verb, services string) (string, error) {
	c.t.Helper()
	config := filepath.Join(c.dir, "etc", strconv.Itoa(uid)+".yaml")
	write(c.t, config, "state_dir: state-"+strconv.Itoa(uid)+"\nvalues: values-"+strconv.Itoa(uid)+".yaml\nservices:\n"+strings.ReplaceAll(services, "DIR", c.dir))
	values := filepath.Join(c.dir, "etc", "values-"+strconv.Itoa(uid)+".yaml")
	if _, err := os.Stat(values); err != nil {
		write(c.t, values, "secrets: {s: canary-secret}\n")
	}
	if uid != 0 {
		if err := errors.Join(os.Chown(config, uid, uid), os.Chown(values, uid, uid), os.Chmod(filepath.Join(c.dir, "etc"), 0o777)); err != nil {
			c.t.Fatal(err)
		}
	}
	cmd := exec.Command(c.program, verb, "-c", config)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "HOME="+c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(out), c.dir, "DIR"), err
}

// What other users can do about a destination, a pid file or an input is named by check: as an
// error where once refuses it, as a warning where it does not. They read nothing that they could
// not read before, neither in files nor in what was printed.
func TestCheckNamesWhatOthersCanChange(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	const secret = `content: '{{ secret "s" }}'`
	file := func(settings string) string { return "  app: {files: [{" + settings + "}]}\n" }
	input := func(path string) string {
		return "  app: {files: [{content: '{{ file \"DIR/" + path + "\" }}', path: DIR/own/out, owner: '12001:12001', mode: 0600}]}\n"
	}
	pid := func(path string) string {
		return "  app: {files: [{" + secret + ", path: DIR/root/out}], notify: [{signal: HUP, pid_file: DIR/" + path + "}]}\n"
	}
	hup := strings.TrimSpace(c.shell(0, "sleep 300 >/dev/null 2>&1 & echo $!"))
	defer c.shell(0, "kill "+hup)
	for name, tt := range map[string]struct {
		prepare  func()
		services string
		check    string // in what check prints; "": only ok
		refused  bool
	}{
		"nothing": {nil, file(secret + ", path: DIR/root/out"), "", false},
		"a list in his directory": {func() { c.shell(mallory, "umask 077; :>own/key; setfacl -m u:12001:r,u:12002:r own/key") },
			file(secret + ", path: DIR/own/key, owner: root, mode: 0640"), "warning: DIR/etc/0.yaml:4:17: DIR/own/key: others than root can put something else in its place (DIR/own: it belongs to user 12001); what stands there now is user 12001's, mode 0640, with an access control list, of which nothing is taken over\n", false},
		"a file for all in a sticky one": {func() { c.shell(mallory, ":>sticky/key; chmod 0666 sticky/key") },
			file(secret + ", path: DIR/sticky/key"), "warning: DIR/etc/0.yaml:4:17: DIR/sticky/key: others than root can put something else in its place (DIR/sticky: everybody can write to it); what stands there now is user 12001's, mode 0666, of which nothing is taken over\n  set owner: and mode:", false},
		"root's own for all in a group's": {func() { c.shell(0, "echo x >group/key; chmod 0644 group/key") },
			file(secret + ", path: DIR/group/key"), "error: DIR/etc/0.yaml:4:17: DIR/group/key: its mode is not configured, and others than root could have chosen that of the file there (DIR/group: group 12001 can write to it)\n  set owner: 0:0 and mode: 0644", true},
		"nothing yet, in a group's": {nil, file(secret + ", path: DIR/group/key, owner: root, mode: 0600"), "warning: DIR/etc/0.yaml:4:17: DIR/group/key: others than root can put something else in its place (DIR/group: group 12001 can write to it)\n  where they must not, a file of root's in a directory that root alone can change\n", false},
		"a directory that is to be made in his": {nil, file(secret + ", path: DIR/own/a/b/key, dir_mode: 0755, owner: root, mode: 0600"),
			"warning: DIR/etc/0.yaml:4:17: DIR/own/a/b/key: others than root can put something else in its place (DIR/own: it belongs to user 12001)\n", false},
		"one in a sticky one": {nil, file(secret + ", path: DIR/sticky/a/key, dir_mode: 0755"),
			"warning: DIR/etc/0.yaml:4:17: DIR/sticky/a/key: others than root can put something else in its place (DIR/sticky: everybody can write to it)\n", false},
		"written in place where all could read": {func() { c.shell(0, ":>root/key; chmod 0644 root/key") }, file(secret + ", path: DIR/root/key, mode: 0600, write: in-place"),
			"warning: DIR/etc/0.yaml:4:17: DIR/root/key: it can be read by more than it is to be, and who has it open then reads what is written in place\n  give it mode 0600", false},
		"written in place where another group could": {func() { c.shell(0, ":>root/key; chgrp 12001 root/key; chmod 0640 root/key") }, file(secret + ", path: DIR/root/key, owner: '0:12003', mode: 0640, write: in-place"),
			"warning: DIR/etc/0.yaml:4:17: DIR/root/key: it can be read by more than it is to be", false},
		"written in place as it is": {func() { c.shell(0, ":>root/key; chmod 0600 root/key") }, file(secret + ", path: DIR/root/key, mode: 0600, write: in-place"), "", false},
		"his link":                  {func() { c.shell(mallory, "ln -s ../etc/private own/key") }, file(secret + ", path: DIR/own/key, mode: 0600"), "error: DIR/etc/0.yaml:4:17: DIR/own/key is a link that others than root can change (DIR/own: it belongs to user 12001); root does not follow it\n", true},
		"a pipe":                    {func() { c.shell(mallory, "mkfifo own/key") }, file(secret + ", path: DIR/own/key, mode: 0600"), "error: DIR/etc/0.yaml:4:17: DIR/own/key is a device, pipe or socket", true},
		"a device by root's link":   {func() { c.shell(0, "ln -s /dev/null root/key") }, file(secret + ", path: DIR/root/key"), "error: DIR/etc/0.yaml:4:17: DIR/root/key is a device", true},
		"written in place in his":   {func() { c.shell(mallory, ":>own/key; chmod 0666 own/key") }, file(secret + ", path: DIR/own/key, owner: root, mode: 0600, write: in-place"), "error: DIR/etc/0.yaml:4:17: DIR/own/key belongs to user 12001, who may have it open", true},

		"an input by his link":                      {func() { c.shell(mallory, "ln -s ../etc/private own/in") }, input("own/in"), "error: DIR/etc/0.yaml:4:31: file DIR/own/in: DIR/own/in is a link that others than root can change", true},
		"an input of a second name":                 {func() { c.shell(0, "ln etc/private own/in") }, input("own/in"), "error: DIR/etc/0.yaml:4:31: file DIR/own/in: others than root can change what it leads to (DIR/own: it belongs to user 12001); it has 2 names; root does not read it", true},
		"one in a sticky directory":                 {func() { c.shell(0, "ln etc/private sticky/in") }, input("sticky/in"), "error: DIR/etc/0.yaml:4:31: file DIR/sticky/in: others than root", true},
		"one behind his link":                       {func() { c.shell(mallory, "ln -s ../etc own/etc") }, input("own/etc/private"), "error: DIR/etc/0.yaml:4:31: file DIR/own/etc/private: DIR/own/etc is a link", true},
		"root's own in a sticky directory":          {func() { c.shell(0, "cp -p etc/private own/in"); c.shell(mallory, "mv own/in sticky/in") }, input("sticky/in"), "error: DIR/etc/0.yaml:4:31: file DIR/sticky/in: others than root can change what it leads to (DIR/sticky: others can make names in it", true},
		"root's link there":                         {func() { c.shell(0, "ln -s ../etc/private own/in"); c.shell(mallory, "mv own/in sticky/in") }, input("sticky/in"), "error: DIR/etc/0.yaml:4:31: file DIR/sticky/in: DIR/sticky/in is a link that others than root can change (others can make names in", true},
		"nothing there yet":                         {nil, input("sticky/in"), "error: DIR/etc/0.yaml:4:31: file DIR/sticky/in: others than root can change what it leads to", true},
		"an input that is a pipe":                   {func() { c.shell(mallory, "mkfifo own/in") }, input("own/in"), "error: DIR/etc/0.yaml:4:31: file DIR/own/in: not a regular file\n", true},
		"one that is a device":                      {func() { c.shell(0, "ln -s /dev/zero root/in") }, input("root/in"), "error: DIR/etc/0.yaml:4:31: file DIR/root/in: not a regular file\n", true},
		"one that is a directory":                   {func() { c.shell(0, "mkdir root/in") }, input("root/in"), "error: DIR/etc/0.yaml:4:31: file DIR/root/in: is a directory\n", true},
		"one that is too large":                     {func() { c.shell(0, "truncate -s 17M root/in") }, input("root/in"), "error: DIR/etc/0.yaml:4:31: file DIR/root/in: larger than 16 MiB\n", true},
		"a destination by root's link, moved there": {func() { c.shell(0, "ln -s ../etc/private own/key"); c.shell(mallory, "mv own/key sticky/key") }, file(secret + ", path: DIR/sticky/key, mode: 0600"), "error: DIR/etc/0.yaml:4:17: DIR/sticky/key is a link that others than root can change", true},
		"his own input":                             {func() { c.shell(mallory, "echo his >own/in") }, input("own/in"), "warning: DIR/etc/0.yaml:4:31: file DIR/own/in: others than root decide what it says (DIR/own: it belongs to user 12001)\n  where they must not,", false},
		"a pid file by his link":                    {func() { c.shell(0, "echo "+hup+" >root/pid"); c.shell(mallory, "ln -s ../root/pid own/pid") }, pid("own/pid"), "error: DIR/etc/0.yaml:4:3: DIR/own/pid: DIR/own/pid is a link that others than root can change", true},
		"a pid file of a 2nd name":                  {func() { c.shell(0, "echo "+hup+" >root/pid; ln root/pid own/pid") }, pid("own/pid"), "error: DIR/etc/0.yaml:4:3: DIR/own/pid: pid file can be chosen by others than root (DIR/own: it belongs to user 12001)\n", true},
		"a pid file that all write":                 {func() { c.shell(0, "echo "+hup+" >root/pid; chmod 0666 root/pid") }, pid("root/pid"), "error: DIR/etc/0.yaml:4:3: DIR/root/pid: pid file can be chosen by others than root (DIR/root/pid: everybody can write to it)\n", true},
		"his pid file, root's sleep":                {func() { c.shell(mallory, "echo "+hup+" >own/pid") }, pid("own/pid"), "warning: DIR/etc/0.yaml:4:3: DIR/own/pid: it is for user 12001 to write, so that only processes of that user are signaled by it\n  where another is meant: unit: in", true},

		"a program of his": {func() { c.shell(mallory, "printf '#!/bin/sh\\n' >own/tell; chmod 0755 own/tell") },
			"  app: {files: [{" + secret + ", path: DIR/root/out}], notify: [{run: DIR/own/tell now}]}\n", "warning: DIR/etc/0.yaml:4:3: DIR/own/tell: root runs it, and others can change it (DIR/own: it belongs to user 12001)\n", false},
		"a socket in his": {nil, "  app: {files: [{" + secret + ", path: DIR/root/out}], notify: [{socket: DIR/own/s, send: '{file DIR/root/out}'}]}\n",
			"DIR/own/s: others than root decide who listens there (DIR/own: it belongs to user 12001), so that files are sent to nobody who may not read them\n", true},
		"a socket by his link": {func() { c.shell(mallory, "ln -s ../root/s own/s") }, "  app: {notify: [{http: 'unix:DIR/own/s:/'}], files: [{" + secret + ", path: DIR/root/out}]}\n",
			"error: DIR/etc/0.yaml:4:18: DIR/own/s: socket: DIR/own/s is a link that others than root can change", true},
		"a program of his that looks": {func() { c.shell(mallory, "printf '#!/bin/sh\\n' >own/look; chmod 0755 own/look") },
			"  app: {healthy: {run: DIR/own/look}, files: [{" + secret + ", path: DIR/root/out}]}\n", "warning: DIR/etc/0.yaml:4:18: DIR/own/look: root runs it, and others can change it (DIR/own: it belongs to user 12001)\n", false},
	} {
		c.shell(0, "rm -rf own/* group/* sticky/* root/* etc/state-0")
		if tt.prepare != nil {
			tt.prepare()
		}
		out, err := c.rendered(0, "check", tt.services)
		refusedByCheck := strings.Contains(tt.check, "error: ")
		if (err != nil) != refusedByCheck || !strings.Contains(out, tt.check) || tt.check == "" && (strings.Contains(out, "others than root") || !strings.HasSuffix(out, "ok\n")) {
			t.Errorf("%s: %v, %s", name, err, out)
		}
		if tt.check != "" && strings.Count(out, tt.check) != 1 {
			t.Errorf("%s: said %d times: %s", name, strings.Count(out, tt.check), out)
		}
		once, err := c.rendered(0, "once", tt.services)
		if (err != nil) != tt.refused {
			t.Errorf("%s: %v, %s", name, err, once)
		}
		if alive := c.shell(0, "kill -0 "+hup+" && echo alive"); alive != "alive\n" {
			t.Fatalf("%s: a process of root's was signaled: %s", name, once)
		}
		for _, uid := range []int{mallory, eve} {
			read := c.shell(uid, "find etc own group sticky root -type f | while read -r f; do cat \"$f\"; done 2>&1 | head -c 10000")
			if strings.Contains(read, "canary") && !strings.Contains(tt.services, "owner: '12001:12001'") || strings.Contains(read, "canary-root") || strings.Contains(out+once, "canary-root") {
				t.Errorf("%s: user %d reads %q", name, uid, read)
			}
		}
	}
}

// An ordinary user's daemon follows links, reads and signals as the user could.
func TestOrdinaryUsersAreNotHeldUp(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	c.shell(mallory, "echo his >own/in; ln own/in own/second; ln -s in own/link; ln -s . own/way; mkdir own/real; ln -s real/out own/out; :>own/list; setfacl -m u:12002:r own/list; chmod 0777 own/real")
	out, err := c.rendered(mallory, "once", `  app:
    files:
      - {content: '{{ file "DIR/own/link" }}{{ file "DIR/own/way/second" }}', path: DIR/own/out}
      - {content: '{{ secret "s" }}', path: DIR/own/list}
      - {content: x, path: DIR/group/x}
    notify: [{run: "echo told >DIR/own/told"}]
`)
	if err != nil || c.shell(mallory, "cat own/real/out own/told") != "his\nhis\ntold\n" {
		t.Errorf("%v: %s", err, out)
	}
	if list := c.shell(mallory, "getfacl -cn own/list"); !strings.Contains(list, "user:12002:r--") {
		t.Errorf("his own list is gone: %s", list)
	}
	if out, err := c.rendered(mallory, "check", "  app: {files: [{content: x, path: DIR/own/out}]}\n"); err != nil || strings.Contains(out, "others than root") {
		t.Errorf("%v: %s", err, out)
	}
}
