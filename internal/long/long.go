// Package long has the flag -long, by which tests run that take minutes. The tests of every package
// import it, so that each knows it, and runs in the environment of internal/testenv:
//
//	go test -timeout 1h ./... -long
package long

import (
	"flag"
	"testing"

	_ "github.com/rendered/rendered/internal/testenv"
)

var asked = flag.Bool("long", false, "run the tests that take minutes, too, and the others with all their cases")

var moderate = flag.Bool("moderate", false, "with -long: do a part of what takes longest, as .ci/run does")

// Moderate tells whether a part of what takes longest will do.
func Moderate() bool { return *moderate }

// Asked tells whether the flag is given. It is known after flag.Parse, as within a test.
func Asked() bool { return *asked }

// Test skips a test that takes too long for go test ./....
func Test(t testing.TB) {
	t.Helper()
	if !*asked {
		t.Skip("it takes long: -long runs it")
	}
}

// Or gives how much of its work a test does: with the flag, the second.
func Or[T any](usual, whole T) T {
	if *asked {
		return whole
	}
	return usual
}
