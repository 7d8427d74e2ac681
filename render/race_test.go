//go:build race

package render

func init() { raceDetector = true }

// A template that calls itself without end is found by its depth, which takes long here.
func init() { timeLimit = 10 * timeLimit }
