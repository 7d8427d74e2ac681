package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/long"
)

// TestFewSyncs counts how often processes ask for an fsync: services that swap at about the same
// time share those of directories and of the ledger. What has nothing to write asks for none.
func TestFewSyncs(t *testing.T) {
	needed(t, "strace")
	for _, test := range []struct {
		name            string
		services, files int      // files of each service
		strace          []string // what else strace is to do
		median, most    int
	}{
		{name: "100 services", services: 100, files: 1, median: 160, most: 190},
		{name: "100 services, slow disk", services: 100, files: 1, strace: []string{"-e", "inject=fsync:delay_enter=8000"}, median: 160, most: 190},
		{name: "100 files", services: 1, files: 100, median: 115, most: 115},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			var config, values strings.Builder
			config.WriteString("state_dir: state\nvalues: values.yaml\nservices:\n")
			values.WriteString("params:\n")
			for i := range test.services {
				fmt.Fprintf(&config, "  app%d:\n    files:\n", i)
				for j := range test.files {
					fmt.Fprintf(&config, "      - {content: '{{ param \"/app/%d/%d\" }}', path: out/%d-%d}\n", i, j, i, j)
					fmt.Fprintf(&values, "  /app/%d/%d: value\n", i, j)
				}
			}
			write(t, filepath.Join(dir, "rendered.yaml"), config.String())
			write(t, filepath.Join(dir, "values.yaml"), values.String())
			once := func() []string {
				strace := append([]string{"-f", "--seccomp-bpf", "-qq", "-y", "-o", "trace", "-e", "trace=fsync,fdatasync,renameat,renameat2"}, test.strace...)
				cmd := exec.CommandContext(t.Context(), "strace", append(strace, program(t), "once", "-c", "rendered.yaml")...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v:\n%s", err, out)
				}
				trace, err := os.ReadFile(filepath.Join(dir, "trace"))
				if err != nil {
					t.Fatal(err)
				}
				return strings.Split(string(trace), "\n")
			}
			count := func(trace []string, call string) (n int) {
				for _, line := range trace {
					if strings.Contains(line, call) && !strings.Contains(line, "resumed>") {
						n++
					}
				}
				return n
			}
			var counts []int
			for range long.Or(1, 5) {
				for _, name := range []string{"out", "state"} {
					if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Mkdir(filepath.Join(dir, "out"), 0o755); err != nil {
					t.Fatal(err)
				}
				trace := once()
				counts = append(counts, count(trace, "sync("))
			}
			t.Logf("a first pass: %d fsyncs", counts)
			if most := slices.Max(counts); most > test.most {
				t.Errorf("%d fsyncs, want %d at most", most, test.most)
			}
			if middle := median(counts); len(counts) > 1 && middle > test.median { // one alone may be any
				t.Errorf("the median of the fsyncs is %d, want %d at most", middle, test.median)
			}
			if trace := once(); count(trace, "sync(") > 1 || count(trace, "ledger") > 0 {
				t.Errorf("a pass that changes nothing: %s", strings.Join(trace, "\n"))
			}
		})
	}
}
