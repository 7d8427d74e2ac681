//go:build race

package funcs

func init() { raceDetector = true }
