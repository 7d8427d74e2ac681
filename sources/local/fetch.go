package local

import (
	"context"

	"github.com/rendered/rendered/sources"
)

// fetch answers refs with what ask gives, in order. A file system may hang (NFS, FUSE), so ask runs
// beside it: when ctx ends the rest is Unavailable at once, and what ask still finds is dropped.
func fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result), ask func(sources.Ref) sources.Result) {
	results := make(chan sources.Result, len(refs))
	go func() {
		for _, r := range refs {
			if ctx.Err() != nil {
				return
			}
			results <- guarded(r, ask)
		}
	}()
	for i, r := range refs {
		select {
		case result := <-results:
			deliver(r, result)
		case <-ctx.Done():
			for _, r := range refs[i:] {
				deliver(r, failed(r, sources.Unavailable, "stopped waiting"))
			}
			return
		}
	}
}

// guarded asks for r, and gives what is known where that panics.
func guarded(r sources.Ref, ask func(sources.Ref) sources.Result) (result sources.Result) {
	sources.Guard([]sources.Ref{r}, func(_ sources.Ref, failed sources.Result) { result = failed }, func() { result = ask(r) })
	return result
}

func failed(r sources.Ref, reason sources.Reason, detail string, hints ...string) sources.Result {
	return sources.Result{Err: &sources.Error{Ref: r, Reason: reason, Detail: detail, Hints: hints}}
}
