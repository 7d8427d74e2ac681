package sources

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Every kind that is declared has a row, and every row every column.
func TestEveryKindHasEveryColumn(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Kind" {
				declared++
			}
		}
		return true
	})
	if declared < 6 || declared != len(table) {
		t.Errorf("%d kinds are declared, %d have a row", declared, len(table))
	}
	seen := make(map[Kind]bool)
	for _, c := range table {
		switch {
		case seen[c.Kind]:
			t.Errorf("%s has two rows", c.Kind)
		case c.Noun == "" || c.Answerer == "" || c.Secrecy == 0 || c.Form == 0 || c.parse == nil:
			t.Errorf("%s lacks a column: %+v", c.Kind, c)
		case (c.Call.Service == "") != (c.Call.Batch == 0) || c.Call.Price > 0 && c.Call.Service == "":
			t.Errorf("%s: a call has a service and a batch: %+v", c.Kind, c.Call)
		case (c.Section == "") != (c.Answerer == LocalFiles):
			t.Errorf("%s: a values file stands in for all but local files, here for %q", c.Kind, c.Section)
		}
		seen[c.Kind] = true
	}
}

// Whoever asks for a kind that is not in the table is told so.
func TestUnknownKind(t *testing.T) {
	const want = `there is no kind of lookup "vault"`
	if _, err := ParseRef("vault", "a"); err == nil || err.Error() != want {
		t.Errorf("ParseRef: %v", err)
	}
	_, err := NewSnapshot(Mux{{Mux{}, []Kind{Secret}}}, 0).Get(t.Context(), Ref{Kind: "vault", Name: "a"})
	if e, ok := err.(*Error); !ok || e.Error() != "vault a cannot be asked for: nothing here answers such a lookup" {
		t.Errorf("a mux: %v", err)
	}
	defer func() {
		if err, ok := recover().(error); !ok || err.Error() != want {
			t.Errorf("Traits: %v", err)
		}
	}()
	Kind("vault").Traits()
}

// A row is all that this package takes of a new kind.
func TestNewKind(t *testing.T) {
	whole := table
	t.Cleanup(func() { table = whole })
	table = append(table[:len(table):len(table)], Traits{
		Kind: "vault", Noun: "vault secret", Answerer: "Vault", Secrecy: AlwaysSecret, Form: OneText, Section: "vault", Default: "vaultOr",
		parse: func(text string) (Ref, error) { return Ref{Name: strings.ToLower(text)}, nil },
	})
	r, err := ParseRef("vault", "KV/a")
	if err != nil || r != (Ref{Kind: "vault", Name: "kv/a"}) || r.Default() != `{{ vaultOr "VALUE" "kv/a" }}` {
		t.Errorf("%+v, %s, %v", r, r.Default(), err)
	}
	kinds := Kinds(func(t Traits) bool { return t.Answerer == "Vault" })
	v, err := NewSnapshot(Mux{{answering("text"), kinds}}, 0).Get(t.Context(), r)
	if err != nil || v.Text != "text" || !v.Secret {
		t.Errorf("%q, a secret: %v, %v", v.Text, v.Secret, err)
	}
}
