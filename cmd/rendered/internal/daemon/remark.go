package daemon

import (
	"context"
	"log/slog"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/watch"
)

// A remark is an entry of the log about a config that is in force.
type remark struct {
	level               slog.Level
	what                string
	service, file, hint string // "": none
}

const (
	seenByNoOther = "this file is seen by the daemon alone: /tmp and /var/tmp are its own"
	haveElsewhere = "have it in another directory, as below /run, or set PrivateTmp=no in a drop-in"
)

// remarks gives what is to be said of a config.
func remarks(ctx context.Context, cfg *config.Config, p *watch.Plan) (list []remark) {
	if cfg.IsEmpty() {
		list = append(list, remark{level: slog.LevelInfo, what: config.NoServices, hint: cfg.FirstService()})
	}
	// A service would meet this with its first change only, at night.
	if failed := plan.Foresee(ctx, p); failed != nil && ctx.Err() == nil {
		list = append(list, remark{level: slog.LevelError, what: failed.What, hint: strings.Join(failed.Hints, "\n")})
	}
	if path := cfg.Metrics.Textfile; path != "" && sandbox.Private(path) {
		list = append(list, remark{slog.LevelWarn, seenByNoOther, "", path, haveElsewhere})
	}
	for _, s := range p.Services {
		for _, f := range s.Files {
			if sandbox.Private(f.Path) {
				list = append(list, remark{slog.LevelWarn, seenByNoOther, s.Name, f.Path, haveElsewhere})
			}
		}
	}
	return list
}

// say logs what is to be said of a config: once, though it may be read again and again for a
// service that has a fault.
func (d *Daemon) say(list []remark) {
	was := d.said
	d.said = make(map[remark]bool)
	for _, r := range list {
		if d.said[r] = true; was[r] {
			continue
		}
		var attributes []slog.Attr
		for _, a := range []slog.Attr{slog.String("service", r.service), slog.String("file", r.file), slog.String("hint", r.hint)} {
			if a.Value.String() != "" {
				attributes = append(attributes, a)
			}
		}
		d.log.LogAttrs(context.Background(), r.level, r.what, attributes...)
	}
}
