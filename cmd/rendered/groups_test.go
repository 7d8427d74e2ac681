package main

import (
	"slices"
	"strings"
	"testing"
)

// Help says of each verb when a person needs it, and its examples fit.
func TestVerbsHaveAPurpose(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.IsAvailableCommand() && c.GroupID == "" && !slices.Contains([]string{"version", "completion", "help"}, c.Name()) {
			t.Errorf("%s is added for no purpose", c.Name())
		}
	}
	for _, c := range newRoot().Commands() {
		for line := range strings.Lines(c.Example) {
			if len(line) > 80 {
				t.Errorf("an example of %s has %d columns: %s", c.Name(), len(line), line)
			}
		}
	}
	var out strings.Builder
	run([]string{"--help"}, &out, &out)
	at := -1
	for _, p := range []purpose{firstHour, everyDay, trouble} {
		next := strings.Index(out.String(), "\n"+p.title+"\n")
		if next <= at {
			t.Errorf("help does not list %s in its turn:\n%s", p.title, out.String())
		}
		at = next
	}
}
