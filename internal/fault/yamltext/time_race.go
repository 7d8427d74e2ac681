//go:build race

package yamltext

import "time"

// maxTime is longer where the race detector makes everything take several times as long.
const maxTime = 6 * time.Second
