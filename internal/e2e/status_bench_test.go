package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

const (
	manyServices = 1000
	manyLookups  = 10 // of each
	// perSecond is how many questions are asked a second.
	perSecond = 1000
	askers    = 256
)

// An asked daemon is one with many services, of which one has a dependent that hangs.
type askedDaemon struct {
	dir, program string
	environ      []string
	aws          *awsfake.Server
	process      *os.Process
	client       *http.Client
	others       []byte // the question for a look at all services but that one
}

func startAsked(b *testing.B) *askedDaemon {
	d := &askedDaemon{dir: b.TempDir(), aws: awsfake.Start(b)}
	var err error
	if d.program, err = build(b.TempDir(), "-trimpath", "-ldflags=-s -w"); err != nil {
		b.Fatal(err)
	}
	socket := filepath.Join(d.dir, "socket")
	d.environ = append(os.Environ(), append(d.aws.Env(), "RENDERED_SOCKET="+socket, "RENDERED_CONFIG=rendered.yaml")...)
	var names []string
	config := "state_dir: state\nsplay: 0s\nschedule: '@every 24h'\nservices:\n  hanging: {files: [{content: x, path: out/hanging}], notify: [{run: 'exec sleep 1000', timeout: 1000s}]}\n"
	for i := range manyServices - 1 {
		var body strings.Builder
		for j := range manyLookups {
			name := fmt.Sprintf("/bench/%d/%d", i, j)
			d.aws.PutParameter(name, "String", strings.Repeat("v", 20))
			fmt.Fprintf(&body, "key%d = {{ param %q }}\n", j, name)
		}
		write(b, filepath.Join(d.dir, fmt.Sprintf("%d.tmpl", i)), body.String())
		names = append(names, fmt.Sprintf("service-%d", i))
		config += fmt.Sprintf("  service-%d: {files: [{template: %d.tmpl, path: out/%d}], notify: [{run: 'true'}]}\n", i, i, i)
	}
	write(b, filepath.Join(d.dir, "rendered.yaml"), config)
	if err := os.Mkdir(filepath.Join(d.dir, "out"), 0o700); err != nil {
		b.Fatal(err)
	}
	d.others, _ = json.Marshal(map[string]any{"services": names, "wait": true})
	d.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: askers,
	}}
	cmd := d.command("run")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	d.process = cmd.Process
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	untilWithin(5*time.Minute, b.Fatalf, "all is current", func() bool {
		return d.command(append([]string{"wait", "--timeout", "5s"}, names...)...).Run() == nil
	})
	d.aws.SetLatency(benchLatency)
	return d
}

func (d *askedDaemon) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, args...)
	cmd.Dir, cmd.Env = d.dir, d.environ
	return cmd
}

// pass gives how long a look at all services takes but the hanging one.
func (d *askedDaemon) pass(b *testing.B) time.Duration {
	begun := time.Now()
	answer, err := d.client.Post("http://rendered/v1/refresh", "application/json", bytes.NewReader(d.others))
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		b.Fatal(answer.Status)
	}
	return time.Since(begun)
}

// ask asks so often a second how the daemon stands, until it is told to stop, which gives how many
// answers there were, and their bytes.
func (d *askedDaemon) ask(query string) (stop func() (answers, size int64)) {
	var answers, size atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	turns := make(chan struct{}, perSecond)
	for range askers {
		all.Go(func() {
			for range turns {
				request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://rendered/v1/status"+query, nil)
				answer, err := d.client.Do(request)
				if err != nil {
					continue
				}
				n, err := io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if err == nil {
					answers.Add(1)
					size.Add(n)
				}
			}
		})
	}
	all.Go(func() {
		defer close(turns)
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			select {
			case turns <- struct{}{}:
			default: // they are behind by a second
			}
		}
	})
	return func() (int64, int64) {
		cancel()
		all.Wait()
		return answers.Load(), size.Load()
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkStatus measures "rendered status" of many services while a pass runs and a dependent
// hangs, and a pass while nobody asks beside one while a thousand questions come a second, about
// one service and about all. They take turns. Where the machine has other work to do, the least of
// what was measured says more than the median.
//
//	go test -run '^$' -bench Status -benchtime 5x ./internal/e2e
func BenchmarkStatus(b *testing.B) {
	d := startAsked(b)
	b.Run("status", func(b *testing.B) {
		var took, cpu, without []time.Duration
		screen := 0
		for b.Loop() {
			begun := time.Now()
			if err := d.command("version").Run(); err != nil {
				b.Fatal(err)
			}
			without = append(without, time.Since(begun))
			d.aws.ResetCalls()
			if err := d.process.Signal(syscall.SIGUSR1); err != nil {
				b.Fatal(err)
			}
			until(b.Fatalf, "a pass runs", func() bool { return d.aws.Calls()["GetParameters"] > 0 })
			begun = time.Now()
			cmd := d.command("status")
			out, _ := cmd.Output()
			took = append(took, time.Since(begun))
			cpu = append(cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
			screen = len(out)
			if d.aws.Calls()["GetParameters"] >= manyServices-1 {
				b.Log("the pass had ended")
			}
			d.pass(b)
		}
		if screen < manyServices*40 {
			b.Errorf("a screen of %d bytes", screen)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(milliseconds(median(took)), "ms")
		b.ReportMetric(milliseconds(slices.Min(took)), "ms-least")
		b.ReportMetric(100, "ms-at-most")
		b.ReportMetric(milliseconds(median(cpu)), "ms-of-processor")
		b.ReportMetric(milliseconds(median(without)), "ms-version")
	})
	for name, query := range map[string]string{"questions for one": "?of=service-500", "questions for all": "?lookups=no"} {
		b.Run(name, func(b *testing.B) { d.benchQuestions(b, query) })
	}
}

// benchQuestions measures passes while nobody asks, and while many do.
func (d *askedDaemon) benchQuestions(b *testing.B, query string) {
	var alone, asked []time.Duration
	var answers, size int64
	var busy [2]time.Duration // of the daemon's threads, in passes alone and asked
	var during time.Duration
	d.pass(b)
	for b.Loop() {
		begun := onProcessor(b, d.process.Pid)
		alone = append(alone, d.pass(b))
		busy[0] += onProcessor(b, d.process.Pid) - begun

		stop := d.ask(query)
		<-time.After(100 * time.Millisecond)
		begun = onProcessor(b, d.process.Pid)
		took := d.pass(b)
		busy[1] += onProcessor(b, d.process.Pid) - begun
		asked, during = append(asked, took), during+took+100*time.Millisecond
		n, s := stop()
		answers, size = answers+n, size+s
	}
	b.ReportMetric((busy[1]-busy[0]).Seconds()/during.Seconds(), "processors-to-answer")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(median(alone)), "ms-alone")
	b.ReportMetric(milliseconds(median(asked)), "ms-asked")
	b.ReportMetric(float64(median(asked))/float64(median(alone)), "times-alone")
	b.ReportMetric(float64(slices.Min(asked))/float64(slices.Min(alone)), "times-alone-least")
	b.ReportMetric(1.1, "times-at-most")
	b.ReportMetric(float64(answers)/during.Seconds(), "answers/s")
	b.ReportMetric(float64(size)/float64(max(answers, 1))/1024, "KiB-an-answer")
}
