// Package connect opens the sources that answer the lookups of a plan, as its config says.
package connect

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/sources/local"
)

// Sources opens the sources of one plan after another. Those of AWS stay open, with their
// connections and credentials, until something about AWS changes or nothing asks them. Only Renew
// may be called by several goroutines.
type Sources struct {
	Version string // ours, for AWS's logs
	// EnvironmentFile is the path of the environment file of the unit that the config is for, which
	// a hint names; "": there is none.
	EnvironmentFile string

	log      *slog.Logger
	count    func(aws.Call) // nil: nobody counts
	source   kept[*aws.Source]
	metadata kept[*aws.Metadata]
	renew    atomic.Bool // the credentials of source are to be read anew
}

// Open gives the source of a plan that looks up these kinds. The values file of the config, where
// it has one, answers the kinds that have a section in it. Without kinds nothing else is opened,
// and what is open is closed; a pass that is under way goes on with it.
func (s *Sources) Open(ctx context.Context, cfg *config.Config, asked map[sources.Kind]bool) (sources.Source, *fault.Fault) {
	o := cfg.AWS
	o.Version = s.Version
	var mux sources.Mux
	if cfg.Values != "" {
		inValues := sources.Kinds(func(t sources.Traits) bool { return t.Section != "" })
		mux = append(mux, sources.Route{Source: local.NewValues(cfg.Values), Kinds: inValues})
	}
	for _, a := range []struct {
		answerer sources.Answerer
		open     func() (sources.Source, error)
		close    func()
	}{
		{sources.LocalFiles, func() (sources.Source, error) { return new(local.Files), nil }, func() {}},
		{sources.InstanceMetadata, func() (sources.Source, error) { return s.metadata.get(ctx, o, aws.NewMetadata) }, s.metadata.close},
		{sources.AWS, func() (sources.Source, error) { return s.openAWS(ctx, o) }, s.source.close},
	} {
		kinds := sources.Kinds(func(t sources.Traits) bool { return t.Answerer == a.answerer && (cfg.Values == "" || t.Section == "") })
		if !slices.ContainsFunc(kinds, func(k sources.Kind) bool { return asked[k] }) {
			a.close()
			continue
		}
		source, err := a.open()
		if err != nil {
			return nil, s.fault(cfg, err)
		}
		mux = append(mux, sources.Route{Source: source, Kinds: kinds})
	}
	return mux, nil
}

func (s *Sources) openAWS(ctx context.Context, o aws.Options) (*aws.Source, error) {
	source, err := s.source.get(ctx, o, aws.New)
	if err != nil {
		return nil, err
	}
	source.LogTo(s.log)
	if s.count != nil {
		source.CountTo(s.count)
	}
	if s.renew.Swap(false) {
		source.Renew()
	}
	return source, nil
}

// fault says why there is no source, and where the Region can be set so that the unit has it, too.
func (s *Sources) fault(cfg *config.Config, err error) *fault.Fault {
	f := &fault.Fault{Place: fault.Place{File: cfg.Path}, What: "aws: " + err.Error(), Hints: disk.Hints(err), Err: err}
	if aws.LacksRegion(err) && s.EnvironmentFile != "" {
		f.Hints = []string{"aws: {region: eu-west-1} in " + cfg.Path + ", or AWS_REGION=eu-west-1 in " + s.EnvironmentFile + ", which the unit reads"}
	}
	return f
}

// LogTo names the log for what belongs to no pass; before, nothing is logged.
func (s *Sources) LogTo(log *slog.Logger) {
	s.log = log
	if source := s.AWS(); source != nil {
		source.LogTo(log)
	}
}

// CountTo names who is told of each call to AWS, from any goroutine; before, nobody is.
func (s *Sources) CountTo(count func(aws.Call)) {
	s.count = count
	if source := s.AWS(); source != nil {
		source.CountTo(count)
	}
}

// Renew has the next Open read the credentials of AWS anew.
func (s *Sources) Renew() { s.renew.Store(true) }

// AWS gives the source of AWS that is open; nil where none is.
func (s *Sources) AWS() *aws.Source { return s.source.source }

// Queue gives the queue of change notices; nil where there is none, or nothing that notices could
// be about.
func (s *Sources) Queue(cfg *config.Config) *aws.Queue {
	if cfg.Queue == "" || cfg.Values != "" || s.AWS() == nil {
		return nil
	}
	return s.AWS().Queue(cfg.Queue)
}

// A kept source is one that stays open from one plan to the next.
type kept[S interface {
	comparable
	Current() bool
	Close()
}] struct {
	source  S // zero: none
	options aws.Options
}

// get gives the source for the options: the one that is open, or, where that would be another, one
// that is opened. Where it cannot be opened the one that is open stays: the plan in force may ask
// it.
func (k *kept[S]) get(ctx context.Context, o aws.Options, open func(context.Context, aws.Options) (S, error)) (S, error) {
	var none S
	if k.source != none && reflect.DeepEqual(k.options, o) && k.source.Current() {
		return k.source, nil
	}
	source, err := open(ctx, o)
	if err != nil {
		return none, err
	}
	k.close()
	k.source, k.options = source, o
	return source, nil
}

// close closes the source that is open. A pass that is under way goes on with it.
func (k *kept[S]) close() {
	var none S
	if k.source != none {
		k.source.Close()
	}
	k.source = none
}
