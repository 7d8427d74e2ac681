package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/jsonshape"
	"github.com/rendered/rendered/internal/testpki"
	"github.com/rendered/rendered/render/preview"
)

// Each script tells one story about the command. Beside testscript's own words it knows:
//
//	await FILE TEXT       wait until the file holds the text
//	says PATTERN COMMAND  run a command again and again until what it prints matches
//	signal NAME           send a signal to the daemon that runs in the background
//	gone                  wait for it; it must end with exit code 0 within a second
//	secret NAME TEXT      put a secret into the AWS that the script works with
//	param NAME TEXT       put a parameter there
//	certificate [-other-key] NAME HOST HOURS
//	                      put a secret with a "cert", that ends so soon, and its chain, and
//	                      a "key", its own or another
//	table NAME            make a table of DynamoDB
//	queue NAME            make a queue that change notices come through; "queue -remove
//	                      NAME" takes it away
//	fault KIND NAME       make it fail for a name or an operation; "fault none" makes it well again
//	trouble KIND WORDS    go through one kind of trouble with the secret prod/db, from its
//	                      warning to the end of it
//	fits VERB             what was printed last is a document as programs know that of the verb
//	calls OPERATION N     it was asked exactly so often since the last calls, or "calls" alone
func TestScripts(t *testing.T) {
	t.Parallel()
	program(t)
	quickstart, err := filepath.Abs("../../testdata/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	documents, err := filepath.Abs("../../cmd/rendered/testdata/json")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:       "testdata/script",
		Condition: condition,
		Setup: func(env *testscript.Env) error {
			aws := awsfake.Start(t)
			env.Values["aws"] = aws
			env.Vars = append(env.Vars, aws.Env()...)
			// The race detector would otherwise sleep for a second at the end of every process.
			env.Vars = append(env.Vars, "QUICKSTART="+quickstart, "GORACE="+os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":  await,
			"says":   says,
			"signal": sendSignal,
			"gone":   gone,
			"secret": func(ts *testscript.TestScript, _ bool, args []string) {
				if args[0] == "-pending" {
					fake(ts).BeginRotation(args[1])
					return
				}
				fake(ts).PutSecret(args[0], unescape(args[1]), args[2:]...)
			},
			"param": func(ts *testscript.TestScript, _ bool, args []string) {
				fake(ts).PutParameter(args[0], "String", unescape(args[1]))
			},
			"table":       func(ts *testscript.TestScript, _ bool, args []string) { fake(ts).MakeTable(args[0]) },
			"certificate": certificate,
			"queue":       queue,
			"fault":       injectFault,
			"calls":       calls,
			"trouble":     trouble,
			"fits": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(jsonshape.Fits(filepath.Join(documents, args[0]), []byte(ts.ReadFile("stdout"))))
			},
		},
	})
}

// condition knows "view": this machine lets a check see files that are not in their places. In CI
// it does.
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "view":
		return os.Getenv("CI") != "" || preview.Available(context.Background()) == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

func fake(ts *testscript.TestScript) *awsfake.Server { return ts.Value("aws").(*awsfake.Server) }

func certificate(ts *testscript.TestScript, neg bool, args []string) {
	other := args[0] == "-other-key"
	if other {
		args = args[1:]
	}
	hours, err := strconv.Atoi(args[2])
	ts.Check(err)
	begins := time.Now().Add(-time.Hour)
	ca := testpki.New(testpki.CA("ca", begins, begins.AddDate(1, 0, 0)), nil, nil)
	template := testpki.Leaf(begins, time.Now().Add(time.Duration(hours)*time.Hour), args[1])
	pair := testpki.New(template, nil, ca)
	key := pair.KeyPEM()
	if other {
		key = testpki.New(template, nil, ca).KeyPEM()
	}
	secret, err := json.Marshal(map[string]string{"cert": pair.CertPEM() + ca.CertPEM(), "key": key})
	ts.Check(err)
	fake(ts).PutSecret(args[0], string(secret))
}

func unescape(text string) string { return strings.ReplaceAll(text, `\n`, "\n") }

// patience bounds every wait of a test for something that is sure to come.
const patience = time.Minute

// until asks again and again, without a pause that would have to be guessed right.
func until(fail func(string, ...any), what string, ok func() bool) {
	untilWithin(patience, fail, what, ok)
}

// untilWithin is until for what takes longer than others do. It pauses longer than asking takes: who
// starts a program to ask leaves the processors to the other tests.
func untilWithin(longest time.Duration, fail func(string, ...any), what string, ok func() bool) {
	for limit := time.Now().Add(longest); ; {
		began := time.Now()
		if ok() {
			return
		}
		if began.After(limit) {
			fail("waited in vain until %s", what)
			return
		}
		time.Sleep(min(max(4*time.Since(began), 2*time.Millisecond), 200*time.Millisecond))
	}
}

func says(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: says pattern command...")
	}
	pattern := regexp.MustCompile(args[0])
	until(ts.Fatalf, strings.Join(args[1:], " ")+" says "+args[0], func() bool {
		_ = ts.Exec(args[1], args[2:]...) // its exit code is not what is waited for
		return pattern.MatchString(ts.ReadFile("stdout"))
	})
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: await file text")
	}
	path, text := ts.MkAbs(args[0]), unescape(args[1])
	last := ""
	until(func(format string, a ...any) { ts.Fatalf(format+"; it holds:\n%s", append(a, last)...) },
		fmt.Sprintf("%s holds %q", args[0], text),
		func() bool {
			data, _ := os.ReadFile(path)
			last = string(data)
			return strings.Contains(last, text)
		})
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	s, ok := signals[args[0]]
	if !ok || neg {
		ts.Fatalf("usage: signal HUP|USR1|TERM|KILL")
	}
	ts.Check(background(ts).Process.Signal(s))
}

func gone(ts *testscript.TestScript, neg bool, args []string) {
	cmd := background(ts)
	begun := time.Now()
	ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	until(ts.Fatalf, "the daemon is gone", func() bool { return syscall.Kill(cmd.Process.Pid, 0) != nil || zombie(cmd.Process.Pid) })
	if took := time.Since(begun); took > 5*time.Second { // a second, on a machine that does nothing else
		ts.Fatalf("SIGTERM took %v", took)
	}
}

func zombie(pid int) bool {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	return data == nil || strings.HasPrefix(rest, "Z")
}

func queue(ts *testscript.TestScript, neg bool, args []string) {
	aws := fake(ts)
	if args[0] == "-remove" {
		aws.RemoveQueue("https://sqs.eu-west-1.amazonaws.com/111111111111/" + args[1])
		return
	}
	aws.Notify(aws.MakeQueue(args[0]), awsfake.Bare)
}

func injectFault(ts *testscript.TestScript, neg bool, args []string) {
	if args[0] == "none" {
		fake(ts).Clear()
		return
	}
	f := awsfake.Fault{Kind: awsfake.Kind(args[0]), Name: args[1]}
	if strings.HasPrefix(f.Name, "Get") {
		f.Operation, f.Name = f.Name, ""
	}
	fake(ts).Inject(f)
}

func calls(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		fake(ts).ResetCalls()
		return
	}
	if got := fmt.Sprint(fake(ts).Calls()[args[0]]); got != args[1] {
		ts.Fatalf("%s was called %s times, want %s", args[0], got, args[1])
	}
	fake(ts).ResetCalls()
}

// trouble breaks the secret prod/db in one way, sees that its service keeps its files with one
// warning while another service goes on, and mends it.
func trouble(ts *testscript.TestScript, neg bool, args []string) {
	aws, kind, words := fake(ts), args[0], args[1]
	read := func(name string) string {
		data, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		return string(data)
	}
	// The daemon is in the middle of something: the log is looked at from here on.
	from := len(read("log"))
	before, other := read("f")+read("f2"), read("g")+"+"
	switch kind {
	case "deleted":
		aws.DeleteSecret("prod/db")
	case "missing":
		aws.RemoveSecret("prod/db")
	default:
		aws.Inject(awsfake.Fault{Kind: awsfake.Kind(kind), Name: "prod/db"})
	}
	warned := func() int {
		n := 0
		for line := range strings.Lines(read("log")[from:]) {
			if strings.Contains(line, "level=WARN") && strings.Contains(line, words) && strings.Contains(line, "service=db") &&
				strings.Contains(line, "file="+ts.MkAbs("f")) && strings.Contains(line, `ref="secret prod/db"`) && strings.Contains(line, "hint=") {
				n++
			}
		}
		return n
	}
	until(func(format string, a ...any) { ts.Fatalf(format+":\n%s", append(a, read("log")[from:])...) }, kind+" is warned of", func() bool { return warned() > 0 })
	aws.PutParameter("/other", "String", other)
	until(ts.Fatalf, "the other service follows", func() bool { return read("g") == other })
	// Another round, in which the same trouble is met again.
	other += "+"
	aws.PutParameter("/other", "String", other)
	until(ts.Fatalf, "the other service follows again", func() bool { return read("g") == other })
	if n := warned(); n != 1 {
		ts.Fatalf("%s: %d warnings, want 1:\n%s", kind, n, read("log")[from:])
	}
	if after := read("f") + read("f2"); after != before {
		ts.Fatalf("%s: the files changed from %q to %q", kind, before, after)
	}
	aws.Clear()
	if kind == "deleted" {
		aws.RestoreSecret("prod/db")
	}
	aws.PutSecret("prod/db", "after "+kind)
	until(ts.Fatalf, "the file follows after "+kind, func() bool { return read("f") == "after "+kind && read("f2") == other })
}
