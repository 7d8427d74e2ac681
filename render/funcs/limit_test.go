package funcs

import (
	"reflect"
	"strings"
	"testing"
)

// Every function refuses to work with too much, whichever argument it is.
func TestEveryFunctionIsBounded(t *testing.T) {
	computes(t)
	text := strings.Repeat("x", maxText+1)
	list := make([]any, maxCount+1)
	for i := range list {
		list[i] = i
	}
	for name, f := range Map() {
		fn := reflect.ValueOf(f)
		for big := range fn.Type().NumIn() {
			var args []reflect.Value
			heavy := false
			for i := range fn.Type().NumIn() {
				want := fn.Type().In(i)
				arg := reflect.Zero(want)
				for _, much := range []any{text, list, []string{text}, []any{text}, []map[string]any{{text: 1}}, map[string]any{text: 1}} {
					if i == big && reflect.TypeOf(much).AssignableTo(want) {
						arg, heavy = reflect.New(want).Elem(), true
						arg.Set(reflect.ValueOf(much))
						break
					}
				}
				args = append(args, arg)
			}
			if !heavy {
				continue
			}
			call := fn.Call
			if fn.Type().IsVariadic() {
				call = fn.CallSlice
			}
			out := call(args)
			if err, _ := out[len(out)-1].Interface().(error); err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
				t.Errorf("%s takes it as argument %d: %v", name, big, err)
			}
		}
	}
}

// What grows a little each time ends with an error, in little time and memory.
func TestGrowthEnds(t *testing.T) {
	computes(t)
	for _, step := range []string{
		`$x = cat $x $x`, `$x = print $x $x`, `$x = printf "%s%s" $x $x`, `$x = quote $x`, `$x = squote $x $x`, `$x = html $x "<" $x`,
		`$x = replace "x" "xx" $x`, `$x = toJson (list $x $x)`, `$x = join $x (list "" "" "")`,
		`$x = b64enc $x`, `$x = envQuote (print $x "\"")`,
	} {
		_, err := execute(`{{ $x := "x\"x" }}{{ range until 60 }}{{ `+step+` }}{{ end }}`, nil)
		if err == nil {
			t.Errorf("%s goes on", step)
		}
	}
	for _, step := range []string{`$l = list $l $l`, `$l = concat $l $l`, `$l = append $l $l`, `$l = list (dict "a" $l "b" $l)`} {
		_, err := execute(`{{ $l := list "a" }}{{ range until 22 }}{{ `+step+` }}{{ end }}{{ $l | toJson }}`, nil)
		if err == nil {
			t.Errorf("%s goes on", step)
		}
	}
}

func TestNothingInTheWrongPlace(t *testing.T) {
	for _, text := range []string{
		`{{ dict "a" }}`, `{{ dict 1 2 }}`, `{{ round 1e308 15 }}`, `{{ seq 1 9223372036854775807 }}`, `{{ print nil }}`, `{{ printf "%p" . }}`,
		`{{ printf "%v" .map }}`, `{{ printf "%s" .list }}`, `{{ print .map }}`, `{{ html .list }}`, `{{ urlquery .map }}`,
	} {
		if got, err := execute(text, map[string]any{"map": map[string]any{"a": 1}, "list": []any{"a"}}); err == nil {
			t.Errorf("%s gives %q", text, got)
		}
	}
}
