package daemon

import "github.com/rendered/rendered/watch/pass"

// Helper does the work of a helper of the daemon, where this process is one, and does not return
// then.
func Helper() { pass.Helper() }
