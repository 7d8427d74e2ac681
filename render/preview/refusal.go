package preview

import "fmt"

// A Refusal is why this machine does not let a command see files that are not in their places yet.
// Its text holds no value.
type Refusal struct {
	Step  string   // what was tried
	Hints []string // what to do about it, a line each
	Err   error
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("it cannot be shown the new files: %s: %v", r.Step, r.Err)
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// perFile is what works everywhere.
const perFile = "a check of a file, with {}, needs none of this"
