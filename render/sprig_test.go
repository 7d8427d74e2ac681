package render

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"
)

// Each function of sprig is here, or refused with the reason. docs/functions.md has those that are
// refused, and no others: what the README says of sprig is true.
func TestSprigsFunctions(t *testing.T) {
	page, err := os.ReadFile("../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "Of sprig's functions these are not here:")
	list, _, closed := strings.Cut(rest, "(`render.TestSprigsFunctions`)")
	if !found || !closed {
		t.Fatal("docs/functions.md has no list")
	}
	var listed, refused []string
	for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(list, -1) {
		if m[1] != "env" {
			listed = append(listed, m[1])
		}
	}
	clock := regexp.MustCompile(`^(?:now|ago|rand|shuffle|uuid|gen|bcrypt|htpasswd|encrypt)`)
	for _, name := range slices.Sorted(maps.Keys(sprig.TxtFuncMap())) {
		if isFunction(name) {
			continue
		}
		refused = append(refused, name)
		f := foreignNames()[name]
		if f.of == "" || f.why == "" && f.forms == nil {
			t.Errorf("%s is neither here nor refused", name)
		}
		if clock.MatchString(name) && !strings.Contains(f.why, "on every pass") {
			t.Errorf("%s is refused for another reason: %s", name, f.why)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, refused) {
		t.Errorf("the page lists\n%v, refused are\n%v", listed, refused)
	}
	for name := range foreignNames() {
		if isFunction(name) {
			t.Errorf("%s is here, and refused", name)
		}
	}
}
