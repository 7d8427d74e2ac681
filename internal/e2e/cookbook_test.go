package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/pages"
)

// A recipe is an example with the page that explains it.
type recipe struct {
	from  string // its directory
	dir   string // a copy of it, to work in
	page  string
	files map[string]string // by name, the page excepted
}

// filesWith gives how many files come of a recipe, where what it has a file for each of has keys.
func (r recipe) filesWith(keys int) int {
	config := r.files["rendered.yaml"]
	return strings.Count(config, " path: ") + (keys-1)*strings.Count(config, "- each: ")
}

// recipes runs a test for each recipe.
func recipes(t *testing.T, test func(t *testing.T, r recipe)) {
	t.Helper()
	pages, err := filepath.Glob(cookbook + "/*/README.md")
	if err != nil || len(pages) < 6 {
		t.Fatalf("the recipes are %q, %v", pages, err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(filepath.Dir(page)), func(t *testing.T) {
			t.Parallel()
			test(t, readRecipe(t, filepath.Dir(page)))
		})
	}
}

func readRecipe(t *testing.T, dir string) recipe {
	t.Helper()
	r := recipe{from: dir, dir: t.TempDir(), files: make(map[string]string)}
	if err := os.CopyFS(r.dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r.files[filepath.Base(path)] = string(text)
	}
	r.page = r.files["README.md"]
	delete(r.files, "README.md")
	return r
}

// rendered runs a script that calls it in the recipe's directory, and gives what it said. A recipe
// may name users whom a machine without its program does not know.
func (r recipe) rendered(t *testing.T, script string, env ...string) string {
	t.Helper()
	program(t)
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), env...)
	said, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(said), ".owner: unknown") && os.Getenv("CI") == "" {
		t.Skipf("%s", said)
	}
	if err != nil {
		t.Fatalf("%s: %v:\n%s", script, err, said)
	}
	return string(said)
}

// blocks gives the texts that its page shows for the test to run or compare, and behind them those
// that the page of all recipes shows for each.
func (r recipe) blocks(t *testing.T) (texts []string) {
	t.Helper()
	for _, of := range []string{"/" + filepath.Base(r.from), ""} {
		for _, b := range pages.Claimed(t) {
			if filepath.Dir(b.Page) == "docs/cookbook"+of {
				texts = append(texts, b.Text)
			}
		}
	}
	return texts
}

// What a page tells to copy is what lies beside it, and was tested.
func TestCookbookShowsItsFiles(t *testing.T) {
	recipes(t, func(t *testing.T, r recipe) {
		shown := make(map[string]bool)
		for _, text := range r.blocks(t) {
			shown[text] = true
		}
		for name, text := range r.files {
			if !strings.Contains(r.page, "["+name+"]("+name+")") {
				t.Errorf("it has no link to %s", name)
			}
			if !shown[text] && !strings.Contains(text, "-----BEGIN ") {
				t.Errorf("it does not show %s as it is", name)
			}
			delete(shown, text)
		}
		for text := range shown {
			t.Errorf("it shows what is in no file:\n%s", text)
		}
	})
}

// A recipe is good as it stands, and comes out the same a second time.
func TestCookbookRenders(t *testing.T) {
	recipes(t, func(t *testing.T, r recipe) {
		if said := r.rendered(t, "rendered check -c rendered.yaml"); !strings.HasSuffix(said, "\nok\n") {
			t.Errorf("check says:\n%s", said)
		}
		scripts := r.blocks(t)
		if len(scripts) != 2 {
			t.Errorf("it does not say how to try it: %q", scripts)
		}
		for _, script := range scripts {
			if said := r.rendered(t, script); !strings.Contains(said, "created   "+r.dir+"/out/") || !strings.Contains(said, "\nwould ") {
				t.Errorf("%s says:\n%s", script, said)
			}
			if said := r.rendered(t, script); !strings.Contains(said, "nothing changed: ") {
				t.Errorf("a second time %s says:\n%s", script, said)
			}
			r.rendered(t, "rm -r out")
		}
	})
}

// All recipes can be parts of one config.
func TestCookbookTogether(t *testing.T) {
	all := recipe{dir: t.TempDir()}
	write(t, filepath.Join(all.dir, "rendered.yaml"), "schedule: '@hourly'\n")
	parts := filepath.Join(all.dir, "conf.d")
	if err := os.Mkdir(parts, 0o755); err != nil {
		t.Fatal(err)
	}
	from := make(map[string]string) // the recipe, by the template's name
	recipes := 0
	paths, err := filepath.Glob(cookbook + "/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name, recipe := filepath.Base(path), filepath.Base(filepath.Dir(path))
		switch {
		case name == "rendered.yaml":
			recipes++
			name = recipe + ".yaml"
		case !strings.HasSuffix(name, ".tmpl"):
			continue
		case from[name] != "":
			t.Errorf("%s is in %s and in %s", name, from[name], recipe)
		}
		from[name] = recipe
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(parts, name), string(text))
	}
	said := all.rendered(t, "rendered check -c rendered.yaml")
	if got := strings.Count(said, "@hourly"); got != recipes {
		t.Errorf("%d services of %d recipes:\n%s", got, recipes, said)
	}
}

// recorder stands in for the AWS CLI: it writes its arguments down, a file a call.
const recorder = `#!/bin/sh
set -e
to=$(mktemp "$CALLS/XXXXXX")
for word; do
	case $word in
	file:///dev/stdin) cat >>"$to" ;;
	*) printf %s "$word" >>"$to" ;;
	esac
	printf '\0' >>"$to"
done
`

// store runs a page's commands of the AWS CLI, and does to a fake of AWS what they ask for.
func (r recipe) store(t *testing.T, fake *awsfake.Server, script string) {
	t.Helper()
	if strings.Contains(script, "jq ") {
		needed(t, "jq")
	}
	bin, calls := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "aws"), recorder)
	if err := os.Chmod(filepath.Join(bin, "aws"), 0o755); err != nil {
		t.Fatal(err)
	}
	secret, _ := tlsSecret()
	write(t, filepath.Join(r.dir, "fullchain.pem"), secret["cert"].(string))
	write(t, filepath.Join(r.dir, "privkey.pem"), secret["key"].(string))
	r.rendered(t, script, "CALLS="+calls, "PATH="+bin+":"+os.Getenv("PATH"))

	names, err := filepath.Glob(calls + "/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, asks for nothing", script, err)
	}
	for _, name := range names {
		said, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(strings.TrimSuffix(string(said), "\x00"), "\x00")
		options := make(map[string]string)
		for i := 2; i+1 < len(words); i += 2 {
			options[words[i]] = words[i+1]
		}
		switch operation := strings.Join(words[:2], " "); {
		case operation == "secretsmanager create-secret" && len(words) == 6 && options["--name"] != "":
			fake.PutSecret(options["--name"], options["--secret-string"])
		case operation == "cloudformation deploy" && options["--template-file"] != "":
			s := readStack(t, filepath.Join(r.dir, options["--template-file"]))
			fake.PutSecret(s.name, s.secret(t, "made up"))
		case operation == "ssm put-parameter" && len(words) == 8 && options["--name"] != "":
			fake.PutParameter(options["--name"], options["--type"], options["--value"])
		default:
			t.Errorf("aws %q", words)
		}
	}
}

// What a page tells to store in AWS is what its templates look up.
func TestCookbookStores(t *testing.T) {
	recipes(t, func(t *testing.T, r recipe) {
		fake := awsfake.Start(t)
		for _, script := range r.blocks(t) {
			r.store(t, fake, script)
		}
		said := r.rendered(t, "rendered once -c rendered.yaml --root out", fake.Env()...)
		if got, want := strings.Count(said, "created "), r.filesWith(1); got != want {
			t.Errorf("%d files of %d:\n%s", got, want, said)
		}
	})
}

// versionID is a version of a secret, as AWS names it.
var versionID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// A page shows what is said of a version that is being rotated in: first of a good one, then of one
// that is written in another form.
func TestCookbookPending(t *testing.T) {
	r := readRecipe(t, filepath.Join(cookbook, "rotation-drill"))
	fake := awsfake.Start(t)
	fake.PutSecret("prod/drill/db", `{"username": "app", "password": "first"}`)
	sh := newShell(t, r.from)
	pending := []string{`{"username": "app", "password": "second"}`, `{"user": "app", "pass": "second"}`}
	shown := pages.Claimed(t)
	if len(shown) != len(pending) {
		t.Fatalf("it shows %d screens", len(shown))
	}
	for i, b := range shown {
		fake.PutSecret("prod/drill/db", pending[i], "AWSPENDING")
		said, _ := sh.run(t, "set +e\n"+typed(b), fake.Env()...)
		if got, want := versionID.ReplaceAllString(said, "…"), versionID.ReplaceAllString(b.Text, "…"); got != want {
			t.Errorf("%v: now it is\n%s", b, said)
		}
	}
}

// A page's policy is what iam-policy prints, to the letter.
func TestCookbookPolicies(t *testing.T) {
	recipes(t, func(t *testing.T, r recipe) {
		blocks := r.blocks(t)
		if len(blocks) != 2 {
			t.Fatalf("there are %q, want a policy, and the command that prints it", blocks)
		}
		if said := r.rendered(t, "exec 2>/dev/null\n"+blocks[1]); blocks[0] != said {
			t.Errorf("it shows\n%s\nthe policy is\n%s", blocks[0], said)
		}
	})
}
