package migrate

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
)

var update = flag.Bool("update", false, "write the tables of functions into docs/migration.md")

var cells = strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ")

// tableOf writes what becomes of a program's functions, as a table of Markdown.
func tableOf(p *rewrite.Program) string {
	var b strings.Builder
	counts := map[rewrite.Verdict]int{}
	for _, row := range p.Table() {
		counts[row.Verdict]++
	}
	fmt.Fprintf(&b, "\nOf its %d functions %d are kept, %d renamed, %d turned round, %d rewritten, and %d refused, each with a reason.\n\n| function | | becomes |\n|---|---|---|\n",
		len(p.Rules), counts[rewrite.Kept], counts[rewrite.Renamed], counts[rewrite.Turned], counts[rewrite.Rewritten], counts[rewrite.Refused])
	for _, row := range p.Table() {
		text := row.Becomes
		switch {
		case text != "" && row.Why != "":
			text += "; " + row.Why
		case text == "":
			text = row.Why
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.Name, row.Verdict, cells.Replace(text))
	}
	return b.String()
}

// The page has the tables of functions that the program goes by.
func TestPageHasTheTables(t *testing.T) {
	const path = "../../../../docs/migration.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, p := range []*rewrite.Program{rewrite.Confd, rewrite.ConsulTemplate} {
		between := regexp.MustCompile(`(?s)(<!-- functions of ` + p.Name + `: [^\n]*\n).*?(<!-- end of ` + p.Name + ` -->)`)
		if !between.MatchString(page) {
			t.Fatalf("the page has no place for the functions of %s", p.Name)
		}
		page = between.ReplaceAllStringFunc(page, func(found string) string {
			m := between.FindStringSubmatch(found)
			return m[1] + tableOf(p) + "\n" + m[2]
		})
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if page != string(data) {
		t.Error("docs/migration.md has other tables; go test ./cmd/rendered/internal/migrate -update writes them")
	}
}
