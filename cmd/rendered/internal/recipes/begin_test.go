package recipes

import (
	"strings"
	"testing"

	_ "github.com/rendered/rendered/internal/long"
)

// Who is not known is named in a comment, and everybody else as they were.
func TestWithoutStrangers(t *testing.T) {
	const config = `files:
  - template: a
    owner: postgres:postgres
    mode: 0600
  - {template: b, owner: postgres}
  - template: c
    owner: root:nobody-here
  - template: d
    owner: root
  - template: e
    owner: :root
`
	known := func(user, group string) bool {
		return strings.Contains(" root", user) && strings.Contains(" root", group)
	}
	want := strings.NewReplacer(
		"    owner: postgres:postgres\n", "    # owner: postgres:postgres # for the server; this machine does not know it\n",
		"    owner: root:nobody-here\n", "    # owner: root:nobody-here # for the server; this machine does not know it\n",
	).Replace(config)
	if got := withoutStrangers(config, known); got != want {
		t.Errorf("%s", got)
	}
	if !isKnown("root", "root") || !isKnown("", "") || isKnown("nobody-of-this-name", "") || isKnown("root", "nobody-of-this-name") {
		t.Error("who is known is not told from who is not")
	}
}

// No recipe has an owner in a form that would be left as it is.
func TestRecipesOwners(t *testing.T) {
	for _, name := range Names() {
		r, err := find(name)
		if err != nil {
			t.Fatal(err)
		}
		config := r.files[configFile]
		if strings.Count(config, "owner:") != len(owner.FindAllString(config, -1)) {
			t.Errorf("%s has an owner within { }", name)
		}
	}
}
