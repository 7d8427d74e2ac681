// Package lookups says which lookups a config makes, who uses what they give, and what AWS must
// allow for them. It reads the config and its templates, and asks nobody.
package lookups

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
)

// A survey is what the services of a config look up.
type survey struct {
	cfg    *config.Config
	unfit  watch.Unfit // services whose lookups are not known, as they have a fault
	list   []lookup    // by service, file, and place in the template
	source *aws.Source // of the config; it can say what is where, and asks nobody
}

// A lookup is a call of a lookup function in a template of a file of a service.
type lookup struct {
	render.Lookup
	service *config.Service
	file    *config.File
}

// isKnown tells whether the template alone says what is looked up.
func (l lookup) isKnown() bool { return l.Ref != (sources.Ref{}) }

// look reads a config. The error is a fault.List of what concerns all services.
func look(ctx context.Context, o plan.Options) (*survey, error) {
	o.Reach = plan.Nowhere
	cfg, p, err := plan.NewCompiler(o).Load(ctx, o.Source())
	if err != nil {
		return nil, err
	}
	s := &survey{cfg: cfg, unfit: p.Faulty, source: aws.Offline(cfg.AWS)}
	for _, service := range p.Services {
		of := &cfg.Services[slices.IndexFunc(cfg.Services, func(c config.Service) bool { return c.Name == service.Name })]
		for i, f := range service.Files {
			for _, l := range f.Lookups() {
				s.list = append(s.list, lookup{l, of, &of.Files[i]})
			}
		}
	}
	return s, nil
}

// explain says which services have a fault, and what it is. It reports whether none has.
func (s *survey) explain(stderr io.Writer) bool {
	if len(s.unfit) == 0 {
		return true
	}
	console.Faults(stderr, s.unfit.Faults())
	console.Say(stderr, "what these look up is not known: "+s.unfit.Names())
	return false
}

// isEmpty says where the config has no services, and reports that.
func (s *survey) isEmpty(stderr io.Writer) bool {
	if s.cfg.IsEmpty() {
		console.Say(stderr, config.NoServices+"\n  "+s.cfg.FirstService())
	}
	return s.cfg.IsEmpty()
}

// unknown gives the lookups of which only the render can tell what they look up.
func (s *survey) unknown() []lookup {
	return slices.DeleteFunc(slices.Clone(s.list), lookup.isKnown)
}

// refs gives what is known to be looked up, each once.
func (s *survey) refs() (list []sources.Ref) {
	seen := make(map[sources.Ref]bool)
	for _, l := range s.list {
		if l.isKnown() && !seen[l.Ref] {
			seen[l.Ref] = true
			list = append(list, l.Ref)
		}
	}
	return list
}

// short gives a place as a person finds it who stands beside the config.
func (s *survey) short(p fault.Place) string {
	return strings.TrimPrefix(p.String(), filepath.Dir(s.cfg.Path)+"/")
}

// line gives the place of a service or file without its column.
func (s *survey) line(p fault.Place) string {
	p.Column = 0
	return s.short(p)
}

// serviceNames gives the services of the config.
func (s *survey) serviceNames() []string {
	var names []string
	for _, service := range s.cfg.Services {
		names = append(names, service.Name)
	}
	return names
}

// paths gives the files of the config.
func (s *survey) paths() (list []string) {
	for _, service := range s.cfg.Services {
		for _, f := range service.Files {
			list = append(list, f.Path)
		}
	}
	return list
}

// Names gives the services and the files of a config for a shell, as far as it can be read, but for
// those that are given.
func Names(o plan.Options, without []string) (list []cobra.Completion) {
	add := func(word, description string) {
		if !slices.Contains(without, word) {
			list = append(list, cobra.CompletionWithDesc(word, description))
		}
	}
	for _, service := range o.ReadConfig(config.Machine).Services {
		add(service.Name, "service")
		for _, f := range service.Files {
			add(f.Path, "file of "+service.Name)
		}
	}
	return list
}

// Refs gives what a config looks up for a shell, as far as it can be read. After a kind it gives
// what is looked up of that, and after a ref nothing.
func Refs(ctx context.Context, o plan.Options, words []string) (list []cobra.Completion) {
	s, err := look(ctx, o)
	if err != nil {
		return nil
	}
	for _, r := range s.refs() {
		if len(words) == 0 || string(r.Kind) == words[0] && len(words) == 1 {
			list = append(list, cobra.CompletionWithDesc(r.Text(), r.Kind.Traits().Noun))
		}
	}
	return list
}

// Roles gives the identities of a config, each of which has a policy of its own, for a shell.
func Roles(o plan.Options) []string { return roles(o.ReadConfig(config.Machine)) }
