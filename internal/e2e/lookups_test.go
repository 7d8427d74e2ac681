package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/internal/pages"
)

// A listing is what lookups says for programs.
type listing struct {
	Lookups []struct{ Service, File, Function, Kind, Ref, Found string }
	Faulty  []string
}

// jsonOf runs a verb that writes JSON, in a directory, and gives whether it exits with 0.
func jsonOf(t *testing.T, dir string, into any, args ...string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), append(args, "--json", "-c", "rendered.yaml")...)
	cmd.Dir = dir
	// Without a way to AWS.
	cmd.Env = append(os.Environ(), "AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	said, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(said, into); err != nil {
		t.Fatalf("%q: %v:\n%s", args, err, said)
	}
	return exit == nil
}

// known gives the refs of AWS that lookups knows, by service.
func (l listing) known() map[string]map[string]bool {
	known := make(map[string]map[string]bool)
	for _, x := range l.Lookups {
		if x.Found == "computed" || !slices.Contains([]string{"secret", "param", "params"}, x.Kind) {
			continue
		}
		if known[x.Service] == nil {
			known[x.Service] = make(map[string]bool)
		}
		known[x.Service][x.Kind+" "+x.Ref] = true
	}
	return known
}

// requested gives the refs that requests are for, without versions of secrets, of which the fake
// keeps no record. accounts are the names that the config has for places, by account and Region.
func requested(t *testing.T, requests []awsfake.Request, accounts map[string]string) map[string]bool {
	t.Helper()
	kinds := map[string]string{
		"GetSecretValue": "secret", "BatchGetSecretValue": "secret", "GetParameters": "param", "GetParameter": "param", "GetParametersByPath": "params",
	}
	refs := make(map[string]bool)
	for _, r := range requests {
		kind := kinds[r.Operation]
		if kind == "" {
			continue
		}
		for _, name := range r.Names {
			if at := accounts[r.Account+" "+r.Region]; at != "" && !strings.HasPrefix(name, "arn:") {
				name = at + "::" + name
			}
			refs[kind+" "+name] = true
		}
	}
	return refs
}

// withoutVersion gives a ref as a request of the fake's names it.
func withoutVersion(ref string) string {
	kind, text, _ := strings.Cut(ref, " ")
	if kind != "secret" || strings.HasPrefix(text, "arn:") {
		return ref
	}
	account, name, other := strings.Cut(text, "::")
	if !other {
		account, name = "", text
	}
	name, _, _ = strings.Cut(name, ":")
	if other {
		name = account + "::" + name
	}
	return kind + " " + name
}

// What lookups and uses say of the cookbook is what a run asks for.
func TestCookbookLookups(t *testing.T) {
	recipes(t, func(t *testing.T, r recipe) {
		fake := awsfake.Start(t)
		all, err := pages.Blocks(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			if b.Kind == "sh aws" && b.Page == "docs/cookbook/"+filepath.Base(r.from)+"/README.md" {
				r.store(t, fake, b.Text)
			}
		}
		fake.ResetCalls()
		r.rendered(t, "rendered once -c rendered.yaml --root out", fake.Env()...)
		var l listing
		if !jsonOf(t, r.dir, &l, "lookups") || len(l.Lookups) == 0 {
			t.Errorf("it looks up %v", l)
		}
		agree(t, r.dir, l.known(), requested(t, fake.Requests(), nil), nil, 100)
	})
}

// agree holds what is known of lookups, by service, against what was asked for. Dynamic refs are
// those that no template tells. What uses says of some, at most so many, is held against both.
func agree(t *testing.T, dir string, known map[string]map[string]bool, asked, dynamic map[string]bool, most int) {
	t.Helper()
	want := maps.Clone(dynamic)
	if want == nil {
		want = make(map[string]bool)
	}
	for _, refs := range known {
		for ref := range refs {
			want[withoutVersion(ref)] = true
		}
	}
	if !maps.Equal(want, asked) {
		t.Errorf("a run asks for\n%q, and lookups says\n%q", slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(want)))
	}
	for ref := range asked {
		if most--; most < 0 {
			return
		}
		var users []string
		for service, refs := range known {
			for other := range refs {
				if using(ref, other) && !slices.Contains(users, service) {
					users = append(users, service)
				}
			}
		}
		slices.Sort(users)
		var said struct{ Uses []struct{ Service string } }
		used := jsonOf(t, dir, &said, append([]string{"uses"}, strings.SplitN(ref, " ", 2)...)...)
		var found []string
		for _, u := range said.Uses {
			found = append(found, u.Service)
		}
		if !slices.Equal(found, users) || used != (len(users) > 0) {
			t.Errorf("uses of %s says %q with exit code 0: %v, and %q look it up", ref, found, used, users)
		}
	}
}

// using tells whether who looks up another ref uses ref, by what README.md says of refs. A name
// without an account may be of any.
func using(ref, other string) bool {
	kind, text, _ := strings.Cut(ref, " ")
	otherKind, otherText, _ := strings.Cut(other, " ")
	account, name, named := strings.Cut(text, "::")
	if !named {
		account, name = "", text
	}
	otherAccount, otherName, otherNamed := strings.Cut(otherText, "::")
	if !otherNamed {
		otherAccount, otherName = "", otherText
	}
	name, version, _ := strings.Cut(name, ":")
	otherName, otherVersion, _ := strings.Cut(otherName, ":")
	switch {
	case named && account != otherAccount, version != "" && version != otherVersion:
		return false
	case kind == otherKind:
		return name == otherName
	case kind == "param" && otherKind == "params":
		return strings.HasPrefix(name, otherName+"/")
	}
	return kind == "secret" && otherKind == "param" && otherName == "/aws/reference/secretsmanager/"+name
}

// TestLookupsOfGeneratedConfigs holds lookups and uses against what a run asks for, where configs
// of all shapes are generated: 200 of them with -kills 1000.
func TestLookupsOfGeneratedConfigs(t *testing.T) {
	t.Parallel()
	configs := long.Or(6, min(*stormKills, 200))
	if raceDetector {
		configs = 4
	}
	lookups := 0
	for seed := range uint64(configs) {
		aws := awsfake.Start(t)
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), dir: t.TempDir(), known: make(map[string]map[string]bool), dynamic: make(map[string]bool)}
		g.fill(aws)
		g.generate(t)
		run := exec.CommandContext(t.Context(), program(t), "once", "-c", "rendered.yaml", "--root", "out")
		run.Dir, run.Env = g.dir, append(os.Environ(), aws.Env()...)
		if said, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%d: %v:\n%s", seed, err, said)
		}
		var l listing
		if !jsonOf(t, g.dir, &l, "lookups") {
			t.Fatalf("%d: lookups fails: %v", seed, l)
		}
		known := l.known()
		for service := range g.known {
			if !maps.Equal(known[service], g.known[service]) {
				t.Errorf("%d: service %s looks up\n%q, and lookups says\n%q", seed, service, slices.Sorted(maps.Keys(g.known[service])), slices.Sorted(maps.Keys(known[service])))
			}
		}
		unknown := slices.ContainsFunc(l.Lookups, func(x struct{ Service, File, Function, Kind, Ref, Found string }) bool { return x.Found == "computed" })
		if unknown != (len(g.dynamic) > 0) {
			t.Errorf("%d: a lookup that only the render can tell is said: %v, there are %q", seed, unknown, slices.Sorted(maps.Keys(g.dynamic)))
		}
		agree(t, g.dir, known, requested(t, aws.Requests(), map[string]string{"222222222222 eu-west-1": "shared", "111111111111 us-east-1": "far"}), g.dynamic, 3)
		lookups += len(l.Lookups)
		if t.Failed() {
			t.Fatalf("the config of seed %d was\n%s", seed, must(os.ReadFile(filepath.Join(g.dir, "rendered.yaml"))))
		}
	}
	t.Logf("%d configs with %d lookups", configs, lookups)
}

// A generator makes a config with what it looks up.
type generator struct {
	*rand.Rand
	dir     string
	known   map[string]map[string]bool // refs that the templates tell, by service
	dynamic map[string]bool            // refs that they do not
}

// names is how many secrets, parameters and paths there are at each place.
const names = 6

// fill puts everything that a generated config may look up into AWS.
func (g *generator) fill(aws *awsfake.Server) {
	for _, at := range []*awsfake.Place{aws.In("", ""), aws.In("222222222222", ""), aws.In("", "us-east-1")} {
		for i := range names {
			secret := fmt.Sprintf("s/%d", i)
			at.PutSecret(secret, "v1")
			at.PutSecret(secret, "v2")
			at.PutParameter(fmt.Sprintf("/p/%d", i), "String", "v")
			at.LabelParameter(fmt.Sprintf("/p/%d", i), 1, "live")
			at.PutParameter(fmt.Sprintf("/d/%d/x", i), "String", "v")
			at.PutParameter(fmt.Sprintf("/ptr/%d", i), "String", fmt.Sprintf("/dyn/%d", i))
			at.PutParameter(fmt.Sprintf("/dyn/%d", i), "String", "v")
		}
	}
}

func (g *generator) generate(t *testing.T) {
	t.Helper()
	var b strings.Builder
	b.WriteString(`state_dir: state
vars: {env: prod, n: "3", list: ["0", "1"]}
aws:
  region: eu-west-1
  accounts: {shared: {role_arn: "arn:aws:iam::222222222222:role/reader"}, far: {region: us-east-1}}
services:
`)
	partial := g.action()
	write(t, filepath.Join(g.dir, "_part.tmpl"), partial.text)
	for i := range 1 + g.IntN(4) {
		service := fmt.Sprintf("s%d", i)
		g.known[service] = make(map[string]bool)
		fmt.Fprintf(&b, "  %s:\n    files:\n", service)
		for j := range 1 + g.IntN(3) {
			template := fmt.Sprintf("%s-%d.tmpl", service, j)
			var text strings.Builder
			for range 1 + g.IntN(5) {
				a := g.action()
				if g.IntN(8) == 0 {
					a = partial
					a.text = `{{ template "_part.tmpl" . }}`
				}
				text.WriteString(a.text + "\n")
				for _, ref := range a.known {
					g.known[service][ref] = true
				}
				if a.dynamic != "" {
					g.dynamic[a.dynamic] = true
				}
			}
			write(t, filepath.Join(g.dir, template), text.String())
			fmt.Fprintf(&b, "      - {template: %s, path: /tmp/none/%s-%d}\n", template, service, j)
		}
		fmt.Fprintf(&b, "    notify: [{reload: %s.service}]\n", service)
	}
	write(t, filepath.Join(g.dir, "rendered.yaml"), b.String())
}

// An action is a part of a template with what it looks up.
type action struct {
	text    string
	known   []string
	dynamic string
}

func (g *generator) action() action {
	n := g.IntN(names)
	at := []string{"", "", "shared::", "far::"}[g.IntN(4)]
	secret, param, dir := fmt.Sprintf("%ss/%d", at, n), fmt.Sprintf("%s/p/%d", at, n), fmt.Sprintf("%s/d/%d", at, n)
	switch g.IntN(14) {
	case 0:
		return action{text: fmt.Sprintf("{{ secret %q }}", secret), known: []string{"secret " + secret}}
	case 1:
		return action{text: fmt.Sprintf("{{ secret %q }}", secret+":AWSPREVIOUS"), known: []string{"secret " + secret + ":AWSPREVIOUS"}}
	case 2:
		return action{text: fmt.Sprintf("{{ %q | param }}", param), known: []string{"param " + param}}
	case 3:
		version := []string{":1", ":live"}[g.IntN(2)]
		return action{text: fmt.Sprintf("{{ param %q }}", param+version), known: []string{"param " + param + version}}
	case 4:
		return action{text: fmt.Sprintf("{{ range $k, $v := params %q }}{{ $k }}{{ end }}", dir), known: []string{"params " + dir}}
	case 5:
		return action{text: fmt.Sprintf("{{ param %q }}", dir+"/x"), known: []string{"param " + dir + "/x"}}
	case 6:
		return action{text: fmt.Sprintf(`{{ secretOr "none" (printf "%ss/%%s" .n) }}`, at), known: []string{"secret " + at + "s/3"}}
	case 7:
		return action{text: fmt.Sprintf(`{{ range .list }}{{ param (print "%s/p/" .) }}{{ end }}`, at), known: []string{"param " + at + "/p/0", "param " + at + "/p/1"}}
	case 8: // both branches are looked up
		return action{text: fmt.Sprintf(`{{ if eq (param %q) "v" }}{{ secret %q }}{{ else }}{{ secret "s/0" }}{{ end }}`, param, secret), known: []string{"param " + param, "secret " + secret, "secret s/0"}}
	case 9:
		return action{text: fmt.Sprintf(`{{ param (param "/ptr/%d") }}`, n), known: []string{fmt.Sprintf("param /ptr/%d", n)}, dynamic: fmt.Sprintf("param /dyn/%d", n)}
	case 10:
		return action{text: fmt.Sprintf(`{{ param "/aws/reference/secretsmanager/s/%d" }}`, n), known: []string{fmt.Sprintf("param /aws/reference/secretsmanager/s/%d", n)}}
	case 11:
		return action{text: fmt.Sprintf(`{{ with %q }}{{ secret . }}{{ end }}`, secret), known: []string{"secret " + secret}}
	case 12:
		return action{text: fmt.Sprintf(`{{ paramOr "none" %q }}`, param), known: []string{"param " + param}}
	}
	return action{text: "{{ .env }} {{ hostname }}"}
}
