package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
)

// onceFlags are the flags of once.
type onceFlags struct {
	root   string
	silent bool
}

func newOnce(g *globals) *cobra.Command {
	var f onceFlags
	cmd := &cobra.Command{
		Use:   "once [SERVICE...]",
		Short: "One pass over all services, or those named, then stop",
		Long: `once looks up, renders, swaps and tells, one time, and prints a line for each file that it wrote and each dependent
that it told. It exits with 1 where a file could not be brought up to date or a dependent could not be told.

Where root works with /etc/rendered/rendered.yaml, what the unit's environment file, /etc/rendered/rendered.env, sets counts, too; what the
shell has set wins.`,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := g.asTheUnit(cmd.Flags(), cmd.ErrOrStderr()); err != nil {
				printFaults(cmd.ErrOrStderr(), err)
				return exit{exitFailed}
			}
			return once(cmd.Context(), g, f, names, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		ValidArgsFunction: func(_ *cobra.Command, names []string, _ string) ([]string, cobra.ShellCompDirective) {
			return others(g, names), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&f.root, "root", "", "write below this `directory` and tell nobody")
	cmd.Flags().BoolVar(&f.silent, "no-notify", false, "tell nobody now; what is owed is told by the next pass")
	return cmd
}

// others gives the services that are not named yet, as far as the config can be read: a shell completes by them.
func others(g *globals, names []string) (list []string) {
	o, err := g.options("")
	if err != nil {
		return nil
	}
	cfg, _ := config.Load(g.config, o)
	for _, s := range cfg.Services {
		if !slices.Contains(names, s.Name) {
			list = append(list, s.Name)
		}
	}
	return list
}

func once(ctx context.Context, g *globals, f onceFlags, names []string, stdout, stderr io.Writer) error {
	defer endWith(ctx, exitFailed)()
	o, err := g.options(f.root)
	if err != nil {
		return err
	}
	c := newCompiler(g.config, o)
	cfg, plan, err := c.load(ctx)
	if err != nil {
		printFaults(stderr, err)
		return exit{exitFailed}
	}
	c.logTo(newLog(stderr, cfg.Log.Format, cfg.Log.Level))
	if len(cfg.Services) == 0 && len(names) == 0 {
		fmt.Fprintf(stderr, "%s\n  %s\n", noServices, firstService(cfg))
		return nil
	}
	services, err := chosen(rehearsed(plan, f.root).Services, names)
	if err != nil {
		return err
	}
	state, err := watch.OpenStateDir(ctx, files, cfg.StateDir)
	if err != nil {
		printFaults(stderr, err)
		return exit{exitFailed}
	}
	defer state.Close()
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	progress := progressOn(stderr)
	outcomes := watch.Once(ctx, plan, services, state, chance, f.silent, progress)
	if progress != nil {
		fmt.Fprint(printable.Unwrap(stderr), clearLine)
	}
	p := printer{out: stdout, remarks: stderr, rehearsal: f.root != ""}
	for _, o := range outcomes {
		p.outcome(o)
	}
	p.summary()
	if slices.ContainsFunc(outcomes, watch.Outcome.Failed) {
		return exit{exitFailed}
	}
	return nil
}

// progressOn shows on a terminal how far the lookups of a long pass are, on one line that is gone in the end. Nobody else is shown any.
func progressOn(w io.Writer) watch.Progress {
	if !isTerminal(w) {
		return nil
	}
	begun, w := time.Now(), printable.Unwrap(w)
	return func(answered, asked int) {
		fmt.Fprintf(w, "%s%d of %d lookups, %.0f a second", clearLine, answered, asked, float64(answered)/time.Since(begun).Seconds())
	}
}

// clearLine goes to the head of a terminal's line and clears it.
const clearLine = "\r\x1b[K"

// chosen gives the services of these names, all where there are none.
func chosen(services []*watch.Service, names []string) ([]*watch.Service, error) {
	if len(names) == 0 {
		return services, nil
	}
	var list []*watch.Service
	var known []string
	for _, s := range services {
		known = append(known, s.Name)
		if slices.Contains(names, s.Name) {
			list = append(list, s)
		}
	}
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		if near := fault.Near(name, known); near != "" {
			return nil, fmt.Errorf("there is no service %q; did you mean %q?", name, near)
		}
		if len(known) == 0 {
			return nil, fmt.Errorf("there is no service %q; %s", name, noServices)
		}
		return nil, fmt.Errorf("there is no service %q, but %s", name, strings.Join(known, ", "))
	}
	return list, nil
}

// A printer says on a terminal what passes did: results to out, remarks to remarks.
type printer struct {
	out, remarks io.Writer
	rehearsal    bool // nobody was told

	same, files, troubled int
}

func (p *printer) outcome(o watch.Outcome) {
	for _, f := range o.Files {
		p.files++
		if f.State == swap.Same {
			p.same++
			continue
		}
		fmt.Fprintf(p.out, "%-9s %s\n", f.State, f.Path)
	}
	for _, n := range o.Notices {
		p.notice(o.Service, n)
	}
	for _, e := range o.FileErrors() {
		p.troubled++
		if e.Fault.Place == (fault.Place{}) {
			fmt.Fprintf(p.remarks, "error: %s: %s", o.Service, e.Fault.Text())
		} else {
			fmt.Fprintf(p.remarks, "error: %s", e.Fault.Text())
		}
		if e.Path != "" {
			fmt.Fprintf(p.remarks, "  %s stays as it was\n", e.Path)
		}
	}
}

func (p *printer) notice(service string, n watch.NoticeOutcome) {
	switch {
	case n.Err != nil:
		p.troubled++
		fmt.Fprintf(p.remarks, "error: %s: %s: %v; still owed\n", service, n.Dependent, n.Err)
		for _, h := range notify.Hints(n.Err) {
			fmt.Fprintf(p.remarks, "  %s\n", h)
		}
	case n.Held:
		fmt.Fprintf(p.out, "%-9s %s\n", "owed", n.Dependent)
	case p.rehearsal:
		fmt.Fprintf(p.out, "%-9s %s\n", "would", n.Dependent)
	default:
		fmt.Fprintf(p.out, "%-9s %s (%v)\n", "told", n.Dependent, n.Took.Round(time.Millisecond))
	}
	for line := range strings.Lines(n.Output) {
		fmt.Fprintf(p.remarks, "  | %s\n", strings.TrimRight(line, "\n"))
	}
}

func (p *printer) summary() {
	if p.troubled == 0 && p.same == p.files {
		fmt.Fprintf(p.out, "nothing changed: %s as %s should be\n", count(p.files, "file"), map[bool]string{true: "it", false: "they"}[p.files == 1])
	}
}

// count gives "1 file", "2 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
