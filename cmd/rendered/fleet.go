package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/ask"
	"github.com/rendered/rendered/cmd/rendered/internal/lookups"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

// exitUnanswered is that of verbs that ask the table of a fleet where it does not answer.
const exitUnanswered = 2

func newFleet(g *settings.Settings) *cobra.Command {
	var w ask.FleetWhere
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "See, halt and let go on what a fleet changes a few hosts at a time",
		Long: `fleet asks the table at which the hosts of a fleet meet: how a change goes
through them, who works, what is halted and why. Nobody's daemon is asked: any
machine will do that may read the table, or write to it.

Which table and which groups of services there are says the config, or, without
one, --table with --name and --group. Where a config has several groups
set-max wants one of them; the others are about all of them, and resume about
that of its service.

Each of them exits with 1 where something is not as it is to be, which it says,
and with 2 where the table does not answer.`,
		Example: `  rendered fleet status
  rendered fleet status prod/web/tls
  rendered fleet freeze "database migration"
  rendered fleet status --table rendered --name prod --group web`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&w.Group, "group", "", "only this `group` of services; all of the config else")
	f.StringVar(&w.Table, "table", "", "ask this `table` of DynamoDB, and read no config")
	f.StringVar(&w.Name, "name", "", "`name` of the fleet, with --table")
	f.StringVar(&w.Region, "region", "", "`Region` of the table, with --table; else that of AWS_REGION")
	_ = cmd.RegisterFlagCompletionFunc("group", func(*cobra.Command, []string, string) (list []string, _ cobra.ShellCompDirective) {
		if o, err := g.Quiet(); err == nil {
			list = ask.FleetGroups(o)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
	cmd.AddCommand(newFleetStatus(g, &w), newFleetOld(g, &w), newFleetResume(g, &w), newFleetRelease(g, &w), newFleetMost(g, &w), newFleetFreeze(g, &w), newFleetThaw(g, &w))
	return cmd
}

// asksFleet gives what runs a verb that asks the table of a fleet.
func asksFleet(g *settings.Settings, w *ask.FleetWhere, asJSON *bool, do func(*cobra.Command, *ask.Fleet, []string) (bool, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, words []string) error {
		defer endWith(cmd.Context(), exitFailed)()
		f := &ask.Fleet{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: *asJSON, Where: *w}
		f.Config.Version = g.Version
		if w.Table == "" {
			o, err := g.Reading(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			f.Config = o
		}
		good, err := do(cmd, f, words)
		switch {
		case errors.Is(err, ask.ErrUnanswered):
			return exit{exitUnanswered}
		case err != nil:
			return err
		}
		return exitUnless(good)
	}
}

// completeRefs completes a ref by what the config looks up.
func completeRefs(g *settings.Settings) cobra.CompletionFunc {
	return func(cmd *cobra.Command, words []string, _ string) (list []string, _ cobra.ShellCompDirective) {
		if o, err := g.Quiet(); err == nil {
			list = lookups.Refs(cmd.Context(), o, words)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

func newFleetStatus(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [[KIND] REF]",
		Short: "How a change goes through the hosts of a fleet",
		Long: `status says what the hosts have and how they stand with it, equal ones in one
line; who has a slot, and until when; which change waits for the host that goes
first, is well, or is halted, by whom and why; who has frozen the fleet.

Of a REF, written as in a template, with its kind before it where that is not
clear, or as an ARN, it says which hosts have which version. Hosts say what they
have when they have made a change, and once a day.

It exits with 0 where all hosts that were seen within two days have one change
of each service and nothing is under way, halted or frozen; with 1 where not, or
where there is no host; and with 2 where the table does not answer.`,
		Example: `  rendered fleet status
  rendered fleet status prod/web/tls
  rendered fleet status --group web --json | jq '.groups[].slots'`,
		Args: cobra.MaximumNArgs(2),
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, words []string) (bool, error) {
			return f.Status(cmd.Context(), words)
		}),
		ValidArgsFunction: completeRefs(g),
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func newFleetOld(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON bool
	var asked ask.OldVersions
	cmd := &cobra.Command{
		Use:   "old-versions [KIND] REF",
		Short: "Say which hosts have not got the current version of a secret",
		Long: `old-versions says which hosts have another version of a REF than the current
one, or have it and are yet to tell somebody: those that the next rotation would
shut out. It is for what rotates a secret to ask first.

The current version is that of --current, as the VersionId that has the label
AWSCURRENT; else AWS is asked for it as the hosts ask, which takes the right to
read REF. Its value is not shown and not kept.

A host that was not seen for two days may be dead. It counts unless
--assume-dead is given; a day later it is forgotten.

It exits with 0 where every host has it, and with 1 where one has not, where no
host looks up REF at all, or where the config has a fault, so that a group is not
known; and with 2 where the table or AWS does not answer, or the table does not
say what time it is.`,
		Example: `  rendered fleet old-versions prod/web/tls
  rendered fleet old-versions prod/db --current "$version" --assume-dead
  rendered fleet old-versions secret prod/db --json | jq -r '.old[].host'`,
		Args: cobra.RangeArgs(1, 2),
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, words []string) (bool, error) {
			asked.Words = words
			return f.OldVersions(cmd.Context(), asked)
		}),
		ValidArgsFunction: completeRefs(g),
	}
	cmd.Flags().StringVar(&asked.Current, "current", "", "the current `version`; AWS is asked for it else")
	cmd.Flags().BoolVar(&asked.AssumeDead, "assume-dead", false, "leave out hosts that were not seen for two days")
	addJSON(cmd, &asJSON)
	return cmd
}

func newFleetResume(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON, skips bool
	cmd := &cobra.Command{
		Use:   "resume SERVICE",
		Short: "Have a change tried again that is halted",
		Long: `resume has the change of a service tried again that was halted because a host was
not well with it: by one host first, and then by those, too, on which it failed.
With --skip-canary no host goes first: it is said to be well.

It exits with 1 where no change of the service is halted, and with 2 where the
table does not answer.`,
		Example: `  rendered fleet resume web
  rendered fleet resume web --skip-canary`,
		Args: cobra.ExactArgs(1),
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, words []string) (bool, error) {
			return f.Resume(cmd.Context(), words[0], skips)
		}),
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) (list []string, _ cobra.ShellCompDirective) {
			if o, err := g.Quiet(); err == nil && len(words) == 0 {
				list = ask.FleetServices(o)
			}
			return list, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&skips, "skip-canary", false, "no host goes first")
	addJSON(cmd, &asJSON)
	return cmd
}

func newFleetRelease(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "release HOST",
		Short: "Take a slot from a host for others",
		Long: `release frees the slot of a host that is dead, or not well, before its time: that
of a dead host is free by itself within its lease, and that of one that is not
well is kept for it for a day. A host that works goes on, beside whoever gets
its slot.

It exits with 1 where the host has no slot, and with 2 where the table does not
answer.`,
		Example: `  rendered fleet release web-7`,
		Args:    cobra.ExactArgs(1),
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, words []string) (bool, error) {
			return f.Release(cmd.Context(), words[0])
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// mostHosts is the most that the config takes, too.
const mostHosts = 999999

func newFleetMost(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "set-max N",
		Short: "Have so many hosts work at once, whatever the config says",
		Long: `set-max has so many hosts of a group work at once, whatever max_unavailable says
in the config, until it is set anew; 0: as the config says. Where it is lowered
who works goes on, and nobody begins before there is room.

It exits with 2 where the table does not answer.`,
		Example: `  rendered fleet set-max 5
  rendered fleet set-max 0 --group web`,
		Args: cobra.ExactArgs(1),
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, words []string) (bool, error) {
			n, err := strconv.Atoi(words[0])
			if err != nil || n < 0 || n > mostHosts {
				return false, fmt.Errorf("set-max %q: want a number of hosts, %d at most; 0 is that of the config", words[0], mostHosts)
			}
			return f.SetMost(cmd.Context(), n)
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func newFleetFreeze(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "freeze [REASON]",
		Short: "Have no host begin a change",
		Long: `freeze has no host begin a change from five seconds later on, not even one that
has waited for too long, until thaw. Who works goes on. The reason, and who asks,
stand in the table: they are no place for secrets.

It exits with 0 where it is frozen, also by somebody before, and with 2 where the
table does not answer.`,
		Example: `  rendered fleet freeze
  rendered fleet freeze "database migration, ticket 4711"`,
		Args: cobra.MaximumNArgs(1),
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, words []string) (bool, error) {
			return f.Freeze(cmd.Context(), strings.Join(words, " "))
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func newFleetThaw(g *settings.Settings, w *ask.FleetWhere) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "thaw",
		Short: "Have hosts begin changes again",
		Long: `thaw ends what freeze began. Hosts see it within five minutes. What is halted stays
halted.

It exits with 1 where somebody freezes it anew meanwhile, and with 2 where the
table does not answer.`,
		Example: `  rendered fleet thaw`,
		Args:    cobra.NoArgs,
		RunE: asksFleet(g, w, &asJSON, func(cmd *cobra.Command, f *ask.Fleet, _ []string) (bool, error) {
			return f.Thaw(cmd.Context())
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	addJSON(cmd, &asJSON)
	return cmd
}
