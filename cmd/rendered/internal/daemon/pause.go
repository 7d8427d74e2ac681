package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// mostWhy bounds the reason of a pause, in characters.
const mostWhy = 200

// pause has nobody work on services for a time, 0 meaning until they are resumed.
func (d *Daemon) pause(ctx context.Context, names []string, lasts time.Duration, why string) (any, error) {
	why = strings.TrimSpace(why)
	printable := func(c rune) bool { return c != utf8.RuneError && unicode.IsPrint(c) }
	switch {
	case len(names) == 0:
		return nil, errors.New("error: no service is named")
	case lasts < 0:
		return nil, fmt.Errorf("error: %s is no time to pause for", lasts)
	case why == "" || utf8.RuneCountInString(why) > mostWhy || strings.ContainsFunc(why, func(c rune) bool { return !printable(c) }):
		return nil, fmt.Errorf("error: the reason must be a line of printable characters, %d at most", mostWhy)
	}
	if err := d.know(ctx, names); err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []pass.Pause
	var answer status.Pauses
	for _, name := range slices.Compact(names) {
		p := pass.Pause{Service: name, Since: time.Now().Round(0).UTC(), Why: why, Who: control.Who(ctx)}
		if lasts > 0 {
			p.Until = p.Since.Add(lasts)
		}
		list = append(list, p)
		answer.Paused = append(answer.Paused, status.PauseOf(p))
	}
	if err := d.loop.Pause(ctx, list); err != nil {
		return nil, fmt.Errorf("error: %w", err)
	}
	return answer, nil
}

// resume ends the pauses of services, or all where none is named.
func (d *Daemon) resume(ctx context.Context, names []string) (any, error) {
	for _, name := range names {
		if _, paused := d.state.Ledger.Paused(name); paused {
			continue
		}
		if err := d.know(ctx, []string{name}); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("error: %s is not paused", name)
	}
	resumed, err := d.loop.Resume(control.Who(ctx), names...)
	if err != nil {
		return nil, fmt.Errorf("error: %w", err)
	}
	return status.Resumed{Resumed: append([]string{}, resumed...)}, nil
}

// held is an error where one of the services is paused.
func (d *Daemon) held(names []string) error {
	var paused watch.PausedError
	for _, name := range names {
		if p, is := d.state.Ledger.Paused(name); is {
			paused = append(paused, p)
		}
	}
	if len(paused) == 0 {
		return nil
	}
	return Refused(paused)
}

// Refused makes of the error that services are paused, or are none any more, what a person reads.
func Refused(err error) error {
	if gone, ok := errors.AsType[watch.GoneError](err); ok {
		return control.Refused("error: " + gone.Error())
	}
	paused, ok := errors.AsType[watch.PausedError](err)
	if !ok {
		return err
	}
	var text strings.Builder
	for _, p := range paused {
		fmt.Fprintf(&text, "error: %s is %s\n  rendered resume %[1]s\n", p.Service, p)
	}
	return control.Refused(text.String())
}
