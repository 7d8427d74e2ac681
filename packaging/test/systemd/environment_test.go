package systemd_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/render/funcs/quotetest"
)

const (
	environments = "/etc/environments" // files of the environment
	// processes has, by the same names, what a process has of each, as env -0 prints it.
	processes = "/run/environments"
)

// environmentUnit shows what its processes have of one file.
const environmentUnit = `[Service]
Type=oneshot
EnvironmentFile=` + environments + `/%i
ExecStart=/usr/bin/env -0
StandardOutput=truncate:` + processes + `/%i
`

// A judge is systemd, by its own EnvironmentFile=.
type judge struct {
	*site
	own map[string]string // what processes have without a file
}

// environmentFiles has systemd judge what envQuote writes, what format: dotenv lets pass, and what
// is written down of how systemd reads.
func environmentFiles(s *site) {
	j := judge{site: s}
	s.write("/etc/systemd/system/environment@.service", environmentUnit)
	s.write(environments+"/empty", "")
	s.must("mkdir", "-p", processes)
	begun := time.Now()
	j.own = j.read("empty")["empty"]
	j.texts(uint64(begun.UnixNano()))
	j.spellings()
	j.random(uint64(begun.UnixNano()))
	s.t.Logf("judged in %v", since(begun))
	s.must("rm", "-r", environments, processes, "/etc/systemd/system/environment@.service")
	s.must("systemctl", "daemon-reload")
}

// read gives the variables that a process has by each of the files, without its own; a file with
// which systemd starts none is left out.
func (j judge) read(files ...string) map[string]map[string]string {
	j.t.Helper()
	args := []string{"systemctl", "start"}
	for _, name := range files {
		args = append(args, "environment@"+name+".service")
	}
	_, _ = j.run(args...) // what is not started leaves no output
	read := make(map[string]map[string]string)
	for _, name := range files {
		if out, err := os.ReadFile(j.path(processes + "/" + name)); err == nil {
			read[name] = variables(string(out))
			maps.DeleteFunc(read[name], func(name, _ string) bool { _, own := j.own[name]; return own })
		}
	}
	_, _ = j.run("systemctl", "reset-failed", "environment@*.service") // fails where there is none
	return read
}

// variables reads what env -0 prints.
func variables(out string) map[string]string {
	all := make(map[string]string)
	for assignment := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		name, value, _ := strings.Cut(assignment, "=")
		all[name] = value
	}
	return all
}

// texts has rendered write, with envQuote, more than 2,000 random texts that an environment may
// hold. What envQuote refuses systemd must refuse, too.
func (j judge) texts(seed uint64) {
	j.t.Helper()
	const perFile, samples = 250, 16
	envQuote := funcs.Map()["envQuote"].(func(any) (string, error))
	// The last is nearly as long as fits in a secret.
	all := append(quotetest.Random(seed, 2400), strings.Repeat("\"\\$` '\n#é", 4<<10))
	want, refused := make(map[string]string), []string(nil)
	var secrets []map[string]string
	for i, text := range all {
		if _, err := envQuote(text); err != nil {
			refused = append(refused, text)
			continue
		}
		if len(want)%perFile == 0 || i == len(all)-1 {
			secrets = append(secrets, make(map[string]string))
		}
		name := fmt.Sprint("T", i)
		want[name], secrets[len(secrets)-1][name] = text, text
	}

	config := "state_dir: /var/lib/environments\naws: {region: " + region + `, endpoint_url: "http://` + endpoint + "\"}\nservices:\n"
	var files []string
	for i, secret := range secrets {
		name := fmt.Sprint("texts-", i)
		files = append(files, name)
		j.PutSecret(name, object(j.t.Fatal, secret))
		config += fmt.Sprintf("  %s:\n    files: [{path: %s, format: dotenv, content: %q}]\n", name, environments+"/"+name,
			`{{ range $name, $text := secretMap "`+name+`" }}{{ $name }}={{ $text | envQuote }}`+"\n{{ end }}")
	}
	j.write("/etc/environments.yaml", config)
	j.must("rendered", "once", "-c", "/etc/environments.yaml")
	got := make(map[string]string)
	for _, sets := range j.read(files...) {
		maps.Copy(got, sets)
	}
	wrong := 0
	for name, text := range want {
		if value, ok := got[name]; !ok || value != text {
			if wrong++; wrong < 5 {
				j.t.Errorf("seed %d: %.200q is read as %.200q, %v", seed, text, value, ok)
			}
		}
	}
	if len(got) != len(want) {
		j.t.Errorf("seed %d: %d variables are read, want %d", seed, len(got), len(want))
	}

	var refusals []string
	for i, text := range refused[:min(len(refused), samples)] {
		refusals = append(refusals, fmt.Sprint("refused-", i))
		j.write(environments+"/"+refusals[i], `A="`+strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(text)+`"`)
	}
	for name, read := range j.read(refusals...) {
		j.t.Errorf("seed %d: envQuote refuses the text of %s, which systemd reads: %q", seed, name, read["A"])
	}
	j.t.Logf("seed %d: of %d texts envQuote writes %d, of which systemd reads %d as they were; it refuses %d, of which systemd got %d and refused them",
		seed, len(all), len(want), len(want)-wrong, len(refused), len(refusals))
	j.must("rm", "-r", "/etc/environments.yaml", "/var/lib/environments")
}

// spellings wants each file of the table to mean what stands there.
func (j judge) spellings() {
	j.t.Helper()
	var names []string
	for i, f := range quotetest.EnvironmentFiles {
		names = append(names, fmt.Sprintf("spelling-%d", i))
		j.write(environments+"/"+names[i], f.Text)
	}
	cursor := j.cursor()
	read := j.read(names...)
	ignored := make(map[string]bool)
	for _, e := range j.entries(cursor, "_PID=1") {
		if strings.Contains(e.field("MESSAGE"), "Ignoring invalid environment assignment") {
			_, instance, _ := strings.Cut(e.field("UNIT"), "@")
			ignored[strings.TrimSuffix(instance, ".service")] = true
		}
	}
	for i, f := range quotetest.EnvironmentFiles {
		want := f.Sets
		if f.Since254 != nil && j.release != "bookworm" {
			want = f.Since254
		}
		sets, started := read[names[i]]
		var got []string
		for name, value := range sets {
			got = append(got, name+"="+value)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || started == f.Refused || ignored[names[i]] != f.Ignores {
			j.t.Errorf("%q: %q, refused: %v, ignores: %v; want %q, %v, %v", f.Text, got, !started, ignored[names[i]], want, f.Refused, f.Ignores)
		}
	}
	j.t.Logf("%d spellings", len(names))
}

// random makes one file of random assignments that format: dotenv lets pass, and wants systemd and
// sh to find the same in it.
func (j judge) random(seed uint64) {
	j.t.Helper()
	dotenv, err := format.Parse("dotenv")
	if err != nil {
		j.t.Fatal(err)
	}
	var file strings.Builder
	passed, tried := 0, 0
	for _, text := range quotetest.Random(seed, 4000) {
		for _, quote := range []string{"", `"`, `'`} {
			line := fmt.Sprintf("V%d=%s%s%[2]s\n", tried, quote, text)
			tried++
			if dotenv.Check([]byte(line)) == nil {
				file.WriteString(line)
				passed++
			}
		}
	}
	j.write(environments+"/random", file.String())
	path := filepath.Join(j.t.TempDir(), "random")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		j.t.Fatal(err)
	}
	sh := exec.CommandContext(j.t.Context(), "/bin/sh", "-euc", `set -a; . "$0"; exec /usr/bin/env -0`, path)
	sh.Env = []string{}
	out, err := sh.Output()
	if err != nil {
		j.t.Fatalf("sh: %v", err)
	}
	want := variables(string(out))
	delete(want, "PWD")
	read := j.read("random")["random"]
	for name, value := range want {
		if got, ok := read[name]; !ok || got != value {
			j.t.Errorf("seed %d: sh reads %q, systemd %q, %v", seed, value, got, ok)
		}
	}
	if len(read) < passed || len(want) < passed || passed < 2000 {
		j.t.Errorf("seed %d: %d assignments passed, systemd has %d, sh %d", seed, passed, len(read), len(want))
	}
	j.t.Logf("seed %d: format: dotenv lets %d of %d random assignments pass; systemd and sh read them alike", seed, passed, tried)
}
