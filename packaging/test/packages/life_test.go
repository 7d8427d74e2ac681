package packages_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const (
	configFile = "/etc/rendered/rendered.yaml"
	part       = "/etc/rendered/conf.d/app.yaml"
	rendered   = "/etc/app/app.env"
	key        = "/var/lib/rendered/key"
	wanted     = "/etc/systemd/system/multi-user.target.wants/rendered.service"
)

// configure writes the config of a user, in the main file and in a part, and renders it.
func (r *root) configure() {
	r.t.Helper()
	write(r.t, r.path("/etc/rendered/values.yaml"), "secrets: {db: sesame}\n")
	config := r.files(configFile)[configFile]
	write(r.t, r.path(configFile), "values: values.yaml\n"+config)
	write(r.t, r.path(part), "services: {app: {files: [{path: "+rendered+", dir_mode: 0755, content: 'P={{ secret \"db\" }}'}]}}\n")
	if out := r.must("rendered", "once"); !strings.Contains(out, "created   "+rendered) {
		r.t.Errorf("once says %s", out)
	}
}

// users are the files that a user wrote, or had rendered, and the state.
func (r *root) users() map[string]string { return r.files(configFile, part, rendered, key) }

// kept wants them to be as they were, and nothing to be left to do.
func (r *root) kept(before map[string]string) {
	r.t.Helper()
	if after := r.users(); !maps.Equal(before, after) {
		r.t.Errorf("was %q, is %q", before, after)
	}
	if out := r.must("rendered", "once"); !strings.Contains(out, "nothing changed") {
		r.t.Errorf("once says %s", out)
	}
}

// harmless wants what was installed to do nothing.
func (r *root) harmless(version string) {
	r.t.Helper()
	if out := r.must("rendered", "version"); !strings.HasPrefix(out, "rendered "+version+" (") {
		r.t.Errorf("want version %s: %s", version, out)
	}
	if out := r.must("rendered", "check"); !strings.HasPrefix(out, "there are no services yet") {
		r.t.Errorf("check says %s", out)
	}
	r.gone("/var/lib/rendered", "/etc/app")
}

func ownDeb(p packages) string { return p.debs[runtime.GOARCH] }

func ownRPM(p packages) string {
	return p.rpms[map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]]
}

func versionOf(t *testing.T, deb string) string {
	version := output(t, "dpkg-deb", "--field", deb, "Version")
	return version[:strings.LastIndexByte(version, '-')]
}

// lifeOfDeb installs a package, upgrades it, removes it, has it back, and purges it.
func lifeOfDeb(r *root, made, next packages) {
	before := r.everything()
	r.dpkg("--install", ownDeb(made))
	r.harmless(versionOf(r.t, ownDeb(made)))
	r.there(wanted)
	r.dpkg("--purge", "rendered")
	if left := without(r.everything(), before); len(left) > 0 {
		r.t.Errorf("a purge of what nobody used leaves %v", left)
	}

	r.dpkg("--install", ownDeb(made))
	r.configure()
	users := r.users()
	if err := os.Remove(r.path(wanted)); err != nil { // as systemctl disable does
		r.t.Fatal(err)
	}
	for range 2 {
		r.dpkg("--install", ownDeb(next))
		r.kept(users)
		r.gone(wanted)
	}
	if out := r.must("rendered", "version"); !strings.Contains(out, versionOf(r.t, ownDeb(next))) {
		r.t.Errorf("the upgrade brought %s", out)
	}
	r.dpkg("--remove", "rendered")
	r.gone("/usr/bin/rendered", "/usr/lib/systemd/system/rendered.service")
	if after := r.users(); !maps.Equal(users, after) {
		r.t.Errorf("a removal leaves %q of %q", after, users)
	}
	r.dpkg("--install", ownDeb(made))
	r.kept(users)
	r.dpkg("--purge", "rendered")
	r.gone("/usr/bin/rendered", configFile, "/var/lib/rendered", wanted, "/var/lib/systemd/deb-systemd-helper-enabled/rendered.service.dsh-also")
	r.there(rendered, part)
}

// everything lists the files of a root, but for what dpkg and its scripts note of their own.
func (r *root) everything() []string {
	r.t.Helper()
	var list []string
	for name := range strings.Lines(r.must("find", "/", "-xdev", "-printf", "%p\n")) {
		name = strings.TrimSuffix(name, "\n")
		if strings.HasPrefix(name, "/var/lib/dpkg/") || strings.HasPrefix(name, "/var/lib/systemd/deb-systemd-helper-enabled") || strings.HasPrefix(name, "/var/log/") ||
			strings.HasSuffix(name, "-") && filepath.Dir(name) == "/etc" { // passwd-, of sysusers
			continue
		}
		list = append(list, name)
	}
	return list
}

func without(list, of []string) (left []string) {
	for _, name := range list {
		if _, found := slices.BinarySearch(of, name); !found && !slices.Contains(of, name) {
			left = append(left, name)
		}
	}
	return left
}

// lifeOfRPM is the same with rpm, which has no purge. A changed config that is removed is put
// aside.
func lifeOfRPM(r *root, made, next packages) {
	rpm := func(args ...string) {
		r.t.Helper()
		cmd := exec.CommandContext(r.t.Context(), "rpm", append([]string{"--root", r.dir, "--nodeps"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "rror") || strings.Contains(string(out), "scriptlet failed") {
			r.t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	rpm("--install", ownRPM(made))
	r.harmless(versionOf(r.t, ownDeb(made)))
	r.configure()
	users := r.users()
	rpm("--upgrade", ownRPM(next))
	r.kept(users)
	if out := r.must("rendered", "version"); !strings.Contains(out, versionOf(r.t, ownDeb(next))) {
		r.t.Errorf("the upgrade brought %s", out)
	}
	rpm("--erase", "rendered")
	r.gone("/usr/bin/rendered", "/usr/lib/systemd/system/rendered.service", configFile, wanted)
	r.there(rendered, part, key, configFile+".rpmsave")
}
