package fleet

// A Phase is how far a service has come with a change on this host.
type Phase int

// The phases. The host says which it is, at any time.
const (
	Idle    Phase = iota // it has nothing to write
	Unknown              // nobody has looked yet in this life of the process
	Waiting              // it has something to write, and waits for its turn
	Owing                // what it wrote in an earlier life of the process is yet to be told
	Ready                // it has its turn, and would swap its files now
	Working              // its files are swapped, and it is not known yet whether it is well
	Failing              // it was not well, and its old files are being put back
	Back                 // it is well with its old files, and tries the change again when it is let
	Well                 // it is well with the change
	Ill                  // it is not well, and stays so
)

// Unfinished tells whether what was swapped has yet to come to an end.
func (p Phase) Unfinished() bool { return p == Owing || p == Working || p == Failing }

// Ended tells whether nothing more is to come of a change.
func (p Phase) Ended() bool { return p == Back || p == Well || p == Ill }

func (p Phase) waits() bool { return p == Waiting || p == Owing || p == Back }

var phases = map[Phase]string{
	Idle: "current", Waiting: "waiting", Owing: "owing", Ready: "working", Working: "working", Failing: "rolling back", Back: "rolled back", Well: "current", Ill: "unhealthy",
}

// String gives the word for a phase.
func (p Phase) String() string { return phases[p] }
