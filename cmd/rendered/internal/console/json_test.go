package console

import (
	"strings"
	"testing"
	"time"
)

// A list that is empty is [] in every document, however deep it is, and whether or not somebody
// made it.
func TestEmptyListsAreLists(t *testing.T) {
	type part struct {
		Names []string `json:"names"`
		Bytes []byte   `json:"bytes"`
	}
	document := struct {
		Parts   []part    `json:"parts"`
		Pointer *part     `json:"pointer"`
		None    *part     `json:"none"`
		Of      []*part   `json:"of"`
		At      time.Time `json:"at"`
		Left    []string  `json:"left,omitempty"`
		hidden  []string
	}{Parts: []part{{}}, Pointer: &part{}}
	var b strings.Builder
	JSON(&b, document)
	want := `{"parts":[{"names":[],"bytes":null}],"pointer":{"names":[],"bytes":null},"none":null,"of":[],"at":"0001-01-01T00:00:00Z"}`
	if got := strings.Join(strings.Fields(b.String()), ""); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if document.Parts[0].Bytes != nil || document.Of != nil || document.hidden != nil {
		t.Error("what was given is another")
	}
}
