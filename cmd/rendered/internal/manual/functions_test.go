package manual

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/render"
)

const (
	tablePage  = "../../../../docs/functions.md"
	tableBegin = "<!-- table of functions -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// The table of docs/functions.md is made of the reference. With -update it is written.
func TestPageHasTheFunctions(t *testing.T) {
	page, err := os.ReadFile(tablePage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(page), tableBegin)
	table, tail, closed := strings.Cut(rest, tableEnd)
	if !found || !closed {
		t.Fatal("the page has no place for the table")
	}
	want := FunctionTable() + "\n"
	if *update {
		if err := os.WriteFile(tablePage, []byte(head+tableBegin+want+tableEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("go test ./cmd/rendered/internal/manual -update writes it (-want +got):\n%s", diff)
	}
}

// What is printed of all and of one fits the columns that there are, and names each function.
func TestFunctionsArePrinted(t *testing.T) {
	var all bytes.Buffer
	if err := Functions(&all); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(all.String()) {
		if n := len([]rune(line)); n > 81 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, f := range render.Functions() {
		if f.Like == "" && !strings.Contains(all.String(), "\n  "+f.Signature()+" ") && !strings.Contains(all.String(), "\n  "+f.Signature()+"\n") {
			t.Errorf("%s is not in the list", f.Name)
		}
		var one bytes.Buffer
		if err := Function(&one, f.Name); err != nil || !strings.HasPrefix(one.String(), f.Signature()+"\n") || !strings.Contains(one.String(), f.Example) {
			t.Errorf("%s: %v\n%s", f.Name, err, one.String())
		}
	}
	if err := Function(new(bytes.Buffer), "getv"); err == nil || !strings.Contains(err.Error(), "getv") {
		t.Errorf("getv: %v", err)
	}
}
