package pass

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/preview"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/ledger"
)

// A Checker runs a service's check, which sees the staged files at their places.
type Checker func(ctx context.Context, check command.Check, files []preview.File, filter render.Filter) *fault.Fault

// A Runner runs gates, what is to be done before and after a change, and who hears of a failure.
type Runner func(context.Context, command.Command, command.Options) ([]byte, error)

// Options are what a Keeper works with.
type Options struct {
	State    *StateDir
	Redactor *redact.Redactor // of the process; nil: what commands print is withheld
	Check    Checker          // nil: render.CheckService
	Run      Runner           // nil: command.Run
	Parsers  Parsers
	Fleet    Fleet // nil: this host is in none
	// Woken is called after waits that may end for several passes at once; may be nil.
	Woken func(service string)
	Wall  func() time.Time // the wall clock, which may be set; nil: the machine's
}

// Turns are what a pass is for, and what it says to whoever tells the dependents of its files.
type Turns struct {
	Trigger                       // what it is for, as the history has it
	Matched func()                // the files match: dependents may be told of them
	Swap    func(context.Context) // the files are about to change; returns when nobody reads them
	Again   bool                  // a change that was rolled back is tried again
}

// A Keeper takes one service through passes, one at a time. It alone touches the service's files,
// and knows what outlives a pass.
type Keeper struct {
	service  *Service
	jobs     *disk.Jobs
	ledger   *ledger.Ledger
	machine  swap.Machine
	state    string // path of the state directory
	unread   bool   // which cannot be read
	redactor *redact.Redactor
	parsers  Parsers
	examine  Checker
	runs     Runner
	fleet    Fleet
	// tellsFreely: what the service has written is of this life of the process, or its turn to be
	// told has come.
	tellsFreely bool
	wall        func() time.Time
	woken       func(service string)
	leftovers   leftovers
	shelf       *shelf
	unshelved   bool              // something may be kept of files that nobody needs
	repairs     map[string]repair // by path
	// blamed is what else a check that did not pass was asked, by file; "" is the service's.
	blamed   map[string]blame
	verdicts verdicts      // on the bytes that the last pass was to write
	asked    []sources.Ref // what the last render asked for, dynamic refs included
	// values are those of the last render that succeeded; nil: there was none, and nobody knows
	// what commands may print.
	values  []redact.ID
	seed    maphash.Seed
	known   map[string]content // of the files as they were last, by path
	free    map[string]bool    // paths of files of an Each that nothing else of the config has
	heldFor string             // why the last pass was held; "": it was not
	failed  string             // what the history says of the last pass; "": it did not fail
}

// leftovers are what earlier passes, or an earlier process, may have left.
type leftovers int

const (
	littered leftovers = iota // temporaries beside the files, and names that are not durable
	loose                     // names that are not durable
	none
)

// NewKeeper makes a Keeper, which Take gives its service.
func NewKeeper(o Options) *Keeper {
	k := &Keeper{
		jobs:     o.State.Jobs,
		ledger:   o.State.Ledger,
		machine:  o.State.Swap,
		state:    o.State.Path,
		unread:   o.State.unread,
		redactor: o.Redactor,
		parsers:  o.Parsers,
		examine:  o.Check,
		runs:     o.runner(),
		fleet:    o.Fleet,
		shelf:    o.State.shelf,
		woken:    o.Woken,
		wall:     o.Wall,
		repairs:  make(map[string]repair),
		seed:     maphash.MakeSeed(),
		known:    make(map[string]content),
	}
	if k.examine == nil {
		k.examine = render.CheckService
	}
	if k.wall == nil {
		k.wall = time.Now
	}
	if k.parsers.Judge == nil {
		k.parsers = own
	}
	return k
}

// runner gives who runs commands around a change.
func (o Options) runner() Runner {
	if o.Run == nil {
		return command.Run
	}
	return o.Run
}

// Take has the next pass be of a service, as the plan in force has it.
func (k *Keeper) Take(s *Service) {
	if k.service == nil {
		k.failed = k.ledger.Past(s.Name).Failure
	}
	if k.service != nil && k.service.Fingerprint != s.Fingerprint {
		k.values = nil
	}
	if k.service == nil || !slices.Equal(k.service.Paths(), s.Paths()) {
		k.leftovers = littered // who had the new ones may have left temporaries beside them
	}
	if k.service != s {
		k.free = make(map[string]bool)
	}
	k.service = s
}

// Service gives that of the last pass; nil before the first Take.
func (k *Keeper) Service() *Service { return k.service }

// Run takes the service through one pass, with the values of a snapshot. A panic in it is the
// failure of this service and nobody else's: the Keeper forgets what it knows, and the next pass
// begins as it would after a kill, with what is on disk.
func (k *Keeper) Run(ctx context.Context, snapshot *sources.Snapshot, t Turns) Outcome {
	begun := time.Now()
	p := &pass{Keeper: k, ctx: ctx, snapshot: snapshot, turns: t, begun: time.Now(), out: Outcome{Service: k.service.Name}}
	failed := fault.Caught(func() { p.out.Err = p.run() })
	p.endTurn()
	if failed != nil {
		k.leftovers, k.values, k.verdicts = littered, nil, verdicts{}
		return Outcome{Service: k.service.Name, Err: failed, Asked: k.asked, Took: time.Since(begun)}
	}
	p.out.Asked, p.out.Matched, p.out.Party = k.asked, p.matched, Party{k.service, k.values}
	p.note()
	k.woke() // several passes end in the same moment, as with the time for their lookups
	p.out.Took = time.Since(begun)
	return p.out
}

// woke is called after waits that may end for several passes in the same moment.
func (k *Keeper) woke() {
	if k.woken != nil {
		k.woken(k.service.Name)
	}
}

// written passes on what came of a write that several passes may have waited for.
func (k *Keeper) written(err error) error {
	k.woke()
	return err
}

// confirm makes the ledger's record certain before it is acted on.
func (k *Keeper) confirm() error {
	return k.written(k.ledger.Confirm())
}
