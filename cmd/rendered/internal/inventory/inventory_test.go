package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

var began = time.Date(2026, 11, 20, 3, 12, 0, 0, time.UTC)

// stands is how a loop stands that has some services with some lookups each.
func stands(services, lookups int) (st watch.Status) {
	for i := range services {
		st.Services = append(st.Services, watch.Standing{Service: fmt.Sprintf("service-%d", i), Tried: true})
		var d watch.Detail
		for j := range lookups {
			d.Lookups = append(d.Lookups, watch.LookupDetail{Ref: sources.Ref{Kind: sources.Secret, Name: fmt.Sprintf("prod/%d/%d", i, j)}, Version: "v1", Live: "v0", Since: began})
		}
		st.Details = append(st.Details, d)
	}
	return st
}

// accepted holds a file to what the SSM Agent takes, and gives its entries.
func accepted(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	var d struct {
		SchemaVersion, TypeName string
		Content                 []map[string]string // texts alone
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if !regexp.MustCompile(`^([0-9]{1,6})(\.[0-9]{1,6})$`).MatchString(d.SchemaVersion) || !regexp.MustCompile(`^Custom:.{1,93}$`).MatchString(d.TypeName) || d.Content == nil {
		t.Errorf("%q %q %v", d.SchemaVersion, d.TypeName, d.Content == nil)
	}
	if len(d.Content) > 10_000 || len(data) > 1<<20 {
		t.Errorf("%d entries, %d bytes", len(d.Content), len(data))
	}
	for _, e := range d.Content {
		for key, value := range e {
			if len(e) > 50 || len(key) > 64 || len(value) > 4096 {
				t.Errorf("%d attributes; %s has %d bytes", len(e), key, len(value))
			}
		}
	}
	return d.Content
}

func TestEntries(t *testing.T) {
	st := stands(1, 1)
	st.Services = append(st.Services, watch.Standing{Service: "worker", Tried: true, Failure: "no"}, watch.Standing{Service: "plain"})
	st.Details = append(st.Details, watch.Detail{Lookups: []watch.LookupDetail{{Ref: sources.Ref{Kind: sources.Param, Name: `/<"\/` + strings.Repeat("é", 3000)}}}, Computed: 3}, watch.Detail{})
	data, left := Of(st)
	entries := accepted(t, data)
	if len(entries) != 2 || left != 0 {
		t.Fatalf("%d entries, %d left", len(entries), left)
	}
	if got := fmt.Sprint(entries[0]); got != "map[live:v0 ref:secret prod/0/0 service:service-0 since:2026-11-20T03:12:00Z state:current version:v1]" {
		t.Error(got)
	}
	if e := entries[1]; !strings.HasPrefix(e["ref"], `param /<"\/éé`) || strings.Contains(e["ref"], "\ufffd") || e["state"] != "failing" || e["version"] != "" || e["since"] != "" {
		t.Errorf("%.100v", e)
	}
	data, _ = Of(watch.Status{})
	if entries := accepted(t, data); len(entries) != 0 {
		t.Error(entries)
	}
}

// What AWS would not take is left out.
func TestTooMany(t *testing.T) {
	data, left := Of(stands(1000, 20))
	if entries := accepted(t, data); len(entries)+left != 20_000 || len(entries) < 3000 || len(data) > 600<<10 {
		t.Errorf("%d entries, %d left, %d bytes", len(entries), left, len(data))
	}
}

// A desk is a writer, the agent's folder, and what the loop says.
type desk struct {
	*Writer
	t      *testing.T
	folder string
	log    bytes.Buffer
	mu     sync.Mutex
	status watch.Status
	asked  int
}

func newDesk(t *testing.T, ids ...string) *desk {
	t.Helper()
	d := &desk{t: t, folder: t.TempDir(), status: stands(1, 1)}
	for _, id := range ids {
		if err := os.Mkdir(filepath.Join(d.folder, id), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.Writer = NewWriter(disk.Host, slog.New(slog.NewTextHandler(&d.log, nil)))
	return d
}

func (d *desk) ask(context.Context) (watch.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	return d.status, nil
}

// run has the writer at work until the test ends.
func (d *desk) run() {
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.Run(ctx, d.ask)
	}()
	d.t.Cleanup(func() { end(); <-ended })
}

// round has the loop stand so, and waits until the writer has seen it.
func (d *desk) round(services int) {
	d.mu.Lock()
	d.status = stands(services, 1)
	d.mu.Unlock()
	d.Wake()
	time.Sleep(2 * pause)
	synctest.Wait()
}

func (d *desk) path(id string) string {
	return filepath.Join(d.folder, id, "inventory/custom/rendered.json")
}

// The file is written when what it says changes, for each id that the machine has had, readable by
// its owner alone; it goes when it is not wanted any more.
func TestWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := []string{"i-0123456789abcdef0", "i-01234567", "mi-0123456789abcdef0"}
		d := newDesk(t, append(ids, "Vault", "i-name", "localcommands")...)
		d.run()
		if d.round(1); d.asked != 0 {
			t.Error("it asks though nobody wants it")
		}
		d.Set(d.folder)
		d.round(2)
		was := make(map[string]os.FileInfo)
		for _, id := range ids {
			info, err := os.Stat(d.path(id))
			if err != nil || info.Mode() != 0o600 {
				t.Fatal(err, info)
			}
			was[id] = info
			data, _ := os.ReadFile(d.path(id))
			if got := accepted(t, data); len(got) != 2 {
				t.Error(got)
			}
		}
		d.round(2)
		same, err := os.Stat(d.path(ids[0]))
		if err != nil || !os.SameFile(same, was[ids[0]]) {
			t.Error("the same is written again", err)
		}
		d.round(3)
		if other, err := os.Stat(d.path(ids[0])); err != nil || os.SameFile(other, same) {
			t.Error("what changed is not written", err)
		}
		if names, _ := filepath.Glob(filepath.Join(d.folder, "*/inventory")); len(names) != len(ids) {
			t.Error(names)
		}
		d.Set("")
		if d.round(3); d.log.Len() > 0 {
			t.Errorf("it says %s", &d.log)
		}
		if left, _ := filepath.Glob(d.path("*")); len(left) > 0 {
			t.Error(left)
		}
	})
}

// A machine without an agent is told so once, and has the file as soon as there is one.
func TestWithoutAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.Set(d.folder)
		d.run()
		d.round(1)
		d.round(1)
		if said := d.log.String(); strings.Count(said, "level=WARN") != 1 || !strings.Contains(said, "has no directory of an instance") || !strings.Contains(said, "inventory: false") {
			t.Error(said)
		}
		if err := os.Mkdir(filepath.Join(d.folder, "i-0123456789abcdef0"), 0o700); err != nil {
			t.Fatal(err)
		}
		d.round(1)
		if _, err := os.Stat(d.path("i-0123456789abcdef0")); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(d.folder); err != nil {
			t.Fatal(err)
		}
		d.round(1)
		if said := d.log.String(); strings.Count(said, "level=WARN") != 2 || !strings.Contains(said, "no such file or directory") {
			t.Error(said)
		}
	})
}

// A storm of rounds is not a storm of questions.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, "i-0123456789abcdef0")
		d.Set(d.folder)
		d.run()
		for range 1000 {
			d.Wake()
			time.Sleep(pause / 100)
		}
		synctest.Wait()
		if d.asked > 11 {
			t.Errorf("asked %d times in ten pauses", d.asked)
		}
	})
}
