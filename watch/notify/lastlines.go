package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/rendered/rendered/internal/command"
)

const (
	lastLines    = 10              // of a unit that failed
	journalLimit = 5 * time.Second // for journalctl
	// journalPause: what a process wrote at its end may not be in the journal yet.
	journalPause = 100 * time.Millisecond
)

// journalctl is the program that is asked.
var journalctl = "journalctl"

// lastWords gives the last lines that a unit has written since a time, oldest first; nil where
// there are none, or we may not read them. The lines are the unit's own, and may hold anything.
//
// They are looked for by unit: by _SYSTEMD_INVOCATION_ID the line that a process wrote last was
// missing in one of ten cases.
func lastWords(ctx context.Context, unit string, since time.Time) []byte {
	ctx, cancel := context.WithTimeout(ctx, journalLimit)
	defer cancel()
	ask := command.Command{Args: []string{journalctl, "--quiet", "--no-pager", "--output=cat", fmt.Sprint("--lines=", lastLines), "--unit=" + unit,
		fmt.Sprintf("--since=@%d.%06d", since.Unix(), since.Nanosecond()/1000)}}
	for range 2 {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(journalPause):
		}
		lines, err := command.Run(ctx, ask, command.Options{Timeout: journalLimit})
		if err != nil {
			return nil
		}
		if len(lines) > 0 {
			return lines
		}
	}
	return nil
}
