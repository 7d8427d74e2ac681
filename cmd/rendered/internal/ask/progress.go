package ask

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch"
)

// askEvery is how often the daemon is asked how far it is.
const askEvery = 2 * time.Second

// during shows on a terminal which of the services of these names, of all where there are none, are
// waited for: those of which waits says how they stand.
func (a Asker) during(ctx context.Context, names []string, waits func(*status.Service) string, do func(context.Context)) {
	ctx, done := context.WithCancel(ctx)
	var asked time.Time
	services := ""
	says := func(since time.Duration) string {
		if time.Since(asked) >= askEvery {
			asked = time.Now()
			var st status.Status
			if daemon().Summary(ctx, &st) == nil {
				st.Only(names)
				services = waitedFor(st, waits)
			}
		}
		return fmt.Sprintf("waiting for %d s%s", since/time.Second, services)
	}
	console.During(a.Err, says, func() {
		defer done()
		do(ctx)
	})
}

// mostNamed is how many services are named of those that are waited for.
const mostNamed = 10

// waitedFor lists the services that are waited for.
func waitedFor(st status.Status, waits func(*status.Service) string) string {
	var list []string
	for _, s := range st.Services {
		if how := waits(s); how != "" {
			list = append(list, s.Name+" "+how)
		}
	}
	if len(list) == 0 {
		return ""
	}
	some := strings.Join(list[:min(len(list), mostNamed)], ", ")
	if len(list) > mostNamed {
		some += ", …"
	}
	return fmt.Sprintf(", %d of %s: %s", len(list), console.Count(len(st.Services), "service"), some)
}

// isNotCurrent says how a service stands that is not current; "" of another.
func isNotCurrent(s *status.Service) string {
	if s.State == watch.Current {
		return ""
	}
	return string(s.State)
}

// isLooking says of a service that it is looked at; "" of another.
func isLooking(s *status.Service) string {
	if s.Next.IsZero() {
		return "is looked at"
	}
	return ""
}
