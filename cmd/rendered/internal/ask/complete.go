package ask

import (
	"context"
	"slices"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/status"
)

// completion is how long the daemon may take for a completion: somebody holds the key.
const completion = time.Second

// Services gives the names of the daemon's services but for some; none where it does not answer.
func Services(ctx context.Context, but []string) []string {
	ctx, cancel := context.WithTimeout(ctx, completion)
	defer cancel()
	var st status.Status
	_ = daemon().Summary(ctx, &st)
	return slices.DeleteFunc(st.Names(), func(name string) bool { return slices.Contains(but, name) })
}

// Paths gives those of the files of the daemon's services, each with whose it is; none where no
// daemon answers.
func Paths(ctx context.Context) (list []string) {
	ctx, cancel := context.WithTimeout(ctx, completion)
	defer cancel()
	var st status.Status
	_ = daemon().Status(ctx, &st)
	for _, s := range st.Services {
		for _, f := range s.Files {
			list = append(list, f.Path+"\tfile of "+s.Name)
		}
	}
	return list
}

// Paused gives the names of the services that are paused, but for some; none where no daemon
// answers.
func Paused(ctx context.Context, but []string) (names []string) {
	ctx, cancel := context.WithTimeout(ctx, completion)
	defer cancel()
	var st status.Status
	_ = daemon().Summary(ctx, &st)
	for _, s := range st.Services {
		if s.Paused != nil && !slices.Contains(but, s.Name) {
			names = append(names, s.Name)
		}
	}
	for _, p := range st.Absent {
		if !slices.Contains(but, p.Service) {
			names = append(names, p.Service)
		}
	}
	return names
}
