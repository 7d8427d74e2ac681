//go:build race

package format

func init() { raceDetector = true }
