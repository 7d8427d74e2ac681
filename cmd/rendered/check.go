package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/lint"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
)

func newCheck(g *globals) *cobra.Command {
	var online bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find every fault of the config and its templates",
		Long: `check reads the config and its templates and prints every fault with its place, or a table of what the config
means. It asks nobody, unless --online is given: then it also renders every file in memory, which finds lookups that fail and
certificates that verify: refuses, says which account and identity it asked as, whether the queue of change notices is there, whether
this machine lets the checks of services see new files, and whether systemd knows the units that are told. It never writes
a file, so that no check of a file or a service runs, takes no notice out of the queue, and tells nobody.

As root it also looks at the paths on this machine: a destination, a pid file or a local file that other users can change, or have led
elsewhere, is a fault where the daemon refuses it, and a warning where they can do no more than they may be meant to.

Where root checks /etc/rendered/rendered.yaml, what the unit's environment file, /etc/rendered/rendered.env, sets counts, too; what the
shell has set wins.

It warns of what works and would be regretted, which "allow: [RULE]" of a service silences. The rules:
` + ruleList() + `

It exits with 1 where there are faults, and with 0 where there are only warnings.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := g.asTheUnit(cmd.Flags(), cmd.ErrOrStderr()); err != nil {
				printFaults(cmd.ErrOrStderr(), err)
				return exit{exitFailed}
			}
			return check(cmd.Context(), g, online, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&online, "online", false, "also resolve every lookup")
	return cmd
}

func check(ctx context.Context, g *globals, online bool, stdout, stderr io.Writer) error {
	defer endWith(ctx, exitFailed)()
	o, err := g.options("")
	if err != nil {
		return err
	}
	c := newCompiler(g.config, o)
	c.offline = !online
	cfg, plan, err := c.load(ctx)
	if err != nil {
		printFaults(stderr, err)
		if list, ok := err.(fault.List); ok {
			fmt.Fprintf(stderr, "%s\n", count(len(list), "fault"))
		}
		return exit{exitFailed}
	}
	if len(cfg.Services) == 0 {
		fmt.Fprintf(stdout, "%s\n  %s\nok\n", noServices, firstService(cfg))
		return nil
	}
	table(stdout, plan, time.Now())
	costs(stdout, cfg, plan)
	if c.source.held != nil {
		identify(ctx, c.source.held, slices.Sorted(maps.Keys(cfg.AWS.Accounts)), stdout, stderr)
	}
	if queue := c.queue(cfg); queue != nil {
		listen(ctx, queue, stdout, stderr)
	}
	for _, w := range lint.Warnings(cfg, lintedServices(cfg, plan)) {
		fmt.Fprintf(stderr, "warning: %s", w.Text())
	}
	exposed := expose(cfg, plan)
	good := exposed.print(stderr)
	if online {
		good = works(ctx, plan, stderr) && good
		good = reaches(ctx, plan, stderr) && good
	}
	if !good {
		return exit{exitFailed}
	}
	fmt.Fprintln(stdout, "ok")
	return nil
}

// lintedServices puts together what the config says of each service and what came of it.
func lintedServices(cfg *config.Config, plan *watch.Plan) []lint.Service {
	list := make([]lint.Service, len(cfg.Services))
	for i := range cfg.Services {
		list[i].Service = &cfg.Services[i]
		for _, f := range plan.Services[i].Files {
			list[i].Templates = append(list[i].Templates, f.Template)
		}
	}
	return list
}

// ruleList gives the rules of warnings for the help.
func ruleList() string {
	var b strings.Builder
	for _, rule := range config.Rules {
		fmt.Fprintf(&b, "\n  %-16s %s", rule.Name, rule.What)
	}
	return b.String()
}

// table prints a line for each service: when, how many files, what it looks up, whom it tells; below it the next times of a schedule
// that goes by the clock.
func table(w io.Writer, plan *watch.Plan, now time.Time) {
	var aligned strings.Builder
	t := tabwriter.NewWriter(&aligned, 0, 0, 3, ' ', 0)
	for i, s := range plan.Services {
		names := make([]string, len(s.Dependents))
		for i, d := range s.Dependents {
			names[i] = d.Name()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Name, when(s, i == 0), count(len(s.Files), "file"), tallyOf(s), strings.Join(names, ", "))
		if _, every := s.Schedule.Every(); !every {
			fmt.Fprintf(t, "\tnext %s\t\t\t\n", strings.Join(nextTimes(s, now), ", "))
		}
	}
	t.Flush()
	for line := range strings.Lines(aligned.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// nextTimes gives the next three times of a service's schedule as its zone's clock shows them.
func nextTimes(s *watch.Service, now time.Time) []string {
	var list []string
	after := now
	for range 3 {
		after = s.Next(after)
		layout := time.TimeOnly
		if after.Sub(now) >= 24*time.Hour {
			layout = time.DateTime
		}
		list = append(list, after.In(s.Schedule.Location()).Format(layout))
	}
	return list
}

// when gives a service's schedule with its zone and this host's part of the splay.
func when(s *watch.Service, first bool) string {
	text := s.Schedule.String()
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		if zoned, ok := strings.CutPrefix(text, prefix); ok {
			zone, fields, _ := strings.Cut(zoned, " ")
			text = strings.TrimSpace(fields) + "  " + zone
		}
	}
	if s.Splay > 0 {
		text += fmt.Sprintf(" (+%v%s)", s.Splay.Round(100*time.Millisecond), map[bool]string{true: " on this host"}[first])
	}
	return text
}

// works reports whether all that a pass needs is there: answers to lookups, and a machine on which checks can see new files.
func works(ctx context.Context, plan *watch.Plan, stderr io.Writer) bool {
	good := resolves(ctx, plan, stderr)
	if failed := foresee(ctx, plan); failed != nil {
		fmt.Fprintf(stderr, "error: %s", failed.Text())
		return false
	}
	return good
}

// foresee says why the checks of services cannot see new files, where there are such checks and they cannot.
func foresee(ctx context.Context, plan *watch.Plan) *fault.Fault {
	if !slices.ContainsFunc(plan.Services, func(s *watch.Service) bool { return !s.Check.IsZero() }) {
		return nil
	}
	return render.Foresee(ctx)
}

// resolves renders every file in memory and reports whether all of them can be written.
func resolves(ctx context.Context, plan *watch.Plan, stderr io.Writer) bool {
	var refs []sources.Ref
	for _, s := range plan.Services {
		refs = append(refs, s.Refs()...)
	}
	snapshot := sources.NewSnapshot(plan.Source, plan.Within)
	snapshot.Want(ctx, refs)
	good := true
	for _, s := range plan.Services {
		for _, failed := range rendersTo(ctx, s, snapshot) {
			good = false
			fmt.Fprintf(stderr, "error: %s", failed.Text())
		}
	}
	return good
}

// rendersTo gives what is wrong with the files of a service, one by one, or else with what must hold of them together.
func rendersTo(ctx context.Context, s *watch.Service, snapshot *sources.Snapshot) fault.List {
	var faults fault.List
	content := make(map[string][]byte)
	for _, f := range s.Files {
		rendering, _, failed := f.Render(ctx, snapshot)
		if failed == nil {
			content[f.Path] = rendering.Content
			failed = rendering.Judge()
		}
		if failed != nil {
			faults = append(faults, failed)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	for _, rule := range s.Verify {
		faults = append(faults, rule.Check(func(path string) []byte { return content[path] }, time.Now())...)
	}
	return faults
}

// identify says who asks whom. STS may be out of reach where Secrets Manager and Parameter Store are not: a VPC has an endpoint for each.
func identify(ctx context.Context, source *aws.Source, accounts []string, stdout, stderr io.Writer) {
	say := func(prefix, region, account, arn string, err error) {
		if err != nil {
			fmt.Fprintf(stdout, "%sasking AWS in %s\n", prefix, region)
			fmt.Fprintf(stderr, "warning: %sSTS does not say who is asking: %v\n", prefix, err)
			return
		}
		fmt.Fprintf(stdout, "%sasking AWS in %s, account %s, as %s\n", prefix, region, account, arn)
	}
	account, arn, err := source.Identity(ctx)
	say("", source.Region(), account, arn, err)
	for _, name := range accounts {
		region, account, arn, err := source.IdentityIn(ctx, name)
		say(name+":: ", region, account, arn, err)
	}
}

// listen says whether change notices can come. Without them the schedule still holds, so that trouble is no more than a warning.
func listen(ctx context.Context, queue *aws.Queue, stdout, stderr io.Writer) {
	waiting, err := queue.Waiting(ctx)
	if err == nil {
		fmt.Fprintf(stdout, "change notices come through queue %s in %s, about %d waiting\n", queue, queue.Region(), waiting)
		return
	}
	fmt.Fprintf(stderr, "warning: %v\n", err)
	if e, ok := errors.AsType[*sources.Error](err); ok {
		for _, hint := range e.Hints {
			fmt.Fprintf(stderr, "  %s\n", hint)
		}
	}
}
