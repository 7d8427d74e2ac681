package daemon

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/metrics"
	"github.com/rendered/rendered/cmd/rendered/internal/page"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/cmd/rendered/internal/web"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

// counted makes the metrics, and what answers with them.
func (d *Daemon) counted(o Options) {
	hostname, _ := os.Hostname() // without it there are still addresses to ask by
	d.metrics = metrics.New(metrics.Options{
		Version: o.Plan.Version, Revision: o.Commit, GoVersion: runtime.Version(),
		Ask: func(ctx context.Context) (watch.Status, error) { return d.loop.Ask(ctx) },
	})
	d.web = web.NewServer(web.Answers{
		Metrics: d.metrics.Handler(),
		Healthy: func(ctx context.Context) error {
			_, err := d.loop.AskAbout(ctx, watch.Question{Brief: true})
			return err
		},
		Ready: d.ready,
		Page: page.Page{
			Status:  d.status,
			History: func() status.History { return status.HistoryOf(d.state.Ledger.History()) },
			Named:   d.named.Load, Host: hostname,
		}.Handler(),
	}, d.log)
	d.textfile = metrics.NewTextfile(d.metrics, o.System, d.log)
}

// answerAsIn has the metrics be of a plan, and be had where its config says.
func (d *Daemon) answerAsIn(cfg *config.Config, p *watch.Plan) {
	var origin func(sources.Ref) (region, account string)
	if source := d.compiler.Sources.AWS(); source != nil && cfg.Values == "" {
		origin = source.Origin
	}
	d.metrics.Follow(p, cfg.Metrics.Refs, origin)
	d.named.Store(cfg.Metrics.Refs)
	d.web.Set(cfg.Metrics.Listen)
	d.textfile.Set(cfg.Metrics.Textfile)
}

// ready is why not all services were looked at since the start, whatever came of it.
func (d *Daemon) ready(ctx context.Context) error {
	st, err := d.loop.AskAbout(ctx, watch.Question{Brief: true})
	if err != nil || st.Tried {
		return err
	}
	untried := 0
	for _, s := range st.Services {
		if !s.Tried {
			untried++
		}
	}
	return fmt.Errorf("not yet looked at: %s of %d", console.Count(untried, "service"), len(st.Services))
}
