package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/awsfake/moto"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/internal/pages"
)

// A shell runs what pages show, in a directory that is its home.
type shell struct {
	dir string
	env []string
}

// newShell gives one in a copy of a directory, or in an empty one. The programs in the copy's bin/
// are found before all others, the program before those of the machine.
func newShell(t *testing.T, from string) shell {
	t.Helper()
	dir := t.TempDir()
	if from != "" {
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	program(t)
	project, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return shell{dir, append(withoutAWS(dir), "AWS_REGION=eu-west-1", "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "PROJECT="+project)}
}

// run runs a script, which ends where a line of it fails.
func (s shell) run(t *testing.T, script string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir, cmd.Env = s.dir, append(slices.Clip(s.env), env...)
	said, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(said), s.dir, ""), err
}

// Of each page what is to be typed runs, and the screens are what is then said. What a page takes
// for granted stands in testdata/pages, in a directory of its name.
func TestPagesRun(t *testing.T) {
	t.Parallel()
	of := make(map[string][]pages.Block)
	for _, b := range pages.Claimed(t) {
		of[b.Name()] = append(of[b.Name()], b)
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		from := filepath.Join("testdata/pages", name)
		if _, err := os.Stat(from); err != nil {
			from = ""
		}
		sh := newShell(t, from)
		for _, b := range of[name] {
			if b.Kind == "console" {
				sh.shows(t, b)
			} else if said, err := sh.run(t, b.Text); err != nil {
				t.Errorf("%v: %v:\n%s", b, err, said)
			}
		}
	}
}

// shows runs the commands of a screen in one shell, and compares what they say.
func (s shell) shows(t *testing.T, b pages.Block) {
	t.Helper()
	if !strings.HasPrefix(b.Text, "$ ") {
		t.Errorf("%v: it begins with no command", b)
	}
	if said, _ := s.run(t, "set +e\n"+typed(b)); said != b.Text {
		t.Errorf("%v: now it is\n%s", b, said)
	}
}

// typed gives a script that shows and runs the commands of a screen.
func typed(b pages.Block) string {
	var script strings.Builder
	for line := range strings.Lines(b.Text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			// The command is shown before it runs, and finds the exit status of the one before.
			fmt.Fprintf(&script, "was=$?; cat <<'END'; (exit $was)\n%sEND\n%s", line, command)
		}
	}
	return script.String()
}

// taken stands in for the AWS CLI: it has the CLI send to where nobody listens. What the CLI does
// not take it refuses before.
const taken = `#!/bin/sh
said=$('CLI' "$@" --endpoint-url http://127.0.0.1:1 2>&1)
case $said in *"Could not connect to the endpoint URL"*) exit 0 ;; esac
echo "$said"
exit 1
`

// The AWS CLI takes the commands that pages show, with all their options and what these say.
func TestPagesAskAWS(t *testing.T) {
	long.Test(t)
	t.Parallel()
	needed(t, "aws")
	cli, err := exec.LookPath("aws")
	if err != nil {
		t.Fatal(err)
	}
	sh := newShell(t, "")
	if err := os.Mkdir(filepath.Join(sh.dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(sh.dir, "bin/aws"), strings.Replace(taken, "CLI", cli, 1))
	if err := os.Chmod(filepath.Join(sh.dir, "bin/aws"), 0o755); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join(root, "packaging/ssm/rendered-refresh.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(sh.dir, "rendered-refresh.yaml"), string(document))
	write(t, filepath.Join(sh.dir, "new.json"), "{}")
	env := append(moto.Env(""), "HOME="+os.Getenv("HOME"), "AWS_DEFAULT_REGION=eu-west-1", "AWS_MAX_ATTEMPTS=1")
	for _, b := range pages.Claimed(t) {
		if said, err := sh.run(t, b.Text, env...); err != nil {
			t.Errorf("%v: %v:\n%s", b, err, said)
		}
	}
	for _, wrong := range []string{"aws ssm get-inventory --filter x", "aws ssm send-command --document-name d --timeout-seconds 1"} {
		if said, err := sh.run(t, wrong, env...); err == nil {
			t.Errorf("%s is taken:\n%s", wrong, said)
		}
	}
}

// ssh takes the command that forwards the page's port, which is the one that the page's config
// listens on.
func TestPagesForwardAPort(t *testing.T) {
	t.Parallel()
	needed(t, "ssh")
	for _, b := range pages.Claimed(t) {
		said, err := newShell(t, "").run(t, "ssh -F /dev/null -G "+strings.TrimPrefix(b.Text, "ssh "))
		if err != nil || !strings.Contains(said, "\nlocalforward 9464 [127.0.0.1]:9464\n") || !strings.Contains("\n"+said, "\nhost web-1\n") {
			t.Errorf("%v: %v:\n%s", b, err, said)
		}
		page, err := os.ReadFile(filepath.Join(root, b.Page))
		if err != nil || !strings.Contains(string(page), "metrics: {listen: 127.0.0.1:9464}") {
			t.Errorf("%v: the page listens elsewhere: %v", b, err)
		}
	}
}

// In CI the step of the page prints what the page shows of a config with a fault.
func TestCheckInCI(t *testing.T) {
	t.Parallel()
	sh := newShell(t, "")
	if err := os.Mkdir(filepath.Join(sh.dir, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	const config = "schedule: '@hourly'\nservices:\n  a:\n    files:\n      - path: /etc/a\n        content: a\n  b:\n    files:\n"
	good := config + "      - path: /etc/b\n        content: |\n          1\n          2\n          3\n        mode: 0600\n"
	step, shown := "", ""
	for _, b := range pages.Claimed(t) {
		if b.Kind == "yaml steps" {
			step = strings.TrimPrefix(b.Text, "- run: ")
		} else {
			shown = b.Text
		}
	}
	write(t, filepath.Join(sh.dir, "etc/rendered.yaml"), good)
	if said, err := sh.run(t, step); err != nil || !strings.HasSuffix(said, "ok\n") {
		t.Errorf("%s of a good config: %v:\n%s", step, err, said)
	}
	write(t, filepath.Join(sh.dir, "etc/rendered.yaml"), strings.Replace(good, "mode:", "mod:", 1))
	if said, err := sh.run(t, step); err == nil || !strings.Contains(said, shown) {
		t.Errorf("%s of a config with a fault: %v:\n%s\nthe page shows\n%s", step, err, said, shown)
	}
}

// The cases that the page shows pass, with the template that they are about, and those of the
// cookbook are as many as it says.
func TestTestingAsDocumented(t *testing.T) {
	t.Parallel()
	for _, b := range pages.Claimed(t) {
		if b.Kind == "console cookbook" {
			newShell(t, cookbook).shows(t, b)
			continue
		}
		sh := newShell(t, "")
		name, _, _ := strings.Cut(strings.TrimPrefix(b.Text, "# "), ", beside app.env.tmpl\n")
		write(t, filepath.Join(sh.dir, name), b.Text)
		write(t, filepath.Join(sh.dir, "app.env.tmpl"), "ENV={{ .env }}\nDB_PASSWORD={{ secret \"prod/app/db\" \"password\" | envQuote }}\n")
		if said, err := sh.run(t, "mkdir testdata; rendered test --update; rendered test"); err != nil || !strings.HasSuffix(said, "\n3 cases in 1 file\n") {
			t.Errorf("%v: %v:\n%s", b, err, said)
		}
	}
}

// What the comparison shows as configs of consul-template are some: migrate reads them, has nothing
// left to do, and writes each of their files.
func TestComparisonShowsConfigs(t *testing.T) {
	t.Parallel()
	for _, b := range pages.Claimed(t) {
		sh := newShell(t, "")
		// C stands for where Consul is, and names for paths, as the page says.
		text := regexp.MustCompile(`(?m)^C$`).ReplaceAllString(b.Text, `consul { address = "127.0.0.1:8500" }`)
		write(t, filepath.Join(sh.dir, "shown.hcl"), strings.ReplaceAll(text, `destination = "`, `destination = "/srv/`))
		said, err := sh.run(t, "rendered migrate consul-template shown.hcl --output new; cat new/rendered.yaml")
		shown := regexp.MustCompile(`destination = "(\w+)"`).FindAllStringSubmatch(b.Text, -1)
		if err != nil || len(shown) == 0 {
			t.Errorf("%v: %v:\n%s", b, err, said)
		}
		for _, m := range shown {
			if !strings.Contains(said, "\n        path: /srv/"+m[1]+"\n") {
				t.Errorf("%v: %s is written by none of\n%s", b, m[1], said)
			}
		}
	}
}

// readmeTools stand in for what the script of the README calls: AWS, which has the secret of the
// file secret, systemd, and a chmod that says which mode it found.
var readmeTools = map[string]string{
	"aws":       "#!/bin/sh\ncat secret\n",
	"systemctl": "#!/bin/sh\necho \"$@\" >>told\n",
	"chmod":     "#!/bin/sh\nstat -c %a \"$2\" >>modes\nexec /bin/chmod \"$@\"\n",
}

// The script of the README runs, and has the bugs that it is said to have.
func TestReadmeScript(t *testing.T) {
	t.Parallel()
	needed(t, "jq")
	script := strings.ReplaceAll(pages.Claimed(t)[0].Text, "/etc/app/", "")
	for _, c := range []struct {
		bug, secret, want, told string
	}{
		{"it works on a good day", `{"password": "good"}`, "PASSWORD=good\n", "restart app\n"},
		{"1. prints null where the key is missing", `{"pasword": "good"}`, "PASSWORD=null\n", "restart app\n"},
		{"2. a / in the password; 4. half a file", `{"password": "a/b"}`, "", "restart app\n"},
		{"3. no quoting", `{"password": "a b;c"}`, "PASSWORD=a b;c\n", "restart app\n"},
	} {
		sh := newShell(t, "")
		write(t, filepath.Join(sh.dir, "secret"), c.secret)
		write(t, filepath.Join(sh.dir, "app.env.in"), "PASSWORD=@PASSWORD@\n")
		if err := os.Mkdir(filepath.Join(sh.dir, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range readmeTools {
			write(t, filepath.Join(sh.dir, "bin", name), text)
			if err := os.Chmod(filepath.Join(sh.dir, "bin", name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if said, err := sh.run(t, "umask 022; set +e\n"+script); err != nil {
			t.Errorf("%s: %v:\n%s", c.bug, err, said)
		}
		got, _ := os.ReadFile(filepath.Join(sh.dir, "app.env"))
		told, _ := os.ReadFile(filepath.Join(sh.dir, "told"))
		modes, _ := os.ReadFile(filepath.Join(sh.dir, "modes"))
		if string(got) != c.want || string(told) != c.told || string(modes) != "644\n" {
			t.Errorf("%s: the file is %q, told is %q, before chmod the mode is %q", c.bug, got, told, modes)
		}
	}
	for _, bug := range []string{"1. prints null", "2. a / in the password; 3. no quoting; 4. half a file", "5. readable by everyone", "6. every time"} {
		if !strings.Contains(script, bug) {
			t.Errorf("the script does not say %q", bug)
		}
	}
}

// By hand the program is built and installed with its unit.
func TestInstalledByHand(t *testing.T) {
	t.Parallel()
	needed(t, "go")
	sh := newShell(t, "")
	for _, dir := range []string{"bin", "usr/bin", "etc/systemd/system"} {
		if err := os.MkdirAll(filepath.Join(sh.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(sh.dir, "bin/systemctl"), "#!/bin/sh\necho \"$@\" >>"+sh.dir+"/told\n")
	if err := os.Chmod(filepath.Join(sh.dir, "bin/systemctl"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, b := range pages.Claimed(t) {
		here := strings.NewReplacer(" /usr/", " "+sh.dir+"/usr/", " /etc/", " "+sh.dir+"/etc/").Replace(b.Text)
		if said, err := sh.run(t, "cd $PROJECT\n"+here, "HOME="+os.Getenv("HOME")); err != nil {
			t.Fatalf("%v: %v:\n%s", b, err, said)
		}
	}
	if said, err := sh.run(t, "usr/bin/rendered check -c etc/rendered/rendered.yaml; cat told"); err != nil || !strings.HasSuffix(said, "ok\ndaemon-reload\nenable --now rendered\nstatus rendered\n") {
		t.Errorf("%v:\n%s", err, said)
	}
	if unit, err := os.ReadFile(filepath.Join(sh.dir, "etc/systemd/system/rendered.service")); err != nil || !strings.Contains(string(unit), "\nExecStart=/usr/bin/rendered run\n") {
		t.Errorf("the unit is %q, %v", unit, err)
	}
}

// The environment file of the page has AWS asked with Region and credentials that stand where it
// says, by a program whose home directory has none.
func TestUnitAsksWithProfile(t *testing.T) {
	t.Parallel()
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", "a value")
	credentials := "[default]\n"
	for _, entry := range fake.Env() {
		if name, value, _ := strings.Cut(entry, "="); strings.Contains(name, "KEY") {
			credentials += strings.ToLower(name) + " = " + value + "\n"
		}
	}
	for _, b := range pages.Claimed(t) {
		sh := newShell(t, "")
		write(t, filepath.Join(sh.dir, "rendered.yaml"), "aws: {endpoint_url: '"+fake.URL+"'}\nservices: {a: {files: [{path: /a, content: '{{ secret \"prod/db\" }}'}]}}\n")
		write(t, filepath.Join(sh.dir, "unit.env"), strings.ReplaceAll(b.Text, "/etc/rendered/aws/", sh.dir+"/"))
		write(t, filepath.Join(sh.dir, "config"), "[default]\nregion = eu-west-1\n")
		write(t, filepath.Join(sh.dir, "credentials"), credentials)
		const script = "unset AWS_REGION; %s rendered once --root out && cat out/a"
		if said, err := sh.run(t, fmt.Sprintf(script, "set -a; . ./unit.env;")); err != nil || !strings.HasSuffix(said, "a value") {
			t.Errorf("%v: %v:\n%s", b, err, said)
		}
		for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
			if said, err := sh.run(t, fmt.Sprintf(script, "set -a; . ./unit.env; unset "+name+";")); err == nil {
				t.Errorf("%v: without %s it works, too:\n%s", b, name, said)
			}
		}
	}
}
