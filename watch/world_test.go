package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/render/verify"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
)

// A world is a loop with everything around it: values that a test changes, a directory that the
// files go to, dependents that fail on request, and a log. It runs inside a synctest bubble.
type world struct {
	t        *testing.T
	dir      string
	values   *values
	plan     *Plan
	load     func() (*Plan, error)
	loop     *Loop
	state    *pass.StateDir
	system   disk.System
	log      journal
	idle     int // how often the loop said that it is; of its goroutine
	report   func(Report)
	seen     Observer
	redactor *redact.Redactor
	beat     time.Duration
	wall     func() time.Time
	run      pass.Runner
	// parsed counts how often a file, or the certificate of a rule, was parsed; it is of keepers'
	// goroutines.
	parsed map[string]int
	stop   func()
}

// A journal is a log that may be read and emptied while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Reset()
}

// values answers refs from a map, and counts.
type values struct {
	mu    sync.Mutex
	text  map[string]string         // by Ref.Text; absent: Missing
	fail  map[string]sources.Reason // by Ref.Text
	pause map[string]time.Duration  // by Ref.Text; negative: until the context ends
	asked map[string]int
	calls int
}

func (v *values) set(name, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.text[name] = text
}

// delay has a ref answered after so long.
func (v *values) delay(name string, d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pause[name] = d
}

// lookups gives how often a ref was asked for.
func (v *values) lookups(name string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked[name]
}

// count gives how often anything was asked for.
func (v *values) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls
}

func (v *values) refuse(name string, reason sources.Reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail[name] = reason; reason == "" {
		delete(v.fail, name)
	}
}

func (v *values) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	v.mu.Lock()
	v.calls++
	v.mu.Unlock()
	var all sync.WaitGroup
	for _, r := range refs {
		all.Go(func() { deliver(r, v.answer(ctx, r)) })
	}
	all.Wait()
}

func (v *values) answer(ctx context.Context, r sources.Ref) sources.Result {
	v.mu.Lock()
	pause := v.pause[r.Text()]
	v.asked[r.Text()]++
	v.mu.Unlock()
	if pause < 0 {
		pause = 1000 * time.Hour
	}
	// Go 1.26's race detector falls over where goroutines of one bubble read timers at once that
	// are over already (runtime.timer.unlockAndRun): who does not wait has none.
	if pause > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	if ctx.Err() != nil {
		return sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Unavailable}}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if reason, ok := v.fail[r.Text()]; ok {
		return sources.Result{Err: &sources.Error{Ref: r, Reason: reason, Hints: []string{"the remedy"}}}
	}
	text, ok := v.text[r.Text()]
	if !ok {
		return sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Missing}}
	}
	return sources.Result{Value: sources.Value{Text: text, Version: "version of " + strings.ReplaceAll(text, "canary", "…"), Secret: r.Kind == sources.Secret}}
}

// A dependent remembers what it was told and reads, when told, what it depends on.
type dependent struct {
	name  string
	reads []string
	read  func(path string) []byte // nil: from this machine's disk
	mu    sync.Mutex
	fails int           // so many times more
	pause time.Duration // before it answers; negative: until the context ends
	told  []notify.Change
	at    []time.Time
	saw   []string // the files' contents when it was told, joined by |
	tried int
	tries []time.Time // when it was tried
	asked func()      // is called first of all; may be nil
}

var errRefused = errors.New("refused")

func (d *dependent) Name() string { return d.name }

func (d *dependent) Target() string { return d.name }

// err gives all that went wrong with the files and the record.
func (r Result) err() error {
	var errs []error
	for _, o := range r.Outcomes {
		errs = append(errs, o.Err)
	}
	for _, n := range r.Notices {
		errs = append(errs, n.Record)
	}
	return errors.Join(errs...)
}

func (d *dependent) Do(ctx context.Context, c notify.Change) (notify.Output, error) {
	pause := d.begin()
	if pause < 0 {
		<-ctx.Done()
		return notify.Output{}, ctx.Err()
	}
	if pause > 0 {
		<-time.After(pause)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails > 0 {
		d.fails--
		return notify.Output{}, errRefused
	}
	var saw []string
	for _, path := range d.reads {
		read := d.read
		if read == nil {
			read = func(path string) []byte { data, _ := os.ReadFile(path); return data }
		}
		saw = append(saw, string(read(path)))
	}
	d.told = append(d.told, c)
	d.at = append(d.at, time.Now())
	d.saw = append(d.saw, strings.Join(saw, "|"))
	return notify.Output{}, nil
}

// begin notes a try, and gives how long to wait.
func (d *dependent) begin() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asked != nil {
		d.asked()
	}
	d.tried++
	d.tries = append(d.tries, time.Now())
	return d.pause
}

// refuse makes the next n notices fail.
func (d *dependent) refuse(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails, d.pause = n, 0
}

// so gives what is known of it up to now.
func (d *dependent) so() (tries, told []time.Time, saw []string, paths [][]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.told {
		paths = append(paths, c.Paths)
	}
	return slices.Clone(d.tries), slices.Clone(d.at), slices.Clone(d.saw), paths
}

func (d *dependent) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.told)
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), system: disk.Host, values: &values{
		text: make(map[string]string), fail: make(map[string]sources.Reason),
		pause: make(map[string]time.Duration), asked: make(map[string]int),
	}}
	w.plan = &Plan{Source: w.values, Settle: 2 * time.Second}
	w.load = func() (*Plan, error) { p := *w.plan; return &p, nil }
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// service adds a service whose files are given as name, template, name, template ….
func (w *world) service(name, schedule string, dependents []*dependent, files ...string) *Service {
	w.t.Helper()
	s := &Service{Schedule: parse(w.t, schedule)}
	s.Name, s.Fingerprint = name, fmt.Sprint(schedule, files)
	for i := 0; i < len(files); i += 2 {
		s.Files = append(s.Files, w.file(files[i], files[i+1]))
	}
	for _, d := range dependents {
		s.Dependents = append(s.Dependents, d)
	}
	w.plan.Services = append(w.plan.Services, s)
	return s
}

func (w *world) file(name, body string) *render.File {
	w.t.Helper()
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: name + ".tmpl", Body: body}})
	if len(faults) > 0 {
		w.t.Fatal(faults)
	}
	return &render.File{Template: tmpl, Target: swap.Target{Path: w.path(name), UID: swap.Keep, GID: swap.Keep, Mode: 0o600, KeepMode: true}}
}

func parse(t *testing.T, schedule string) cron.Schedule {
	t.Helper()
	s, err := cron.Parse(schedule)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs the loop until the test ends or stop is called.
func (w *world) start() {
	w.t.Helper()
	var err error
	if w.state, err = pass.OpenStateDir(context.Background(), w.system, w.path("state")); err != nil {
		w.t.Fatal(err)
	}
	w.state.Jobs.Gather = 0 // tests count milliseconds
	w.parsed = make(map[string]int)
	var mu sync.Mutex
	count := func(path string) {
		mu.Lock()
		defer mu.Unlock()
		w.parsed[path]++
	}
	parsers := pass.Parsers{
		Judge: func(r *render.Rendering) *fault.Fault { count(r.Path); return r.Judge() },
		Read: func(rule verify.TLS, content func(string) []byte) *verify.Reading {
			count("tls " + rule.Cert)
			return rule.Read(content)
		},
	}
	w.loop = NewLoop(w.plan, Options{
		Load:   func() (*Plan, error) { return w.load() },
		Pass:   pass.Options{State: w.state, Redactor: w.redactor, Parsers: parsers, Run: w.run},
		Log:    slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Chance: rand.New(rand.NewPCG(1, 2)),
		Idle:   func() { w.idle++ },
		Report: w.report,
		Seen:   w.seen,
		Beat:   w.beat,
		Wall:   w.wall,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.loop.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		synctest.Wait()
		w.state.Close()
	})
	w.t.Cleanup(w.stop)
	synctest.Wait()
}

// after lets time pass and everything that it starts come to rest.
func (w *world) after(d time.Duration) {
	<-time.After(d) // the clock of the bubble
	synctest.Wait()
}

func (w *world) content(name string) string {
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (w *world) want(name, content string) {
	w.t.Helper()
	if got := w.content(name); got != content {
		w.t.Errorf("%v: %s holds %q, want %q", time.Now().Format("15:04:05"), name, got, content)
	}
}

// logged counts the lines of the log that hold all of the words.
func (w *world) logged(words ...string) int {
	n := 0
lines:
	for line := range strings.Lines(w.log.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		n++
	}
	return n
}
