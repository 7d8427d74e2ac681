package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rendered/rendered/sources/aws/awsfake"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rendered": main})
}

// Each script tells one story about the command. Beside testscript's own words it knows:
//
//	await FILE TEXT       wait until the file holds the text
//	signal NAME           send a signal to the daemon that runs in the background
//	gone                  wait for it; it must end with exit code 0 within a second
//	secret NAME TEXT      put a secret into the AWS that the script works with
//	param NAME TEXT       put a parameter there
//	fault KIND NAME       make it fail for a name; "fault none" makes it well again
//	calls OPERATION N     it was asked exactly so often since the last calls
func TestScripts(t *testing.T) {
	quickstart, err := filepath.Abs("../../testdata/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			aws := awsfake.Start(t)
			env.Values["aws"] = aws
			env.Vars = append(env.Vars, aws.Env()...)
			// The race detector would otherwise sleep for a second at the end of every process.
			env.Vars = append(env.Vars, "QUICKSTART="+quickstart, "GORACE=atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":  await,
			"signal": sendSignal,
			"gone":   gone,
			"secret": func(ts *testscript.TestScript, _ bool, args []string) { fake(ts).PutSecret(args[0], unescape(args[1])) },
			"param": func(ts *testscript.TestScript, _ bool, args []string) {
				fake(ts).PutParameter(args[0], "String", unescape(args[1]))
			},
			"fault": injectFault,
			"calls": calls,
		},
	})
}

func fake(ts *testscript.TestScript) *awsfake.Server { return ts.Value("aws").(*awsfake.Server) }

func unescape(text string) string { return strings.ReplaceAll(text, `\n`, "\n") }

// patience bounds every wait of a test for something that is sure to come.
const patience = 20 * time.Second

// until asks again and again, without a pause that would have to be guessed right.
func until(fail func(string, ...any), what string, ok func() bool) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			fail("waited in vain until %s", what)
			return
		}
	}
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
	if took := time.Since(begun); took > time.Second {
		ts.Fatalf("SIGTERM took %v", took)
	}
}

func zombie(pid int) bool {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	return data == nil || strings.HasPrefix(rest, "Z")
}

func injectFault(ts *testscript.TestScript, neg bool, args []string) {
	if args[0] == "none" {
		fake(ts).Clear()
		return
	}
	fake(ts).Inject(awsfake.Fault{Kind: awsfake.Kind(args[0]), Name: args[1]})
}

func calls(ts *testscript.TestScript, neg bool, args []string) {
	if got := fmt.Sprint(fake(ts).Calls()[args[0]]); got != args[1] {
		ts.Fatalf("%s was called %s times, want %s", args[0], got, args[1])
	}
	fake(ts).ResetCalls()
}
