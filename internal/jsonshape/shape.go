// Package jsonshape says what JSON the types of documents become, for tests that hold it still.
package jsonshape

import (
	stdcmp "cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update-shapes", false, "write what the documents are like")

// Words are the texts that a field may have, by its path.
type Words map[string][]string

// Constants gives the values of the constants of a type, of texts, in the package in a directory.
func Constants(t *testing.T, dir, name string) (list []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is {
				return true
			}
			if of, is := spec.Type.(*ast.Ident); !is || of.Name != name {
				return true
			}
			for _, v := range spec.Values {
				if text, is := v.(*ast.BasicLit); is && text.Kind == token.STRING {
					word, _ := strconv.Unquote(text.Value)
					list = append(list, word)
				}
			}
			return true
		})
	}
	if len(list) == 0 {
		t.Fatalf("%s has no constants of the type %s", dir, name)
	}
	return list
}

// Hold fails where a document that is made of a type is not as the file at path says: a line for
// each field, with what it holds. What else a field may say is among its words.
func Hold(t *testing.T, path string, document reflect.Type, words Words) {
	t.Helper()
	unused := make(map[string]bool)
	for field := range words {
		unused[field] = true
	}
	var b strings.Builder
	for _, f := range fieldsOf(document, "", false) {
		if f.holds == "optional list" {
			t.Errorf("%s is absent where it is empty, and not []", f.path)
		}
		if list := words[f.path]; list != nil {
			f.holds += ": " + strings.Join(list, " ")
			delete(unused, f.path)
		}
		fmt.Fprintf(&b, "%-36s %s\n", f.path, f.holds)
	}
	for field := range unused {
		t.Errorf("there is no text %s", field)
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("programs know the document otherwise (-known +now), %s; -update-shapes takes what is new:\n%s", path, diff)
	}
}

// A field is one of a document.
type field struct{ path, holds string }

// fieldsOf gives the fields of a type, with those of the lists and objects in it.
func fieldsOf(of reflect.Type, path string, optional bool) []field {
	leaf := func(holds string) []field {
		if optional {
			holds = "optional " + holds
		}
		return []field{{path, holds}}
	}
	switch {
	case of == reflect.TypeFor[time.Time]():
		return leaf("time")
	case of.Implements(reflect.TypeFor[json.Marshaler]()), of.Kind() == reflect.Map:
		return leaf("any")
	}
	switch of.Kind() {
	case reflect.Pointer:
		return fieldsOf(of.Elem(), path, optional)
	case reflect.Slice:
		return append(whole(path, "list", optional), fieldsOf(of.Elem(), path+"[]", false)...)
	case reflect.Struct:
		return append(whole(path, "object", optional), members(of, path)...)
	case reflect.String:
		return leaf("text")
	case reflect.Bool:
		return leaf("bool")
	}
	return leaf("number")
}

// whole gives a list or an object that may be absent.
func whole(path, what string, optional bool) []field {
	if !optional {
		return nil
	}
	return []field{{path, "optional " + what}}
}

// members gives the fields of an object.
func members(of reflect.Type, path string) (list []field) {
	for _, m := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(m.Tag.Get("json"), ",")
		if !m.IsExported() || name == "-" || m.Anonymous && name == "" {
			continue
		}
		name = stdcmp.Or(name, m.Name)
		list = append(list, fieldsOf(m.Type, strings.TrimPrefix(path+"."+name, "."), strings.Contains(options, "omit"))...)
	}
	return list
}

// Fits is an error where a document has a field that the file at path does not know, or another
// kind of value or another word in it, and where it lacks one that is always there.
func Fits(path string, document []byte) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	known := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		name, holds, _ := strings.Cut(line, " ")
		known[name] = strings.TrimSpace(holds)
	}
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return err
	}
	if list := misfits(known, "", value); list != nil {
		return fmt.Errorf("%s: %s", path, strings.Join(list, "\n"))
	}
	return nil
}

// misfits says what of a value does not fit.
func misfits(known map[string]string, path string, value any) (list []string) {
	if strings.HasSuffix(known[path], "any") {
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		for name, inside := range v {
			list = append(list, misfits(known, strings.TrimPrefix(path+"."+name, "."), inside)...)
		}
		prefix := strings.TrimPrefix(path+".", ".")
		for name := range known {
			rest, below := strings.CutPrefix(name, prefix)
			member, _, _ := strings.Cut(rest, ".")
			member = strings.TrimRight(member, "[]")
			if _, has := v[member]; below && !has && !strings.HasPrefix(known[prefix+member], "optional ") {
				list = append(list, prefix+member+" is absent")
			}
		}
		slices.Sort(list)
		return slices.Compact(list)
	case []any:
		for _, inside := range v {
			list = append(list, misfits(known, path+"[]", inside)...)
		}
		return list
	}
	holds, is := known[path]
	if !is {
		return []string{fmt.Sprintf("%s is %v, and nobody knows it", path, value)}
	}
	if !fits(strings.TrimPrefix(holds, "optional "), value) {
		return []string{fmt.Sprintf("%s is %v, and should be %s", path, value, holds)}
	}
	return nil
}

// fits tells whether a value is what a field holds.
func fits(holds string, value any) bool {
	kind, words, bounded := strings.Cut(holds, ": ")
	switch v := value.(type) {
	case bool:
		return kind == "bool"
	case float64:
		return kind == "number"
	case string:
		if kind == "time" {
			_, err := time.Parse(time.RFC3339, v)
			return err == nil
		}
		return kind == "text" && (!bounded || slices.Contains(strings.Fields(words), v))
	}
	return false
}

// Documented fails where a text does not name a field of a document between backquotes.
func Documented(t *testing.T, text string, document reflect.Type) {
	t.Helper()
	for _, f := range fieldsOf(document, "", false) {
		if f.holds == "optional list" {
			t.Errorf("%s is absent where it is empty, and not []", f.path)
		}
		for name := range strings.SplitSeq(strings.ReplaceAll(f.path, "[]", ""), ".") {
			if unicode.IsUpper(rune(name[0])) { // it is IAM's
				continue
			}
			if !regexp.MustCompile("`[^`\n]*\\b" + name + "\\b[^`\n]*`").MatchString(text) {
				t.Errorf("nothing says what %s is", f.path)
			}
		}
	}
}
