package pages

import (
	"slices"
	"testing"
)

// Links and headings are found where they are, and not in blocks and code.
func TestLinksAreFound(t *testing.T) {
	const text = "# A `b` [c](d.md), é!\n\n```sh\n# no heading [x](y)\n```\n`[x](y)` ![e](f.png \"g\") <a href=\"h\">\n## A b c é\n### A b c é\n[i]: j\n<a id=\"k\"></a>\n"
	var to []string
	for _, l := range Links(text) {
		to = append(to, l.To)
	}
	if want := []string{"d.md", "f.png", "h", "j"}; !slices.Equal(to, want) {
		t.Errorf("%q, want %q", to, want)
	}
	if got, want := Anchors(text), []string{"a-b-c-é", "a-b-c-é-1", "a-b-c-é-2", "k"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
