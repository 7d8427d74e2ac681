package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Whom a fault concerns, at a start and at a reload. Of each case "before" is in force, or nothing;
// "now" is what the config has then. What follows says of each service, or part, what becomes of
// it.
func TestFaultsBelongToServices(t *testing.T) {
	const one, two = "services: {one: {files: [{content: x, path: /etc/one}]}}\n", "services: {two: {files: [{content: x, path: /etc/two}]}}\n"
	const good = "-- rendered.yaml --\nsettle: 1s\n-- conf.d/1.yaml --\n" + one + "-- conf.d/2.yaml --\n" + two
	for name, c := range map[string]struct{ before, now, want string }{
		"all is well": {"", good, "one: good\ntwo: good\n"},
		"an unknown key of a service": {"", strings.Replace(good, "/etc/two", "/etc/two, moed: 1", 1),
			"one: good\ntwo: left out: conf.d/2.yaml:1:55: unknown key \"moed\"; did you mean \"mode\"?\n"},
		"the same at a reload": {good, strings.Replace(good, "/etc/two", "/etc/two, moed: 1", 1),
			"one: good\ntwo: kept: conf.d/2.yaml:1:55: unknown key \"moed\"; did you mean \"mode\"?\n"},
		"a tag in a service": {"", strings.Replace(good, "content: x, path: /etc/two", "content: !vault x, path: /etc/two", 1),
			"one: good\ntwo: left out: conf.d/2.yaml:1:36: the tag !vault is not known here\n"},
		"a part that is no YAML": {"", strings.Replace(good, two, "[\n", 1),
			"one: good\nconf.d/2.yaml: conf.d/2.yaml:1: this is not YAML: a value is missing here, or a bracket or comma is too many\n"},
		"the same at a reload: what it had stays": {good, strings.Replace(good, two, "[\n", 1),
			"one: good\ntwo: kept\nconf.d/2.yaml: conf.d/2.yaml:1: this is not YAML: a value is missing here, or a bracket or comma is too many\n"},
		"a part that is empty": {good, strings.Replace(good, two, "", 1),
			"one: good\ntwo: kept\nconf.d/2.yaml: conf.d/2.yaml: the file is empty\n"},
		"a part that is gone": {good, "-- rendered.yaml --\nsettle: 1s\n-- conf.d/1.yaml --\n" + one, "one: good\n"},
		"a part that sets something": {"", good + "schedule: '@hourly'\n",
			"one: good\ntwo: left out: conf.d/2.yaml:2:11: schedule: a file of conf.d adds services and sets nothing else; this belongs in DIR/rendered.yaml\nconf.d/2.yaml: conf.d/2.yaml:2:11: schedule: a file of conf.d adds services and sets nothing else; this belongs in DIR/rendered.yaml\n"},
		"a fault of the main file is everybody's": {good, strings.Replace(good, "settle", "setle", 1),
			"one: good\ntwo: good\nall: rendered.yaml:1:1: unknown key \"setle\"; did you mean \"settle\"?\n"},
		"a service of the main file": {"", "-- rendered.yaml --\nservices:\n  zero: {fils: []}\n" + strings.TrimPrefix(good, "-- rendered.yaml --\nsettle: 1s\n"),
			"one: good\ntwo: good\nzero: left out: rendered.yaml:2:10: services.zero: unknown key \"fils\"; did you mean \"files\"?\n"},
		"two of one name at a start": {"", strings.Replace(good, "{two:", "{one:", 1),
			"one: left out: conf.d/1.yaml:1:12: service \"one\" is defined twice; the other is at conf.d/2.yaml:1:12\none: left out: conf.d/2.yaml:1:12: service \"one\" is defined twice; the other is at conf.d/1.yaml:1:12\n"},
		"a newcomer of one's name": {good, strings.Replace(good, "{two:", "{one:", 1),
			"one: good\none: left out: conf.d/2.yaml:1:12: service \"one\" is defined twice; the other is at conf.d/1.yaml:1:12\n"},
		"two newcomers of a name in force": {good, strings.NewReplacer("conf.d/1", "conf.d/3", "{two:", "{one:").Replace(good),
			"one: kept: conf.d/2.yaml:1:12: service \"one\" is defined twice; the other is at conf.d/3.yaml:1:12\none: kept: conf.d/3.yaml:1:12: service \"one\" is defined twice; the other is at conf.d/2.yaml:1:12\n"},
		"a name that a part may have, which cannot be read": {good, strings.Replace(strings.Replace(good, "{two:", "{one:", 1), one, "[\n", 1),
			"one: kept: conf.d/2.yaml:1:12: service \"one\" is in force from DIR/conf.d/1.yaml, which cannot be used: it may be there, too\nconf.d/1.yaml: conf.d/1.yaml:1: this is not YAML: a value is missing here, or a bracket or comma is too many\n"},
		"a service moves to another part": {good, strings.Replace(good, "conf.d/1", "conf.d/3", 1), "one: good\ntwo: good\n"},
		"one path at a start": {"", strings.Replace(good, "/etc/two", "/etc/one", 1),
			"one: left out: conf.d/1.yaml:1:45: services.one.files[0].path: /etc/one is written by service \"two\", too, at conf.d/2.yaml:1:45\ntwo: left out: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/one is written by service \"one\", too, at conf.d/1.yaml:1:45\n"},
		"the newcomer at a path": {good, strings.Replace(good, "/etc/two", "/etc/one", 1),
			"one: good\ntwo: kept: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/one is written by service \"one\", too, at conf.d/1.yaml:1:45\n"},
		"two newcomers at a path": {good, strings.NewReplacer("/etc/two", "/etc/three", "/etc/one", "/etc/three").Replace(good),
			"one: kept: conf.d/1.yaml:1:45: services.one.files[0].path: /etc/three is written by service \"two\", too, at conf.d/2.yaml:1:45\ntwo: kept: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/three is written by service \"one\", too, at conf.d/1.yaml:1:45\n"},
		"two change places": {good, strings.NewReplacer("/etc/two", "/etc/one", "/etc/one", "/etc/two").Replace(good), "one: good\ntwo: good\n"},
		"two are to, and one cannot": {good, strings.NewReplacer("/etc/two", "/etc/one", "/etc/one", "/etc/two, moed: 1").Replace(good),
			"one: kept: conf.d/1.yaml:1:55: unknown key \"moed\"; did you mean \"mode\"?\ntwo: kept: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/one is written by service \"one\", too, at conf.d/1.yaml:1:45, by its old self, which stays in force\n"},
		"a path of one in a part that cannot be read": {good, strings.Replace(strings.Replace(good, "/etc/two", "/etc/one", 1), one, "[\n", 1),
			"two: kept: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/one is written by service \"one\", too, at conf.d/1.yaml:1:45, by its old self, which stays in force\none: kept\nconf.d/1.yaml: conf.d/1.yaml:1: this is not YAML: a value is missing here, or a bracket or comma is too many\n"},
		"a file in a file at a start": {"", strings.Replace(good, "/etc/two", "/etc/one/two", 1),
			"one: left out: conf.d/1.yaml:1:45: services.one.files[0].path: /etc/one is written as a file, and /etc/one/two is to stand in it, at conf.d/2.yaml:1:45\ntwo: left out: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/one/two is to stand in /etc/one, which is written as a file at conf.d/1.yaml:1:45\n"},
		"a newcomer that wants a file for a directory": {good, strings.Replace(good, "/etc/two", "/etc/one/two", 1),
			"one: good\ntwo: kept: conf.d/2.yaml:1:45: services.two.files[0].path: /etc/one/two is to stand in /etc/one, which is written as a file at conf.d/1.yaml:1:45\n"},
		"a newcomer that has another's file for a template": {good, strings.Replace(good, "content: x, path: /etc/two", "template: /etc/one, path: /etc/two", 1),
			"one: good\ntwo: kept: conf.d/2.yaml:1:37: services.two.files[0].template: /etc/one is written by service \"one\", at conf.d/1.yaml:1:45; a template is a file that stays\n"},
		"one has its own file for a template": {good, strings.Replace(good, "content: x, path: /etc/two", "template: /etc/two, path: /etc/two", 1),
			"one: good\ntwo: kept: conf.d/2.yaml:1:53: services.two.files[0].path: /etc/two is the template at conf.d/2.yaml:1:37; it would be overwritten\n"},
		"a newcomer that writes a partial of another": {strings.Replace(good, "content: x, path: /etc/one", "template: /t/x, path: /etc/one", 1),
			strings.NewReplacer("content: x, path: /etc/one", "template: /t/x, path: /etc/one", "/etc/two", "/t/_two").Replace(good),
			"one: good\ntwo: kept: conf.d/2.yaml:1:45: services.two.files[0].path: /t/_two would be a partial of the templates beside it\n"},
		"at a start, too": {"", strings.NewReplacer("content: x, path: /etc/one", "template: /t/x, path: /etc/one", "/etc/two", "/t/_two").Replace(good),
			"one: good\ntwo: left out: conf.d/2.yaml:1:45: services.two.files[0].path: /t/_two would be a partial of the templates beside it\n"},
		"a newcomer whose templates lie beside another's file": {strings.Replace(good, "/etc/one", "/t/_one", 1),
			strings.NewReplacer("content: x, path: /etc/two", "template: /t/x, path: /etc/two", "/etc/one", "/t/_one").Replace(good),
			"one: good\ntwo: kept: conf.d/2.yaml:1:37: services.two.files[0].template: /t/_one is written by service \"one\", at conf.d/1.yaml:1:45; a template is a file that stays\n"},
		"values where one writes that stays as it was": {good, strings.NewReplacer("settle: 1s", "values: /etc/two", "/etc/two", "/etc/three, moed: 1").Replace(good),
			"one: good\ntwo: kept: conf.d/2.yaml:1:57: unknown key \"moed\"; did you mean \"mode\"?\nall: /etc/two: it is the values file, and service \"two\", which keeps its old self, writes it\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var inForce []*Service
			if c.before != "" {
				before := loadTree(t, dir, c.before)
				before.Resolve(nil)
				if faults := before.All(); len(faults) > 0 {
					t.Fatal(faults)
				}
				for i := range before.Services {
					inForce = append(inForce, &before.Services[i])
				}
			}
			now := loadTree(t, dir, c.now)
			got := strings.ReplaceAll(fates(now, now.Resolve(inForce)), dir+"/conf.d/", "conf.d/")
			got = strings.NewReplacer("from conf.d", "from DIR/conf.d", "in "+dir, "in DIR", dir+"/", "").Replace(got)
			got = strings.NewReplacer("services.one.files[0]: unknown", "unknown", "services.two.files[0]: unknown", "unknown").Replace(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// loadTree reads the config of an archive, which stands in the place of what is in the directory.
func loadTree(t *testing.T, dir, archive string) *Config {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "conf.d")); err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(filepath.Join(dir, "rendered.yaml"), Options{})
}

// fates says what becomes of each service and part of a config, a line for each.
func fates(c *Config, kept []*Service) string {
	var b strings.Builder
	stays := make(map[string]bool)
	for _, s := range kept {
		stays[s.Name] = true
	}
	known := make(map[string]bool)
	for _, s := range c.Services {
		known[s.Name] = true
		switch {
		case len(s.Faults) == 0:
			fmt.Fprintf(&b, "%s: good\n", s.Name)
		case stays[s.Name]:
			fmt.Fprintf(&b, "%s: kept: %v\n", s.Name, s.Faults)
		default:
			fmt.Fprintf(&b, "%s: left out: %v\n", s.Name, s.Faults)
		}
	}
	for _, s := range kept {
		if !known[s.Name] {
			fmt.Fprintf(&b, "%s: kept\n", s.Name)
		}
	}
	for _, p := range c.Parts {
		fmt.Fprintf(&b, "%s: %v\n", p.Path, p.Faults)
	}
	for _, f := range c.Faults {
		fmt.Fprintf(&b, "all: %v\n", f)
	}
	return b.String()
}
