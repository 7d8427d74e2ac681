package dynamo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake/moto"
	"github.com/rendered/rendered/internal/pages"
	"github.com/rendered/rendered/watch/fleet"
)

// asks runs the function of the page as Lambda does, or the question alone: a line each.
const asks = `
import sys, boto3, gate
sm = boto3.client("secretsmanager")
for line in sys.stdin:
    what, _, version = line.strip().partition(" ")
    try:
        if what == "create":
            print(sm.create_secret(Name="prod/db", SecretString="x")["VersionId"], flush=True)
        elif what == "dead":
            print(gate.behind("rendered", "prod#web", "secret prod/db", version, assume_dead=True), flush=True)
        else:
            gate.lambda_handler({"Step": what, "SecretId": "prod/db", "ClientRequestToken": "t"}, None)
            print("goes on", flush=True)
    except (RuntimeError, LookupError) as e:
        print(type(e).__name__, e, flush=True)
`

// startPython gives what has the program at asks answer a line.
func startPython(t *testing.T, page string, env []string) func(string) string {
	dir := t.TempDir()
	for name, text := range map[string]string{"gate.py": page, "asks.py": asks} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "python3", "asks.py")
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), env...), "AWS_DEFAULT_REGION=eu-west-1", "TABLE=rendered", "GROUP=prod#web")
	var failed bytes.Buffer
	cmd.Stderr = &failed
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	return func(line string) string {
		t.Helper()
		if _, err := io.WriteString(in, line+"\n"); err != nil || !lines.Scan() {
			_ = cmd.Wait()
			t.Fatalf("%s: %v\n%s", line, err, &failed)
		}
		return lines.Text()
	}
}

// The function of the cookbook refuses as old-versions does, where the next rotation would shut a
// host out.
func TestRotationGate(t *testing.T) {
	blocks := pages.Claimed(t)
	endpoint := moto.Start(t)
	if out, err := exec.Command("python3", "-c", "import boto3").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skip("python3 has no boto3")
	}
	env := moto.Env(endpoint)
	python := startPython(t, blocks[0].Text, env)
	table := New(t.Context(), open(t, http.DefaultTransport, env).Table("rendered"))
	makeTable(t, endpoint)
	says := func(host, version, state string, seen time.Duration) {
		t.Helper()
		text, err := json.Marshal(fleet.HostService{Change: "1:aa", Phase: state, Versions: map[string]string{"secret prod/db": version, "secret other": "1"}})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-seen)
		set := fleet.Item{"at": at.UnixMilli(), "ttl": at.Add(3 * 24 * time.Hour).Unix(), "services": `{"db":` + string(text) + `,"else":{"change":"","phase":"current"}}`}
		if a := table.Update(fleet.Update{Key: fleet.Key{Part: fleet.HostsOf("prod", "web"), Sort: "host#" + host}, Set: set}); a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	expect := func(want, line string) {
		t.Helper()
		if got := python(line); got != want {
			t.Errorf("%s: %s\nwant %s", line, got, want)
		}
	}
	current := python("create")
	expect("LookupError no host of prod#web looks up secret prod/db", "setSecret")
	says("a", current, "current", time.Hour)
	says("b", "old", "current", time.Hour)
	says("forgotten", "old", "current", 80*time.Hour)
	expect("RuntimeError 1 hosts have not got version "+current+": b", "setSecret")
	expect("goes on", "createSecret")
	says("b", current, "owing", time.Hour)
	expect("RuntimeError 1 hosts have not got version "+current+": b", "setSecret")
	says("b", current, "rolled back", time.Hour)
	expect("RuntimeError 1 hosts have not got version "+current+": b", "setSecret")
	says("b", current, "unhealthy", time.Hour)
	expect("goes on", "setSecret")
	says("silent", "old", "current", 49*time.Hour)
	expect("RuntimeError 1 hosts have not got version "+current+": silent", "setSecret")
	expect("[]", "dead "+current)

	o, err := fleet.See(table, "prod", "web")
	if err != nil {
		t.Fatal(err)
	}
	var late []string
	for _, h := range o.Hosts {
		if s := h.Services["db"]; s.Versions["secret prod/db"] != current || !s.Has() {
			late = append(late, h.Name)
		}
	}
	if len(o.Hosts) != 3 || strings.Join(late, " ") != "silent" {
		t.Errorf("by the program %v of %v are late", late, o.Hosts)
	}
}
