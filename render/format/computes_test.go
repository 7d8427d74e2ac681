package format

import "testing"

// raceDetector is set where the race detector watches.
var raceDetector bool

// computes skips a test that only computes where the race detector watches: nothing is shared in
// it.
func computes(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("nothing is shared here, and the race detector makes minutes of it")
	}
}
