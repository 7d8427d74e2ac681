package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

const (
	idleServices = 50
	idleFor      = 5 * time.Second
)

// BenchmarkIdle measures what a daemon with 1,000 refs over 50 services, which listens to a queue,
// takes while nothing happens.
//
//	go test -run '^$' -bench Idle -benchtime 1x ./internal/e2e
func BenchmarkIdle(b *testing.B) {
	program, err := build(b.TempDir(), "-trimpath", "-ldflags=-s -w")
	if err != nil {
		b.Fatal(err)
	}
	var memory, cpu int
	for b.Loop() {
		m, c := idle(b, program)
		memory, cpu = max(memory, m), max(cpu, c)
	}
	b.ReportMetric(float64(memory)/1024, "MiB-resident")
	// A tick of the kernel's accounts is 10 ms (proc_pid_stat(5)).
	b.ReportMetric(float64(cpu)*10/idleFor.Seconds(), "ms-CPU/s")
}

// idle starts a daemon and gives its resident memory, in KiB, and the ticks of CPU that it took in
// a time without passes.
func idle(b *testing.B, program string) (memory, ticks int) {
	aws := awsfake.Start(b)
	dir := b.TempDir()
	var config strings.Builder
	fmt.Fprintf(&config, "schedule: '@hourly'\nstate_dir: state\ntriggers: {sqs: %s}\nservices:\n", aws.MakeQueue("rendered-web-1"))
	for i := range idleServices {
		fmt.Fprintf(&config, "  app%d: {files: [{path: f%[1]d, content: '", i)
		for j := range 10 {
			name := fmt.Sprintf("/app/%d/%d", i, j)
			aws.PutParameter(name, "String", strings.Repeat("v", 100))
			aws.PutSecret(name, strings.Repeat("v", 100))
			fmt.Fprintf(&config, "{{param %q}}{{secret %[1]q}}", name)
		}
		config.WriteString("'}]}\n")
	}
	write(b, filepath.Join(dir, "rendered.yaml"), config.String())
	cmd := exec.Command(program, "run", "-c", "rendered.yaml")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), aws.Env()...)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	until(b.Fatalf, "the first pass is over", func() bool {
		list, _ := filepath.Glob(filepath.Join(dir, "f*"))
		return len(list) == idleServices
	})
	<-time.After(time.Second)
	before := used(b, cmd.Process.Pid)
	<-time.After(idleFor)
	return resident(b, cmd.Process.Pid), used(b, cmd.Process.Pid) - before
}

// resident gives the memory of a process in KiB.
func resident(b *testing.B, pid int) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// used gives the CPU time of a process in ticks.
func used(b *testing.B, pid int) (ticks int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), ") ")
	for _, field := range strings.Fields(after)[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return ticks
}
