package render

import (
	"fmt"
	"testing"
)

// A ref is of its host alone where the host's name is part of what it is made of, and no other is.
func TestOwn(t *testing.T) {
	for text, want := range map[string]string{
		`{{ secret "shared" }} {{ hostname }}`:                                                "[]",
		`{{ secret (printf "%s/tls" hostname) }} {{ secret "shared" }}`:                       "[secret web-1/tls]",
		`{{ $n := hostname }}{{ with $n }}{{ param (print "/" .) }}{{ end }}`:                 "[param /web-1]",
		`{{ secret (print (env "STAGE") "/db") }} {{ hostname }}`:                             "[]",
		`{{ secret (get (dict "web-1" "east") hostname "west") }}`:                            "[secret east]",
		`{{ if eq hostname "web-1" }}{{ secret "first" }}{{ else }}{{ secret "b" }}{{ end }}`: "[]",
		`{{ secret (secret "names") }} {{ hostname }}`:                                        "[]",
	} {
		tmpl, faults := Parse(Options{Main: Text{Name: "t", Body: text}, Hostname: "web-1", Env: func(string) (string, bool) { return "prod", true }})
		if len(faults) > 0 {
			t.Fatalf("%s: %v", text, faults)
		}
		if got := fmt.Sprint(tmpl.Own()); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
