package render_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
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

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

var structures = flag.Int("structures", 0, "how many random values TestForeignReaders puts into each format's templates; 0: 200, with -long 1,000")

// A shape is a template as people write them.
type shape struct {
	format format.Format
	name   string
	body   string
}

func shapes(t *testing.T) []shape {
	t.Helper()
	paths, err := filepath.Glob("testdata/structure/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	var list []shape
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		f, err := format.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			list = append(list, shape{f, name + " " + file.Name, string(file.Data)})
		}
	}
	return list
}

const pemText = "-----BEGIN X-----\nAAAA+/==\n-----END X-----\n"

// blocks are texts of several lines that a secret may hold to be put into a file whole.
var blocks = map[string]string{
	"yaml": "k1: v w\nk2:\n  - a\n  - b: c", "json": `"k1": "v w", "k2": [1, {"a": "b"}],`, "ini": "k1 = v w\nk2=x;y", "dotenv": "K1=v\nK2=\"x y\"", "properties": "k1 = v w\nk2: x\\\n  y",
	"xml": "<k1>v w</k1>\n<k2 a=\"b\"/>", "toml": "k1 = \"v w\"\nk2 = [1, 2]",
}

// placed answers the lookups of a shape, each part of a value with the next text. Some names are
// answered with what such a place is for.
type placed struct {
	shape shape
	next  func() string
}

func (p placed) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	slices.SortFunc(refs, func(a, b sources.Ref) int { return strings.Compare(a.String(), b.String()) })
	for _, r := range refs {
		deliver(r, sources.Result{Value: p.value(r)})
	}
}

var keysOf = regexp.MustCompile(`"([a-z]+)"|\.([a-z]+)\b`)

func (p placed) value(r sources.Ref) sources.Value {
	name := strings.TrimPrefix(r.Name, "/")
	fixed := map[string]string{
		"pem": pemText, "csv": "a,b,c", "numbers": "1, 2", "number": "5", "bool": "true", "word": "word", "two": "27", "element": "<a>\n  <b/>\n</a>",
		"json": `{"a": "b c", "d": [1, {"e": null}]}`, "block": blocks[p.shape.format.String()],
	}
	if p.shape.name == "xml 16" && name == "block" {
		return sources.Value{Text: fixed["element"]}
	}
	if text, ok := fixed[name]; ok {
		return sources.Value{Text: text}
	}
	if r.Kind == sources.Params {
		return sources.Value{Params: map[string]string{"A": p.next(), "B": p.next()}}
	}
	if r.Kind == sources.Own || r.Kind == sources.IMDS {
		return sources.Value{Text: "eu-west-1"}
	}
	object := make(map[string]any)
	switch name {
	case "db", "prom", "aws", "smtp":
		for _, m := range keysOf.FindAllStringSubmatch(p.shape.body, -1) {
			if key := m[1] + m[2]; object[key] == nil {
				object[key] = p.next()
			}
		}
	case "app":
		object = map[string]any{"K": p.next(), "L": p.next()}
	case "list":
		object = map[string]any{"items": []string{p.next(), p.next()}}
	case "pair":
		return sources.Value{Text: p.next() + ":" + p.next()}
	default:
		text := p.next()
		if strings.Contains(p.shape.body, "paramList") && strings.HasSuffix(name, "s") || name == "l" {
			return sources.Value{Text: text, List: []string{text, p.next()}}
		}
		return sources.Value{Text: text, Secret: true}
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return sources.Value{Text: string(text), Secret: true}
}

// word gives a text that means nothing, for value number i.
func word(kind string, i int) string {
	return "zz" + kind + strings.Map(func(r rune) rune { return 'a' + r - '0' }, strconv.Itoa(i)) + "zz"
}

// A world is a shape with values in it.
type world struct {
	content string
	judged  error // that the content must not be written
	parses  bool
}

// filled renders the shape, with what each gives for the value with a number.
func (s shape) filled(t *testing.T, tmpl *render.Template, each func(i int) string) (world, bool) {
	t.Helper()
	n := -1
	source := placed{s, func() string { n++; return each(n) }}
	file := render.File{Target: swap.Target{Path: "/f"}, Template: tmpl, Format: s.format}
	snapshot := sources.NewSnapshot(source, 0)
	snapshot.Want(t.Context(), tmpl.Refs())
	rendering, _, failed := file.Render(t.Context(), snapshot)
	if failed != nil {
		return world{}, false
	}
	w := world{content: string(rendering.Content), parses: s.format.Check(rendering.Content) == nil}
	if w.parses {
		if failed := rendering.Judge(); failed != nil {
			w.judged = failed
			if !strings.Contains(failed.What, "changes the structure") {
				t.Errorf("%s: %v", s.name, failed)
			}
		}
	}
	return w, true
}

func (s shape) parse(t *testing.T) *render.Template {
	t.Helper()
	env := func(string) (string, bool) { return "/root", true }
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: s.body}, Hostname: "web-1", Env: env, TrackValues: true})
	if len(faults) > 0 {
		t.Fatalf("%s: %v", s.name, faults)
	}
	return tmpl
}

// An oracle is foreign readers that say whether values changed a structure.
type oracle struct {
	in  *json.Encoder
	out *bufio.Scanner
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/structure/oracle.py")
	const imports = "import sys, yaml, tomllib\nsys.path.append('/usr/lib/python3/dist-packages')\nimport javaproperties"
	if err := exec.Command("python3", "-c", imports).Run(); err != nil {
		const missing = "python3 with tomllib, python3-yaml and python3-javaproperties is missing"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return &oracle{json.NewEncoder(in), bufio.NewScanner(out)}
}

func (o *oracle) judge(t *testing.T, f format.Format, meant, is, behind string, values map[string]string) string {
	t.Helper()
	if err := o.in.Encode(map[string]any{"format": f.String(), "meant": meant, "is": is, "behind": behind, "values": values}); err != nil {
		t.Fatal(err)
	}
	if !o.out.Scan() {
		t.Fatal("the foreign readers are gone")
	}
	return o.out.Text()
}

var pieces = strings.Split("x|y z|a|b|1| |: |:|=| = | #|#|; |\n|\n  |\n|'|\"|,|, |{|}|[|]|\\|<|</|/>|>|&|-|- |!|*|%|@|$|(|)|\t|\r\n|true|null|]]>|-->|<!--|admin: true|admin=1|ADMIN=1|\"admin\":1|\"admin\": |<admin/>|---|...|\"\"\"|'''|\n[admin]\n|é|日本|?|~|&a |*a|!!str |\\n|\\|/|://|@h/|+/=|==|`|&amp;|&lt;", "|")

// making are functions that make something of a value that the foreign readers cannot compare with
// it.
var making = regexp.MustCompile(`b64enc|sha256sum|upper|lower|replace|trunc|html|urlquery|js|toJson|Json|trimPrefix|splitList|iniQuote|quote|envQuote|nginxQuote|propertiesQuote`)

// breakers are values that break out of some place.
var breakers = []string{
	"x\nadmin: true", "x\n  admin: true", "x\n    admin: true", "x\"\nadmin: \"true", "x'\nadmin: 'true", "x\" #", "x' #", "x #y", "\n  admin: true", "{a: b}", "[a, b]", "\"x\"", "'x'",
	`x","admin":"true`, `x", "admin": "true`, `1, "admin": true`, `x"], "admin": ["y`, `x"}, "admin": {"y": "z`, "x\nadmin = 1", "x\n[admin]\na = 1", "x\nADMIN=1", "x\"\nADMIN=\"1", "x'\nADMIN='1",
	"</a><b/><a>", "</password><admin/><password>", "<b/>", `x" admin="true`, `x' admin='true`, "]]><b/><![CDATA[", "--><b/><!--", "x\"\nadmin = \"true", "x'\nadmin = 'true", "x\"\"\"\nadmin = \"\"\"y", "a\", \"b", "a, b", "a', 'b",
	"x\n- y", "x\n  - y", "x\n---\ny: z", "x: y", "!!x y", "&a b", "*a", "x\n", "x\r\n", " x ", "p@ss w0rd!", "p#ss", "it's", `say "hi"`, "a=b=c", "C:\\x", "aGVsbG8gd29ybGQ=", "https://h:1/x?y=z&w=1#f", "-x", "@x", "%x", "`x`", "x{{y}}", "$x", "~", "100%",
}

// Values are put into templates, and readers that are not ours say whether the structure is what
// the template meant. None that it is intact in is refused.
func TestForeignReaders(t *testing.T) {
	render.Computes(t)
	oracle := newOracle(t)
	values := *structures
	if values == 0 {
		values = long.Or(80, 1000)
	}
	type counts struct{ values, unparsed, intact, changed, own, unknown, missed, refused int }
	sum := make(map[string]*counts)
	byFormat := make(map[string][]shape)
	for _, s := range shapes(t) {
		byFormat[s.format.String()] = append(byFormat[s.format.String()], s)
	}
	for name, list := range byFormat {
		c := new(counts)
		sum[name] = c
		random := rand.New(rand.NewPCG(1, uint64(len(list))))
		each := 1 + values/len(list)
		for _, s := range list {
			tmpl := s.parse(t)
			meant, ok := s.filled(t, tmpl, func(i int) string { return word("w", i) })
			if !ok || !meant.parses {
				t.Errorf("%s: does not stand as %s:\n%s", s.name, name, meant.content)
				continue
			}
			for range each {
				hostile, known := random.IntN(4), random.IntN(2) == 0
				given := make(map[int]string)
				value := func(i int) string {
					if _, ok := given[i]; !ok {
						switch {
						case hostile > 0 && i%4 != hostile:
							given[i] = "p@ss" + strconv.Itoa(i)
						case known:
							given[i] = breakers[random.IntN(len(breakers))]
						default:
							var b strings.Builder
							for range 1 + random.IntN(6) {
								b.WriteString(pieces[random.IntN(len(pieces))])
							}
							given[i] = b.String()
						}
					}
					return given[i]
				}
				c.values++
				is, ok := s.filled(t, tmpl, value)
				if !ok || !is.parses {
					c.unparsed++
					continue
				}
				behind, _ := s.filled(t, tmpl, func(i int) string {
					text := value(i)
					end := len(strings.TrimRight(text, " \t\r\n"))
					return text[:end] + word("t", i) + text[end:]
				})
				words := make(map[string]string)
				for i, v := range given {
					words[word("w", i)] = v
				}
				switch said := oracle.judge(t, s.format, meant.content, is.content, behind.content, words); said {
				case "intact":
					if c.intact++; is.judged != nil {
						c.refused++
						t.Errorf("%s: refused, and intact:\n%q\n%v", s.name, is.content, is.judged)
					}
				case "changed":
					if making.MatchString(s.body) {
						c.unknown++
						continue
					}
					if c.changed++; is.judged == nil {
						if c.missed++; c.missed <= 20 {
							t.Logf("%s: missed:\n%q", s.name, is.content)
						}
					}
				case "own":
					c.own++
				default:
					c.unknown++
				}
			}
		}
	}
	for name, c := range sum {
		t.Logf("%s: %+v", name, *c)
	}
}
