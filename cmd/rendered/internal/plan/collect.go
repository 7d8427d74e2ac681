package plan

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// large is how many bytes must be in use before garbage may take half as much, and not as much
// again: the plan of thousands of services is in memory as long as the process.
const large = 32 << 20

// collect has garbage be collected as often as a plan asks for. What GOGC says holds.
func collect() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 100
	if live[0].Value.Uint64() > large {
		percent = 50
	}
	debug.SetGCPercent(percent)
}
