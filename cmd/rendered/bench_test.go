package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/rendered/rendered/internal/awsfake"
)

// What BenchmarkOnce renders: templates of ten parameters each, at 5 ms a call.
const (
	benchTemplates = 100
	benchLatency   = 5 * time.Millisecond
)

// BenchmarkOnce measures a cold "rendered once" over 1,000 parameters beside a bare program: one that fetches the same batches with the
// SDK, as many at once, and writes the same files with the same fsyncs. Both are processes of their own and take turns.
//
//	go test -run '^$' -bench Once -benchtime 20x ./cmd/rendered
func BenchmarkOnce(b *testing.B) {
	program := filepath.Join(b.TempDir(), "rendered")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v:\n%s", err, out)
	}
	b.Run("a service of 100 files", func(b *testing.B) { benchOnce(b, program, true) })
	b.Run("100 services", func(b *testing.B) { benchOnce(b, program, false) })
}

func benchOnce(b *testing.B, program string, together bool) {
	aws := awsfake.Start(b)
	dir := b.TempDir()
	config := "state_dir: state\nservices:\n"
	for i := range benchTemplates {
		var body strings.Builder
		for j := range 10 {
			aws.PutParameter(benchParam(i, j), "String", strings.Repeat("v", 20))
			fmt.Fprintf(&body, "key%d = {{ param %q }}\n", j, benchParam(i, j))
		}
		write(b, filepath.Join(dir, fmt.Sprintf("%d.tmpl", i)), body.String())
		if i == 0 || !together {
			config += fmt.Sprintf("  app%d:\n    files:\n", i)
		}
		config += fmt.Sprintf("      - {template: %d.tmpl, path: out/%d.conf}\n", i, i)
	}
	write(b, filepath.Join(dir, "rendered.yaml"), config)
	aws.SetLatency(benchLatency)
	environ := append(os.Environ(), aws.Env()...)

	var ours, bare time.Duration
	var memory int64
	run := func(cmd *exec.Cmd) time.Duration {
		for _, name := range []string{"out", "state"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
			b.Fatal(err)
		}
		aws.ResetCalls()
		cmd.Dir = dir
		begun := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v:\n%s", err, out)
		}
		took := time.Since(begun)
		if n := aws.Calls()["GetParameters"]; n != benchTemplates {
			b.Fatalf("%d calls", n)
		}
		if list, _ := filepath.Glob(filepath.Join(dir, "out", "*")); len(list) != benchTemplates {
			b.Fatalf("%d files", len(list))
		}
		return took
	}
	for b.Loop() {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(environ, fmt.Sprint("RENDERED_BENCH_BARE=", together))
		bare += run(cmd)

		cmd = exec.Command(program, "once", "-c", "rendered.yaml")
		cmd.Env = environ
		ours += run(cmd)
		memory = max(memory, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/once")
	b.ReportMetric(float64(bare.Milliseconds())/float64(b.N), "ms/bare")
	b.ReportMetric(float64(ours)/float64(bare), "times-bare")
	b.ReportMetric(float64(memory)/1024, "MiB-peak")
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB-binary")
}

func benchParam(template, i int) string { return fmt.Sprintf("/bench/%d/%d", template, i) }

// bareProgram is what the command is measured by: no config, no templates, no checks, no ledger.
func bareProgram(together bool) error {
	if err := os.Mkdir("state", 0o700); err != nil {
		return err
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return err
	}
	client := ssm.NewFromConfig(cfg)
	slots := make(chan struct{}, 8)
	errs := make([]error, benchTemplates)
	var all sync.WaitGroup
	for i := range benchTemplates {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = bareFile(client, i); errs[i] == nil && !together {
				errs[i] = bareSwap(strconv.Itoa(i), i)
			}
		})
	}
	all.Wait()
	err = errors.Join(errs...)
	if err != nil || !together {
		return err
	}
	files := make([]int, benchTemplates)
	for i := range files {
		files[i] = i
	}
	return bareSwap("all", files...)
}

func bareFile(client *ssm.Client, i int) error {
	var names []string
	for j := range 10 {
		names = append(names, benchParam(i, j))
	}
	yes := true
	out, err := client.GetParameters(context.Background(), &ssm.GetParametersInput{Names: names, WithDecryption: &yes})
	if err != nil {
		return err
	}
	var body bytes.Buffer
	for j, p := range out.Parameters {
		fmt.Fprintf(&body, "key%d = %s\n", j, *p.Value)
	}
	return bareWrite(fmt.Sprintf("out/.%d", i), body.Bytes())
}

func bareWrite(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

// bareSwap does to the file system what the swap of a service does: the names are synced, a record is written, the files are
// renamed, and the names are synced again.
func bareSwap(record string, files ...int) error {
	if err := syncDir("out"); err != nil {
		return err
	}
	if err := bareWrite("state/."+record, []byte("{}")); err != nil {
		return err
	}
	if err := os.Rename("state/."+record, "state/"+record); err != nil {
		return err
	}
	if err := syncDir("state"); err != nil {
		return err
	}
	for _, i := range files {
		if err := os.Rename(fmt.Sprintf("out/.%d", i), fmt.Sprintf("out/%d.conf", i)); err != nil {
			return err
		}
	}
	return syncDir("out")
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
