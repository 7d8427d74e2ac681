package funcs

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/rendered/rendered/internal/long"
)

// fresh copies lists and maps, with guards behind the end of each list.
func fresh(value any) any {
	switch v := value.(type) {
	case []any:
		list := slices.Repeat([]any{"guard"}, len(v)+2)
		for i, e := range v {
			list[i] = fresh(e)
		}
		return list[:len(v)]
	case map[string]any:
		m := maps.Clone(v)
		for k, e := range v {
			m[k] = fresh(e)
		}
		return m
	}
	return value
}

// beyond gives a list with what lies behind its end.
func beyond(value any) any {
	if list, ok := value.([]any); ok {
		return list[:cap(list)]
	}
	return value
}

// Functions change none of their arguments: a template is executed over the same vars again, by
// several goroutines.
func TestArgumentsStayAsTheyAre(t *testing.T) {
	pool := []any{
		"", "a", "b", ",", 0, 1, 2, -1, 0.5, true, json.Number("1.5"), []any{"b", "a", "", "a"}, []any{1, "a", nil, []any{3, 1}, map[string]any{"a": 1}}, []any{3, 2, 1},
		map[string]any{"a": 1, "b": map[string]any{"c": "d", "l": []any{2, 1}}}, map[string]any{"a": map[string]any{"z": 1}, "b": map[string]any{"c": "e", "q": 1}, "l": []any{"b"}},
	}
	r := rand.New(rand.NewPCG(1, 2))
	calls := 0
	for name, f := range Map() {
		for range long.Or(300, 2_000) {
			args, were := make([]any, 1+r.IntN(4)), make([]any, 4)
			in := make([]reflect.Value, len(args))
			for i := range args {
				v := pool[r.IntN(len(pool))]
				args[i], were[i] = fresh(v), beyond(fresh(v))
				in[i] = reflect.ValueOf(args[i])
			}
			func() {
				defer func() { _ = recover() }() // they do not fit the function
				reflect.ValueOf(f).Call(in)
				calls++
			}()
			for i, a := range args {
				if !reflect.DeepEqual(beyond(a), were[i]) {
					t.Fatalf("%s makes %#v of %#v", name, beyond(a), were[i])
				}
			}
		}
	}
	t.Logf("%d calls", calls)
}
