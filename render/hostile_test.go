package render_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// TestMain is also the child that renders one template: a stack that overflows must not be the end
// of the tests.
func TestMain(m *testing.M) {
	if body := os.Getenv("RENDER_TEST_CHILD"); body != "" {
		child(body, os.Getenv("RENDER_TEST_KIND"), os.Getenv("RENDER_TEST_SIZE"))
		return
	}
	os.Exit(m.Run())
}

// one answers every ref with the same text.
type one string

func (o one) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	for _, r := range refs {
		deliver(r, sources.Result{Value: sources.Value{Text: string(o), Secret: true}})
	}
}

func fill(size int, text string) string { return strings.Repeat(text, max(size/len(text), 1)) }

func count(size int, format string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// hostileJSON are secrets of a size that cost a careless decoder more than they should.
var hostileJSON = map[string]func(n int) string{
	"lists in lists":     func(n int) string { return fill(n/2, "[") + fill(n/2, "]") },
	"objects in objects": func(n int) string { return fill(n, `{"k":`) },
	"deep as may be": func(n int) string {
		return fill(999*5, `{"k":`) + "{" + count(n, `"k%d":1,`) + `"k":1}` + fill(999, "}")
	},
	"a key twice": func(n int) string {
		return fill(900*5, `{"k":`) + "{" + count(n, `"%d":1,`) + `"0":1}` + fill(900, "}")
	},
	"many keys":      func(n int) string { return "{" + count(n, `"k%d":1,`) + `"k":1}` },
	"many objects":   func(n int) string { return `{"k":[` + fill(n, `{"a":1},`) + "0]}" },
	"empty objects":  func(n int) string { return `{"k":[` + fill(n, `{},`) + "0]}" },
	"many lists":     func(n int) string { return `{"k":[` + fill(n, `[],`) + "0]}" },
	"many numbers":   func(n int) string { return `{"k":[` + fill(n, `1,`) + "0]}" },
	"many fractions": func(n int) string { return `{"k":[` + fill(n, `0.5,`) + "0]}" },
	"a long number":  func(n int) string { return `{"k":` + fill(n, `1`) + "}" },
	"escapes":        func(n int) string { return `{"k":"` + fill(n, `\u00e9`) + `"}` },
	"halves":         func(n int) string { return `{"k":"` + fill(n, `\ud800`) + `"}` },
	"an open text":   func(n int) string { return `{"k":"` + fill(n, `a`) },
}

// A measure is what a child says.
type measure struct {
	Fault  string
	Size   int
	Took   time.Duration // of CPU time
	Growth int64         // bytes of resident memory
}

func used() (worked time.Duration, peak int64) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), kib << 10
}

func child(body, kind, size string) {
	n, _ := strconv.Atoi(size)
	secret := one(hostileJSON[kind](n))
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}})
	if faults != nil {
		panic(faults)
	}
	began, before := used()
	out, failed := tmpl.Execute(context.Background(), sources.NewSnapshot(secret, 0))
	ended, after := used()
	a := measure{Took: ended - began, Growth: after - before, Size: len(out.Content)}
	if failed != nil {
		a.Fault = failed.Text()
	}
	_ = json.NewEncoder(os.Stdout).Encode(a)
}

// Whatever JSON a secret holds, with -long up to 16 MiB, a template that looks into it answers
// soon, in little memory. Without -long half of the templates look into each.
func TestHostile(t *testing.T) {
	render.Computes(t)
	sizes := []int{64 << 10}
	if long.Asked() {
		sizes = append(sizes, 16<<20)
	}
	for at, kind := range slices.Sorted(maps.Keys(hostileJSON)) {
		for i, body := range []string{`{{ secret "s" "k" }}`, `{{ len (secretMap "s") }}`, `{{ len (fromJson (secret "s")) }}`, `{{ secret "s" "l" }}`} {
			if (at+i)%2 > 0 && !long.Asked() {
				continue
			}
			for _, size := range sizes {
				cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
				cmd.Env = []string{"RENDER_TEST_CHILD=" + body, "RENDER_TEST_KIND=" + kind, "RENDER_TEST_SIZE=" + strconv.Itoa(size), "GORACE=atexit_sleep_ms=0"}
				out, err := cmd.Output()
				var a measure
				if err == nil {
					err = json.Unmarshal(out, &a)
				}
				what := fmt.Sprintf("%s, %s, %d KiB", body, kind, size>>10)
				if err != nil || a.Took > 10*time.Second || long.Asked() && a.Growth > 200<<20 || len(a.Fault) > 1000 || a.Fault != "" && !strings.Contains(a.Fault, "t:1:") && !strings.Contains(a.Fault, "larger than 16 MiB") {
					t.Errorf("%s: %v, %v, %d MiB: %.1000s", what, err, a.Took, a.Growth>>20, a.Fault)
				}
				if strings.Contains(kind, " in ") && !strings.Contains(a.Fault, "nest deeper than 1000") {
					t.Errorf("%s: %s", what, a.Fault)
				}
				t.Logf("%s: %v, %d MiB: %d bytes; %.150q", what, a.Took.Round(time.Millisecond), a.Growth>>20, a.Size, a.Fault)
			}
		}
	}
}

// A secret that is full of what fmt prints for a mistake is none, and each value is gone through
// once.
func TestValueFullOfMishaps(t *testing.T) {
	for _, secret := range []string{
		"[" + count(48<<10, `"%%!d(%d)",`) + `""]`,
		"[" + strings.Repeat(`"<nil>",`, 6000) + `""]`,
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "main", Body: `{{ secret "a" }}`}})
		if faults != nil {
			t.Fatal(faults)
		}
		begun := cpu(t)
		if out, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(one(secret), 0)); failed != nil || string(out.Content) != secret {
			t.Errorf("%.20s…: %v", secret, failed)
		}
		if took := cpu(t) - begun; took > 3*time.Second {
			t.Errorf("%.20s…: %v", secret, took)
		}
	}
}

// cpu is how long the process has computed.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}
