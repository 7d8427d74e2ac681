package render

import (
	"reflect"
	"testing"

	"github.com/rendered/rendered/sources"
)

// Every kind has a function, and each function gives what the table says.
func TestLookupFunctions(t *testing.T) {
	types := map[shape]reflect.Type{oneText: reflect.TypeFor[string](), textList: reflect.TypeFor[[]string](), textMap: reflect.TypeFor[map[string]any](), trueOrFalse: reflect.TypeFor[bool](), pairList: reflect.TypeFor[[]any](), versionMap: reflect.TypeFor[map[string]any]()}
	looksUp := make(map[sources.Kind]bool)
	for name, f := range lookupFunctions {
		looksUp[f.kind] = true
		gives := signatures()[name].Out(0)
		if tree := f.gives == anyValue && gives.Kind() != reflect.String && gives.Kind() != reflect.Slice; !tree && gives != types[f.gives] {
			t.Errorf("%s gives %s", name, gives)
		}
	}
	for _, kind := range sources.Kinds(func(sources.Traits) bool { return true }) {
		if !looksUp[kind] {
			t.Errorf("no function looks up a %s", kind)
		}
		if name := kind.Traits().Default; name != "" && (lookupFunctions[name].kind != kind || lookupFunctions[name].arg != 1) {
			t.Errorf("%s gives no default of a %s", name, kind)
		}
	}
}
