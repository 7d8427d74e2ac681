package local

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/long"
)

func worked() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Whatever a values file holds, it is read soon, in little memory, and rightly or with a few faults
// that name the file. With -long it has 15 MiB, too.
func TestHostileValues(t *testing.T) {
	fill := func(n int, text string) string { return strings.Repeat(text, max(n/len(text), 1)) }
	count := func(n int, format string) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	sizes := []int{64 << 10}
	if long.Asked() {
		sizes = append(sizes, 15<<20)
	}
	for name, file := range map[string]func(n int) string{
		"nested":            func(n int) string { return "secrets: {a: " + fill(n, "[") },
		"nested maps":       func(n int) string { return "secrets: {a: " + fill(n, "{a: ") },
		"nested, as may be": func(n int) string { return "secrets: {a: " + fill(500, "[") + fill(500, "]") + "}" },
		"many names":        func(n int) string { return "secrets:\n" + count(min(n, 1<<20), "  s%d: v\n") },
		"more names":        func(n int) string { return "secrets:\n" + count(n, "  s%d: v\n") },
		"bad names":         func(n int) string { return "secrets:\n" + count(min(n, 1<<20), "  ' s%d': v\n") },
		"one name":          func(n int) string { return "secrets:\n" + fill(min(n, 1<<20), "  s: v\n") },
		"unknown sections":  func(n int) string { return count(min(n, 1<<20), "s%d: v\n") },
		"one key":           func(n int) string { return "secrets: {a: {" + fill(min(n, 1<<20), "k: v, ") + "}}" },
		"aliases of aliases": func(n int) string {
			return "secrets:\n  a: &a [" + fill(n, "x,") + "]\n  b: [" + fill(3000, "*a,") + "]\n"
		},
		"an alias of itself": func(n int) string { return "secrets:\n  a: &a [*a, *a, *a]\n" },
		"long texts":         func(n int) string { return "secrets:\n" + fill(n, "  a: |\n"+fill(64<<10, "    "+fill(60, "x")+"\n")) },
		"a long number":      func(n int) string { return "secrets: {a: {b: " + fill(n, "1") + "}}" },
	} {
		for _, size := range sizes {
			path := filepath.Join(t.TempDir(), "values.yaml")
			if err := os.WriteFile(path, []byte(file(size)), 0o600); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begun := worked()
			faults := CheckValues(path)
			took := worked() - begun
			runtime.ReadMemStats(&after)
			grown := int64(after.HeapSys) - int64(before.HeapSys)
			if took > 10*time.Second || long.Asked() && grown > 200<<20 || len(faults) > maxFaults+1 {
				t.Errorf("%s, %d KiB: %v, %d MiB, %d faults", name, size>>10, took, grown>>20, len(faults))
			}
			for _, f := range faults {
				if f.Place.File != path {
					t.Errorf("%s: %v", name, f)
				}
			}
			said := ""
			if len(faults) > 0 {
				said = faults[0].What
			}
			t.Logf("%s, %d KiB: %v, %d MiB, %d faults: %.100s", name, size>>10, took.Round(time.Millisecond), grown>>20, len(faults), said)
		}
	}
}
