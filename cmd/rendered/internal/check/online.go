package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
)

// resolves renders every file in memory and reports whether all of them can be written.
func (c *checker) resolves(ctx context.Context) bool {
	var progress watch.Progress
	line := console.NewLine(c.terminal)
	if line != nil {
		progress = func(answered, asked int) { line.Printf("%d of %d lookups", answered, asked) }
	}
	faults := watch.Resolve(ctx, c.plan, progress)
	line.Clear()
	c.find(Error, ofLookups, faults...)
	return len(faults) == 0
}

// during shows on a terminal what is waited for, where that takes long.
func (c *checker) during(says func(time.Duration) string, do func()) {
	console.During(c.terminal, says, do)
}

// waitsFor says on a line what is waited for.
func waitsFor(what string) func(time.Duration) string {
	return func(since time.Duration) string {
		return fmt.Sprintf("waiting for %s, %d s", what, since/time.Second)
	}
}

// identify says who asks whom. STS may be out of reach where Secrets Manager and Parameter Store
// are not: a VPC has an endpoint for each.
func (c *checker) identify(ctx context.Context, source *aws.Source, accounts []string) {
	for _, name := range append([]string{""}, accounts...) {
		var region, account, arn string
		var err error
		c.during(waitsFor("STS to say who is asking"), func() { region, account, arn, err = source.Identity(ctx, name) })
		c.report.Identities = append(c.report.Identities, Identity{name, region, account, arn})
		if name != "" {
			name += ":: "
		}
		if err != nil {
			console.Say(c.out, fmt.Sprintf("%sasking AWS in %s", name, region))
			c.find(Warning, ofIdentity, &fault.Fault{What: fmt.Sprintf("%sSTS does not say who is asking: %v", name, err)})
			continue
		}
		console.Say(c.out, fmt.Sprintf("%sasking AWS in %s, account %s, as %s", name, region, account, arn))
	}
}

// lookAtQueue says whether change notices can come. Without them the schedule still holds, so that
// a fault is no more than a warning.
func (c *checker) lookAtQueue(ctx context.Context, queue *aws.Queue) {
	var waiting int
	var err error
	c.during(waitsFor("the queue of change notices"), func() { waiting, err = queue.Waiting(ctx) })
	if err == nil {
		c.report.Queue = &Queue{queue.String(), queue.Region(), waiting}
		console.Say(c.out, fmt.Sprintf("change notices come through queue %s in %s, about %d waiting", queue, queue.Region(), waiting))
		return
	}
	f := &fault.Fault{What: err.Error()}
	if e, ok := errors.AsType[*sources.Error](err); ok {
		f.Hints = e.Hints
	}
	c.find(Warning, ofQueue, f)
}

// reaches reports whether every dependent can be told, as far as that is known before there is
// something to tell: a unit that is not there is a fault, a program that is not running may run by
// then. Where systemd does not answer its units are not judged.
func (c *checker) reaches(ctx context.Context) bool {
	good, unasked := true, 0
	var away error
	for _, d := range dependents(c.plan) {
		if away != nil && notify.BySystemd(d.Action) {
			unasked++
			continue
		}
		var err error
		c.during(waitsFor("an answer about "+d.Name()), func() { err = notify.Foresee(ctx, d.Action) })
		e, failed := errors.AsType[*notify.Error](err)
		switch {
		case !failed:
		case e.Reason == notify.Unreachable || e.Reason == notify.Stopped:
			away = e
			unasked++
		case e.Reason == notify.NotRunning || e.Reason == notify.Stale:
			c.find(Warning, ofDependent, d.fault(e))
		default:
			c.find(Error, ofDependent, d.fault(e))
			good = false
		}
	}
	if away != nil {
		c.find(Warning, ofDependent, &fault.Fault{What: fmt.Sprintf("%v: %s not looked for", away, console.Count(unasked, "unit"))})
	}
	return good
}

// A dependent is one of a plan's, with the first service that names it.
type dependent struct {
	notify.Action
	service string
}

// dependents gives those of a plan, each once.
func dependents(p *watch.Plan) (list []dependent) {
	known := make(map[string]bool)
	for _, s := range p.Services {
		for _, d := range s.Dependents {
			if !known[d.Name()] {
				known[d.Name()] = true
				list = append(list, dependent{d, s.Name})
			}
		}
	}
	return list
}

// fault says why the dependent cannot be told.
func (d dependent) fault(e *notify.Error) *fault.Fault {
	return &fault.Fault{What: fmt.Sprintf("%s: %s: %v", d.service, d.Name(), e), Hints: e.Hints}
}
