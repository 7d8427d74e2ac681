package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

// benchLatency is what each call to AWS takes.
const benchLatency = 5 * time.Millisecond

// A load is what a pass has to do.
type load struct {
	name      string
	files     int
	values    int  // that each file looks up
	same      bool // all files look up those of the first
	alone     bool // each file is a service of its own
	call      string
	most      float64 // times as long as the bare program
	unchanged bool    // the files are there already; it is CPU that counts
	daemon    bool    // it is the passes of a daemon that count, without its start
}

var loads = []load{
	{name: "100 files of ten parameters", files: 100, values: 10, call: "GetParameters", most: 1.4},
	{name: "100 services of ten parameters", files: 100, values: 10, alone: true, call: "GetParameters", most: 1.6},
	{name: "100 files of the same ten", files: 100, values: 10, same: true, call: "GetParameters", most: 2.0},
	{name: "100 services of the same ten", files: 100, values: 10, same: true, alone: true, call: "GetParameters", most: 2.6},
	{name: "a file of 1,000 parameters", files: 1, values: 1000, call: "GetParameters", most: 1.3},
	{name: "1,000 secrets by twenties", files: 100, values: 10, call: "BatchGetSecretValue", most: 1.4},
	{name: "1,000 secrets", files: 100, values: 10, call: "GetSecretValue", most: 1.2},
	{name: "CPU of 100 files that stay", files: 100, values: 10, call: "GetParameters", most: 1.35, unchanged: true},
	{name: "CPU of 100 files that stay in a daemon", files: 100, values: 10, call: "GetParameters", most: 1.35, unchanged: true, daemon: true},
}

// atOnce is how many of the names one call asks for.
var atOnce = map[string]int{"GetParameters": 10, "BatchGetSecretValue": 20, "GetSecretValue": 1}

func (l load) lookup() string {
	if l.call == "GetParameters" {
		return "param"
	}
	return "secret"
}

func (l load) ref(file, i int) string {
	if l.same {
		file = 0
	}
	return fmt.Sprintf("/bench/%d/%d", file, i)
}

// BenchmarkOnce measures "rendered once" beside the bare program: whole processes, which take
// turns. It gives medians of the times, what they are of each other and are to be at most, and the
// most memory that rendered had.
//
//	go test -run '^$' -bench Once -benchtime 5x ./internal/e2e
func BenchmarkOnce(b *testing.B) {
	dir := b.TempDir()
	program, err := build(dir, "-trimpath", "-ldflags=-s -w")
	if err != nil {
		b.Fatal(err)
	}
	bare := filepath.Join(dir, "bare")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bare, "./bare").CombinedOutput(); err != nil {
		b.Fatalf("%v:\n%s", err, out)
	}
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) { l.bench(b, program, bare) })
	}
}

func (l load) bench(b *testing.B, program, bare string) {
	w := l.prepare(b)
	programs := [][]string{{bare, "bare.json"}, {program, "once", "-c", "rendered.yaml"}}
	var took [2][]time.Duration
	var calls [2]int
	if l.unchanged {
		w.clear(b)
		w.run(b, programs[1])
	}
	for b.Loop() {
		for i, args := range programs {
			if !l.unchanged {
				w.clear(b)
			}
			w.aws.ResetCalls()
			wall, cpu := w.run(b, args)
			if l.unchanged {
				wall = cpu
			}
			took[i] = append(took[i], wall)
			calls[i] = w.aws.Calls()[l.call]
			if list, _ := filepath.Glob(filepath.Join(w.dir, "out", "*.conf")); len(list) != l.files {
				b.Fatalf("%s: %d files", args[0], len(list))
			}
		}
		if calls[0] != calls[1] {
			b.Fatalf("rendered makes %d calls, the bare program %d", calls[1], calls[0])
		}
	}
	if !l.unchanged {
		w.clear(b)
	}
	ours, theirs := median(took[1]), median(took[0])
	if l.daemon {
		ours = w.steady(b, program, l)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(ours.Microseconds())/1000, "ms")
	b.ReportMetric(float64(theirs.Microseconds())/1000, "ms-bare")
	b.ReportMetric(float64(ours)/float64(theirs), "times-bare")
	b.ReportMetric(l.most, "times-at-most")
	b.ReportMetric(float64(w.peak(b, programs[1]))/1024, "MiB-peak")
}

func median[T cmp.Ordered](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}

// A workplace has what a load needs.
type workplace struct {
	dir     string
	aws     *awsfake.Server
	environ []string
}

func (l load) prepare(b *testing.B) workplace {
	w := workplace{dir: b.TempDir(), aws: awsfake.Start(b)}
	w.environ = append(os.Environ(), w.aws.Env()...)
	type file struct {
		Path  string
		Names []string
	}
	var job struct {
		Call  string
		Calls [][]string
		Files []file
	}
	job.Call = l.call
	var names []string
	config := fmt.Sprintf("state_dir: state\nsplay: 0s\naws: {batch_secrets: %t}\nservices:\n", l.call == "BatchGetSecretValue")
	for i := range l.files {
		f := file{Path: fmt.Sprintf("out/%d.conf", i)}
		var body strings.Builder
		for j := range l.values {
			name := l.ref(i, j)
			f.Names = append(f.Names, name)
			fmt.Fprintf(&body, "key%d = {{ %s %q }}\n", j, l.lookup(), name)
			if !slices.Contains(names, name) {
				names = append(names, name)
				w.aws.PutParameter(name, "String", strings.Repeat("v", 20))
				w.aws.PutSecret(name, strings.Repeat("v", 20))
			}
		}
		write(b, filepath.Join(w.dir, fmt.Sprintf("%d.tmpl", i)), body.String())
		if i == 0 || l.alone {
			config += fmt.Sprintf("  app%d:\n    schedule: '@every 1s'\n    files:\n", i)
		}
		config += fmt.Sprintf("      - {template: %d.tmpl, path: %s}\n", i, f.Path)
		job.Files = append(job.Files, f)
	}
	job.Calls = slices.Collect(slices.Chunk(names, atOnce[l.call]))
	text, err := json.Marshal(job)
	if err != nil {
		b.Fatal(err)
	}
	write(b, filepath.Join(w.dir, "bare.json"), string(text))
	write(b, filepath.Join(w.dir, "rendered.yaml"), config)
	w.aws.SetLatency(benchLatency)
	return w
}

// clear takes away what earlier passes wrote.
func (w workplace) clear(b *testing.B) {
	for _, name := range []string{"out", "state"} {
		if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(w.dir, "out"), 0o700); err != nil {
		b.Fatal(err)
	}
	syscall.Sync() // what the last one left to do is not done at the cost of the next
}

func (w workplace) command(args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = w.dir, w.environ
	return cmd
}

// run gives how long a command took, by the clock and of the processors.
func (w workplace) run(b *testing.B, args []string) (wall, cpu time.Duration) {
	cmd := w.command(args)
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v:\n%s", err, out)
	}
	return time.Since(begun), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// steadyPasses are those of a daemon that are measured.
const steadyPasses = 10

// steady gives the time of the processors that a pass of a daemon takes.
func (w workplace) steady(b *testing.B, program string, l load) time.Duration {
	cmd := w.command([]string{program, "run", "-c", "rendered.yaml"})
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	after := func(passes int) time.Duration {
		for end := time.Now().Add(time.Minute); w.aws.Calls()[l.call] < passes*l.files*l.values/atOnce[l.call]; {
			if time.Now().After(end) {
				b.Fatal("the daemon makes no passes")
			}
			<-time.After(10 * time.Millisecond)
		}
		<-time.After(500 * time.Millisecond) // the pass ends, and the next is a second later
		return onProcessor(b, cmd.Process.Pid)
	}
	w.aws.ResetCalls()
	took := -after(2) + after(2+steadyPasses)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return took / steadyPasses
}

// onProcessor gives for how long the threads of a process were on a processor
// (Documentation/scheduler/sched-stats.rst).
func onProcessor(b *testing.B, pid int) (sum time.Duration) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatal(err)
	}
	for _, path := range threads {
		text, _ := os.ReadFile(path)
		var took time.Duration
		_, _ = fmt.Sscan(string(text), &took)
		sum += took
	}
	return sum
}

// peak gives the most memory that a command has, in KiB. What the kernel says when it has ended
// (getrusage(2)) would be no less than what this process has, of which it was forked.
func (w workplace) peak(b *testing.B, args []string) (most int) {
	cmd := w.command(args)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				b.Fatal(err)
			}
			return most
		case <-time.After(time.Millisecond):
			most = max(most, highWater(cmd.Process.Pid))
		}
	}
}

// highWater gives the most memory that a process has had so far, in KiB; 0 where it has ended.
func highWater(pid int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(data), "VmHWM:")
	n := 0
	_, _ = fmt.Sscan(after, &n)
	return n
}
