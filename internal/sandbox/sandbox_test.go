package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// unitMounts are some of those of the unit, as systemd 252 makes them; /mnt/disc is one that cannot
// be written to at all, and /mnt/with space one that the unit may write to.
const unitMounts = `261 224 8:1 / / ro,nosuid,relatime shared:44 master:1 - ext4 /dev/vda rw
262 261 0:41 /systemd-private-fe56-rendered.service-sgOnnQ/tmp /tmp rw,nosuid,nodev shared:61 master:2 - tmpfs tmpfs rw,size=2468412k
276 261 0:45 / /run rw,nosuid,nodev shared:73 master:6 - tmpfs tmpfs rw,size=4936820k,mode=755
298 261 0:57 / /dev ro,nosuid,noexec shared:86 - tmpfs tmpfs rw,size=4096k
271 261 8:1 /etc /etc rw,nosuid,relatime shared:91 master:1 - ext4 /dev/vda rw
272 261 0:45 /systemd/inaccessible/dir /home ro,nosuid,nodev,noexec shared:98 master:6 - tmpfs tmpfs rw,mode=755
280 261 8:2 / /mnt/disc ro,relatime shared:99 master:7 - iso9660 /dev/sr0 ro
281 261 8:3 / /mnt/with\040space rw,relatime shared:99 master:7 - ext4 /dev/vdb rw
`

// plainMounts are those of a unit without ProtectSystem=, on a machine on which somebody mounted
// /srv so that it cannot be written to.
const plainMounts = `25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 25 8:1 /data /srv ro,relatime shared:1 - ext4 /dev/vda rw
`

func TestRemedy(t *testing.T) {
	const head = "; add to /etc/systemd/system/rendered.service.d/paths.conf:|[Service]|"
	const tail = "|then  systemctl daemon-reload && systemctl restart rendered"
	sandboxed := namespace{"rendered.service", mountsOf(unitMounts)}
	for _, c := range []struct {
		namespace namespace
		dir       string
		err       error
		want      string
	}{
		{sandboxed, "/srv/app", unix.EROFS, "the sandbox of rendered.service does not let it write there" + head + "ReadWritePaths=/srv/app" + tail},
		{sandboxed, "/srv/100% a", unix.EROFS, "the sandbox of rendered.service does not let it write there" + head + `ReadWritePaths="/srv/100%% a"` + tail},
		{sandboxed, "/home/app", unix.ENOENT, "the sandbox of rendered.service hides /home" + head + "ProtectHome=read-only|ReadWritePaths=-/home/app" + tail},
		{sandboxed, "/home/app", unix.EROFS, "the sandbox of rendered.service hides /home" + head + "ProtectHome=read-only|ReadWritePaths=-/home/app" + tail},
		{sandboxed, "/home", unix.EROFS, "the sandbox of rendered.service hides /home" + head + "ProtectHome=no|ReadWritePaths=-/home" + tail},
		{sandboxed, "/root", unix.EROFS, "the sandbox of rendered.service does not let it write there" + head + "ProtectHome=no|ReadWritePaths=/root" + tail},
		{sandboxed, "/", unix.EROFS, "the sandbox of rendered.service does not let it make anything in / itself; make the directory there, and this says what to write for it"},
		{sandboxed, "/srv/app", unix.ENOENT, ""}, // it is not there for anybody
		{sandboxed, "/mnt/disc", unix.EROFS, ""}, // nobody can write to it
		{sandboxed, "/mnt/with space/a", unix.EROFS, ""},
		{sandboxed, "/dev/x", unix.EROFS, ""},
		{sandboxed, "/homes", unix.ENOENT, ""},
		{namespace{"rendered.service", mountsOf(plainMounts)}, "/srv", unix.EROFS, ""},
		{namespace{"", mountsOf(unitMounts)}, "/srv/app", unix.EROFS, ""},
	} {
		if got := strings.Join(c.namespace.remedy(c.dir, c.err), "|"); got != c.want {
			t.Errorf("%s, %v:\n got %q\nwant %q", c.dir, c.err, got, c.want)
		}
	}
}

func TestUnitOf(t *testing.T) {
	for groups, want := range map[string]string{
		"0::/system.slice/rendered.service\n":                               "rendered.service",
		"9:name=systemd:/\n8:pids:/\n0::/system.slice/rendered.service\n":   "rendered.service",
		"0::/system.slice/system-rendered.slice/rendered@a.service/check\n": "rendered@a.service",
		"1:name=systemd:/system.slice/rendered.service\n":                   "rendered.service",
		"0::/user.slice/user-0.slice/session-1.scope\n":                     "",
		"0::/\n": "",
		"":       "",
	} {
		if got := unitOf(groups); got != want {
			t.Errorf("%q: %q, want %q", groups, got, want)
		}
	}
}

// A directory that is still to be made does not go into a unit: one that exists does, where links
// lead.
func TestNearest(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	got := []string{nearest(dir), nearest(filepath.Join(dir, "a/b")), nearest(filepath.Join(dir, "link/c")), nearest("/")}
	if want := []string{dir, dir, dir, "/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of a file that a template or the config names it is said that the unit does not see it.
func TestUnseen(t *testing.T) {
	p := namespace{"rendered.service", mountsOf(unitMounts)}
	for path, want := range map[string]string{
		"/home/app/token": "the sandbox of rendered.service hides /home: have the file elsewhere, as in /etc, or let it read there; add to /etc/systemd/system/rendered.service.d/paths.conf:|" +
			"[Service]|ProtectHome=read-only|then  systemctl daemon-reload && systemctl restart rendered",
		"/tmp/token":     "rendered.service has a /tmp and a /var/tmp of its own; have the file elsewhere, as in /etc, or set PrivateTmp=no in a drop-in",
		"/etc/app/token": "",
		"/homes/token":   "",
	} {
		if got := strings.Join(p.unseen(path), "|"); got != want {
			t.Errorf("%s:\n got %q\nwant %q", path, got, want)
		}
		if got := (namespace{"", p.mounts}).unseen(path); got != nil {
			t.Errorf("%s, in no unit: %q", path, got)
		}
	}
}

func TestPrivate(t *testing.T) {
	p := namespace{"rendered.service", mountsOf(unitMounts)}
	if !p.private("/tmp/a") || p.private("/etc/a") || p.private("/tmpfile") || (namespace{"", p.mounts}).private("/tmp/a") {
		t.Error("only what is in /tmp is private here")
	}
	t.Setenv("INVOCATION_ID", "")
	if Unit() != "" || Private("/tmp/a") || Remedy("/srv/a", unix.EROFS) != nil {
		t.Error("there is no unit here")
	}
}
