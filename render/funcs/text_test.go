package funcs

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"

	"github.com/rendered/rendered/render/funcs/quotetest"
)

func TestCharactersStayWhole(t *testing.T) {
	for call, want := range map[string]string{
		`nospace "a\u00a0b é\n"`: "abé", `initials "Éa ü  c"`: "Éüc", `swapcase "École Ünter ß a"`: "éCOLE üNTER ß A", `untitle "École Ünter"`: "école ünter", `upper "é"`: "É", `title "é à"`: "É À",
		`camelcase "é_ü"`: "ÉÜ", `snakecase "ÉcoleÜnter"`: "école_ünter", `trim "\u00a0é "`: "é", `wrap 3 "é ü ö"`: "é\nü\nö",
	} {
		if out, err := execute("{{ "+call+" }}", nil); err != nil || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
}

// Of ASCII they give what sprig gives.
func TestWordsAreThoseOfSprig(t *testing.T) {
	for _, text := range quotetest.Random(5, 3000) {
		if strings.ContainsFunc(text, func(r rune) bool { return r == 0 || r >= utf8.RuneSelf }) {
			continue
		}
		for name, ours := range map[string]func(string) string{"nospace": nospace, "initials": initials, "swapcase": swapcase, "untitle": untitle} {
			want := reflect.ValueOf(sprig.TxtFuncMap()[name]).Call([]reflect.Value{reflect.ValueOf(text)})[0].String()
			if got := ours(text); got != want {
				t.Errorf("%s %q: %q, sprig gives %q", name, text, got, want)
			}
		}
	}
}

func TestNothingIsLeftOut(t *testing.T) {
	for call, want := range map[string]string{
		`rest (list) | toJson`: "[]", `initial (list) | toJson`: "[]", `regexFindAll "x" "a" -1 | toJson`: "[]", `compact (list "") | toJson`: "[]", `without (list 1) 1 | toJson`: "[]",
		`chunk 2 (list 1 2 3) | toJson`: "[[1,2],[3]]", `chunk 3 (list 1 2 3) | toJson`: "[[1,2,3]]", `chunk 2 (list) | toJson`: "[]", `chunk 0 (list 1)`: "", `chunk -1 (list 1)`: "", `chunk 1 "a"`: "",
		`regexReplaceAll "(a)(b)" "ab" "${2}x$1"`: "bxa", `regexReplaceAll "(?P<n>a)" "ab" "<$n>"`: "<a>b", `regexReplaceAll "a" "a" "$0$$"`: "a$", `regexReplaceAll "(a)" "a" "$1x"`: "", `regexReplaceAll "a" "a" "pa$word"`: "",
		`regexReplaceAll "a" "a" "$1"`: "", `regexReplaceAll "a" "a" "x$"`: "x$", `regexReplaceAllLiteral "a" "a" "pa$word"`: "pa$word", `regexReplaceAll "a" "a" "${}"`: "", `regexReplaceAll "a" "a" "$-"`: "$-",
		`index "abc" 0`: "", `index (list "abc") 0 0`: "", `slice "abc" 0 1`: "a",
	} {
		if out, err := execute("{{ "+call+" }}", nil); (err != nil) != (want == "") || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
}
