package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fault/yamltext"
)

const project = "../../../.."

// A refusal of the foreign validator: where, and by which keyword.
type refused struct {
	Path    []any
	Keyword string
}

// judge is Debian's python3-jsonschema.
const judge = `
import json, sys
from jsonschema import Draft7Validator
task = json.load(sys.stdin)
Draft7Validator.check_schema(task["schema"])
validator = Draft7Validator(task["schema"])
json.dump([[{"Path": list(e.absolute_path), "Keyword": e.validator} for e in validator.iter_errors(i)] for i in task["instances"]], sys.stdout)
`

// judged gives what a validator that is not ours refuses of documents.
func judged(t *testing.T, instances []any) (list [][]refused) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, whatever else there is
	if err := exec.CommandContext(t.Context(), python, "-c", "import jsonschema").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no python3-jsonschema")
		}
		t.Skip("there is no python3-jsonschema")
	}
	task, err := json.Marshal(map[string]any{"schema": json.RawMessage(Schema()), "instances": instances})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", judge)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(task), os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	if err != nil || len(list) != len(instances) {
		t.Fatalf("%d answers: %v", len(list), err)
	}
	return list
}

// jsonOf gives what an editor's reader of YAML makes of a node; 0640 is a number in octal to those
// of YAML 1.1, and in decimal to those of 1.2.
func jsonOf(n *yaml.Node, octal bool) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return jsonOf(n.Content[0], octal)
	case yaml.AliasNode:
		return jsonOf(n.Alias, octal)
	case yaml.SequenceNode:
		list := make([]any, 0)
		for _, e := range n.Content {
			list = append(list, jsonOf(e, octal))
		}
		return list
	case yaml.MappingNode:
		m := make(map[string]any)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i].Value; m[key] == nil { // of two the first
				m[key] = jsonOf(n.Content[i+1], octal)
			}
		}
		return m
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool", "!!float":
		var v any
		if err := n.Decode(&v); err == nil {
			if _, err := json.Marshal(v); err == nil { // JSON has no infinity
				return v
			}
		}
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil && !octal {
			return v
		}
		var v any
		if err := n.Decode(&v); err == nil {
			return v
		}
	}
	return n.Value
}

// parse gives the first document of a file; nil where it is no YAML.
func parse(data []byte) *yaml.Node {
	documents, err := yamltext.Documents(data)
	if err != nil || len(documents) == 0 {
		return nil
	}
	return documents[0].Content[0]
}

// beyond are the faults that a schema does not tell, and why.
var beyond = []struct{ fault, why string }{
	{"unknown (user|group) |is no (user|group) id", "it is the machine that has users"},
	{"stands here a second time|is defined twice|a second YAML document", "a reader of YAML hands on one"},
	{"alias", "a reader of YAML puts in what it stands for"},
	{"^the tag ", "a reader of YAML hands on what the tag stands at"},
	{"is written a second time|would be |is to stand in|is the template at|lies in |is written by|is a file of|is not the path of a file of this service", "what paths are of depends on others"},
	{`services\.(lookups|mistakes|results)\.files\[\d+\]\.path: `, "what the actions of a path come to"},
	{"longer than nothing", "0s looks like a duration"},
	{"here is none$|these are .* texts, and send: has|is not sent to this address|names none$|no file is sent", "what a text says"},
	{`\.notify\[\d+\]\.body: there is no `, "what the actions of a path come to"},
	{"no fleet: at the top|services of one group share|with fleetlock: ", "what stands elsewhere in the config"},
	{"is not longer than healthy_for|is not shorter than the timeout", "it counts no seconds"},
	{"is not an address to connect to", "it counts no ports"},
	{"at most a year|is too large", "a pattern does not count"},
	{"mode [0-7]+ (must begin with 0|has bits)|\"0[0-7]+\" is not a mode|could not enter a directory", "to a reader of YAML 1.2, 0644 is the number 644"},
	{"not a date", "to a reader of YAML 1.2 a date is a text"},
	{"a file of conf.d adds services", "one schema is for all files of a config"},
	{"there are no services", "those of conf.d may be all"},
	{"the same notice", "notices are compared when they are understood"},
	{"delims are two different texts", "that two are the same"},
	{"without \\{\\} does not see|\\{\\} stands for the new file", "one schema is for both checks where they are mappings"},
	{"the field .* is not understood|a time that never comes|unknown time zone|it begins with @|the period of @every|closes when it opens", "times are more than a pattern"},
	{"this is not YAML|cannot be read as YAML", "there is nothing to be judged"},
	{"bytes, and each name in it", "it counts bytes"},
	{"zero byte", "YAML has none"},
}

// pathAt gives the path of what stands at a place, and, where that is a key, of its mapping.
func pathAt(n *yaml.Node, p fault.Place, path []any) (at []any, found bool) {
	if n.Line == p.Line && n.Column == p.Column && (n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0) {
		return path, true
	}
	here := slices.Clip(path)
	for i, child := range n.Content {
		below := append(here, i)
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				if child.Line == p.Line && child.Column == p.Column {
					return here, true
				}
				continue
			}
			below = append(here, n.Content[i-1].Value)
		}
		if at, ok := pathAt(child, p, below); ok {
			return at, true
		}
	}
	return nil, false
}

// meets tells whether two paths lead to one thing, or one to what is in the other's.
func meets(a, b []any) bool {
	for i := range min(len(a), len(b)) {
		if fmt.Sprint(a[i]) != fmt.Sprint(b[i]) {
			return false
		}
	}
	return true
}

// A sample is a file of a config, with what Load finds in it.
type sample struct {
	name   string
	root   *yaml.Node
	faults fault.List
}

// samples gives the files of a config that is at a path.
func samples(t *testing.T, name, dir string, o Options) (list []sample) {
	t.Helper()
	_, faults := load(filepath.Join(dir, "rendered.yaml"), o)
	parts, _ := filepath.Glob(filepath.Join(dir, "conf.d", "[^.]*.yaml"))
	for _, path := range append(parts, filepath.Join(dir, "rendered.yaml")) {
		data, _ := os.ReadFile(path) // it may be a directory, of which there is nothing to be judged
		s := sample{name: name + "/" + filepath.Base(path), root: parse(data)}
		for _, f := range faults {
			if f.Place.File == path {
				s.faults = append(s.faults, f)
			}
		}
		if s.root != nil {
			list = append(list, s)
		}
	}
	return list
}

// agree wants the validator to refuse what Load refuses, where it can be told, and nothing else.
func agree(t *testing.T, list []sample) {
	t.Helper()
	instances := make([]any, 0)
	for _, s := range list {
		instances = append(instances, jsonOf(s.root, false), jsonOf(s.root, true))
	}
	answers := judged(t, instances)
	excused := make(map[string]bool)
	told := 0
	for i, s := range list {
		for _, answer := range answers[2*i : 2*i+2] {
			for _, e := range answer {
				if !slices.ContainsFunc(s.faults, func(f *fault.Fault) bool {
					at, ok := pathAt(s.root, f.Place, nil)
					return ok && meets(at, e.Path)
				}) {
					t.Errorf("%s: the schema refuses %v, by %s, and we do not", s.name, e.Path, e.Keyword)
				}
			}
		}
		for _, f := range s.faults {
			at, _ := pathAt(s.root, f.Place, nil)
			if slices.ContainsFunc(answers[2*i], func(e refused) bool { return len(e.Path) >= len(at)-1 && meets(at, e.Path) }) {
				told++
				continue
			}
			known := slices.IndexFunc(beyond, func(b struct{ fault, why string }) bool { return regexp.MustCompile(b.fault).MatchString(f.What) })
			if known < 0 {
				t.Errorf("%s: the schema does not refuse %v, of which we say: %s", s.name, at, f.What)
				continue
			}
			excused[beyond[known].fault] = true
		}
	}
	t.Logf("%d files; of what is wrong in them the schema tells %d", len(list), told)
}

// Every golden case is judged by both: what we take the schema takes, and what it does not tell of
// what we refuse has a reason.
func TestSchemaAndGoldenCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	var list []sample
	for _, path := range cases {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := writeCase(dir, archive); err != nil {
			t.Fatal(err)
		}
		list = append(list, samples(t, filepath.Base(path), dir, outside(archive))...)
	}
	agree(t, list)
}

// shown are the configs in a document. A part of a service is none, and neither are test cases.
var shown = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// Every config that we show or install is one to the schema, and to us.
func TestSchemaTakesWhatIsShown(t *testing.T) {
	var list []sample
	add := func(name string, text []byte) {
		root := parse(text)
		if root == nil || !slices.ContainsFunc(root.Content, func(n *yaml.Node) bool { return ofTop.key(n.Value) != nil }) || hasKey(root, "cases") {
			return
		}
		dir := t.TempDir()
		if !hasKey(root, "services") {
			text = append(slices.Clip(text), "services:\n"...)
		}
		if err := os.WriteFile(filepath.Join(dir, "rendered.yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, s := range samples(t, name, dir, Options{Strangers: true}) {
			for _, f := range s.faults {
				t.Errorf("%s: %v", name, f)
			}
			list = append(list, s)
		}
	}
	for _, pattern := range []string{"packaging/*.yaml", "packaging/examples/conf.d/*.yaml", "docs/cookbook/*/rendered.yaml", "testdata/quickstart/rendered.yaml", "*.md", "docs/*.md", "docs/cookbook/*/*.md", "packaging/*.md"} {
		paths, err := filepath.Glob(filepath.Join(project, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(path) == ".yaml" {
				add(path, text)
			}
			for i, m := range shown.FindAllSubmatch(text, -1) {
				add(fmt.Sprintf("%s, block %d", path, i+1), m[1])
			}
		}
	}
	if len(list) < 20 {
		t.Errorf("only %d configs were found", len(list))
	}
	agree(t, list)
}

// A config with something changed in it that we take the schema takes, too.
func TestSchemaTakesWhatWeTake(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/whole.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	var instances []any
	var texts []string
	refusals := 0
	for range 500 {
		root := parse(archive.Files[0].Data)
		for range 1 + random.IntN(2) {
			change(random, root)
		}
		text, err := yaml.Marshal(root)
		if err != nil {
			continue // it is no YAML any more
		}
		if err := os.WriteFile(filepath.Join(dir, "rendered.yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, faults := load(filepath.Join(dir, "rendered.yaml"), Options{Strangers: true}); len(faults) > 0 {
			refusals++
			continue
		}
		instances, texts = append(instances, jsonOf(parse(text), false)), append(texts, string(text))
	}
	for i, answer := range judged(t, instances) {
		if len(answer) > 0 {
			t.Errorf("the schema refuses %v, by %s, and we do not:\n%s", answer[0].Path, answer[0].Keyword, texts[i])
		}
	}
	if t.Logf("we take %d and refuse %d", len(instances), refusals); len(instances) < 100 || refusals < 100 {
		t.Error("the changes are not what they should be")
	}
}

// change changes something in a tree.
func change(random *rand.Rand, root *yaml.Node) {
	var all []*yaml.Node
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		all = append(all, n)
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(root)
	n, other := all[random.IntN(len(all))], all[random.IntN(len(all))]
	values := []string{"", "0", "5", "007", "0755", "1.5", "true", "~", "x", "5m", "+1h", "0s", "/etc/x/../y", "a.service", "sighup", "@every 1m", "TZ=UTC 0 0 * * *", "64 KiB", "::1", "[::1]:80", ":80", "{}", "root", ":5", "localhost:1", "2026-01-01", "*.a"}
	switch random.IntN(5) {
	case 0:
		if at := random.IntN(len(n.Content)/2 + 1); n.Kind == yaml.MappingNode && at < len(n.Content)/2 {
			n.Content = slices.Delete(n.Content, 2*at, 2*at+2)
		} else if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
			n.Content = n.Content[1:]
		}
	case 1, 2:
		if n.Kind == yaml.ScalarNode {
			n.SetString("")
			n.Tag, n.Value, n.Style = "", values[random.IntN(len(values))], 0
		}
	case 3:
		if n.Kind == yaml.ScalarNode && other.Kind == yaml.ScalarNode {
			n.Value, n.Tag, n.Style = other.Value, other.Tag, other.Style
		}
	case 4:
		if n.Kind == yaml.ScalarNode {
			*n = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: n.Value, Tag: n.Tag, Style: n.Style}}}
		}
	}
}

// The patterns are those of JavaScript, too, by which editors judge.
func TestPatternsAreJavaScript(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no node")
	}
	const script = `let n = 0
const walk = (s) => { if (s && typeof s === "object") for (const [k, v] of Object.entries(s)) { if (k === "pattern" && typeof v === "string") { new RegExp(v, "u"); n++ } walk(v) } }
walk(JSON.parse(require("fs").readFileSync(0, "utf8")))
console.log(n)`
	cmd := exec.CommandContext(t.Context(), "node", "-e", script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(Schema()), os.Stderr
	out, err := cmd.Output()
	if n, _ := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || n < 40 {
		t.Errorf("%d patterns, %v", n, err)
	}
}

// Each key of the schema, which are those of the table, is read in some golden case.
func TestGoldenCasesHaveEveryKey(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	unread := make(map[string]bool)
	properties(root, "", func(at string) { unread[at] = true })
	if len(unread) < 70 {
		t.Fatalf("the schema has %d keys", len(unread))
	}
	cases, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range cases {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if n := parse(f.Data); n != nil && strings.HasSuffix(f.Name, ".yaml") {
				visit(root, n, "", unread)
			}
		}
	}
	for at := range unread {
		t.Errorf("no case has %s", at)
	}
}

// properties calls each with the keys of a schema.
func properties(s map[string]any, at string, each func(string)) {
	known, _ := s["properties"].(map[string]any)
	for name, below := range known {
		each(at + "." + name)
		properties(below.(map[string]any), at+"."+name, each)
	}
	for _, within := range []string{"items", "additionalProperties"} {
		if below, ok := s[within].(map[string]any); ok && known == nil {
			properties(below, at, each)
		}
	}
}

// visit takes out of unread what stands in a config.
func visit(s map[string]any, n *yaml.Node, at string, unread map[string]bool) {
	known, _ := s["properties"].(map[string]any)
	items, _ := s["items"].(map[string]any)
	other, _ := s["additionalProperties"].(map[string]any)
	for i := 0; i < len(n.Content); i++ {
		switch {
		case n.Kind == yaml.SequenceNode:
			visit(items, n.Content[i], at, unread)
		case n.Kind != yaml.MappingNode || i%2 == 0:
		case known != nil:
			name := n.Content[i-1].Value
			delete(unread, at+"."+name)
			below, _ := known[name].(map[string]any)
			visit(below, n.Content[i], at+"."+name, unread)
		default:
			visit(other, n.Content[i], at, unread)
		}
	}
}

// keysIn is where a document lists the keys.
var keysIn = regexp.MustCompile(`(?s)(<!-- keys: [^\n]*-->\n).*(<!-- end of keys -->)`)

// docs/config.md has the table of the keys.
func TestKeysAreDocumented(t *testing.T) {
	path := filepath.Join(project, "docs/config.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tables strings.Builder
	for _, s := range Sections() {
		fmt.Fprintf(&tables, "### %s\n\n", strings.ReplaceAll(s.Title, "[]", "\\[\\]"))
		if s.Doc != "" {
			fmt.Fprintf(&tables, "%s\n\n", s.Doc)
		}
		tables.WriteString("| key | what stands there | default | meaning |\n|---|---|---|---|\n")
		for _, k := range s.Keys {
			std := k.Default()
			if std != "" {
				std = "`" + std + "`"
			}
			fmt.Fprintf(&tables, "| `%s` | %s | %s | %s |\n", k.Name, strings.NewReplacer("[", "\\[", "]", "\\]").Replace(k.Kind()), std, k.Doc)
		}
		tables.WriteString("\n")
	}
	want := keysIn.ReplaceAllFunc(text, func(found []byte) []byte {
		m := keysIn.FindSubmatch(found)
		return slices.Concat(m[1], []byte("\n"+tables.String()), m[2])
	})
	switch {
	case *update:
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	case !bytes.Contains(text, []byte(tables.String())):
		t.Errorf("docs/config.md does not have the keys as they are; write them with -update:\n%s", &tables)
	}
}
