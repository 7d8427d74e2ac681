//go:build !race

package yamltext

import "time"

// maxTime is how long yaml.v3 may work on a text, in CPU time, so that a busy machine refuses
// nothing.
const maxTime = 1500 * time.Millisecond
