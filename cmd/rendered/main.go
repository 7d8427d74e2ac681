// The command rendered keeps the config files of a machine true to the secrets and parameters they
// are made of.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	_ "time/tzdata" // CRON_TZ works on machines that have no zones of their own

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/daemon"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
	"github.com/rendered/rendered/internal/fault"
)

// Exit codes. Those of check and once are documented with them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	// exitNoDaemon is that of verbs that ask the daemon where none answers.
	exitNoDaemon = 2
	// exitTempFail is EX_TEMPFAIL: run was started with a config that it cannot use now, and may be
	// able to use later.
	exitTempFail = 75
	exitPanic    = 70 // EX_SOFTWARE of sysexits(3): a mistake in rendered itself
	exitConfig   = 78 // EX_CONFIG: run was started with a config it cannot use
)

// colorFlag is that of the colors of a terminal.
const colorFlag = "color"

// Linux hands a signal to the main thread where that one does not block it (kernel/signal.c,
// complete_signal). While it waits for a file system that does not answer, nobody would hear of
// SIGTERM. So it does nothing but wait for the work to end.
func init() { runtime.LockOSThread() }

func main() {
	daemon.Helper() // this process may be one
	code := make(chan int)
	go func() { code <- run(os.Args[1:], os.Stdout, os.Stderr) }()
	os.Exit(<-code)
}

// run is main with its surroundings as parameters.
func run(args []string, stdout, stderr io.Writer) int {
	hideMemory() // it holds secrets
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A log that nobody reads any more must not end the daemon. It is caught, not ignored: commands
	// would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	root := newRoot()
	colors := root.PersistentFlags().Lookup(colorFlag).Value.(*console.Colors)
	var lost atomic.Pointer[error] // of standard output
	stdout = console.New(stdout, colors, func(err error) { lost.Store(&err) })
	stderr = console.New(stderr, colors, nil)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	var err error
	if mistake := fault.Caught(func() { err = root.ExecuteContext(ctx) }); mistake != nil {
		err = panicked(mistake, stderr)
	}
	failed := lost.Load()
	if failed != nil && errors.Is(err, *failed) {
		err = nil // a verb that was printing ended with it
	}
	code := exitOf(err, stderr)
	// Who reads no more knows what he does not have.
	if failed != nil && !errors.Is(*failed, syscall.EPIPE) {
		code = cmp.Or(code, exitOf(fault.List{{What: "what is printed is not whole: " + (*failed).Error()}}, stderr))
	}
	return code
}

// exitOf gives the exit code of a command, and reports what it has not reported yet.
func exitOf(err error, stderr io.Writer) int {
	switch e := err.(type) {
	case nil:
		return exitOK
	case exit:
		return e.code
	case fault.List:
		console.Faults(console.ForJournal(stderr), e)
		return exitFailed
	}
	console.Say(stderr, fmt.Sprintf("error: %v\nRun 'rendered --help' for usage.", err))
	return exitUsage
}

// An exit is an error that was reported already.
type exit struct{ code int }

func (e exit) Error() string { return fmt.Sprintf("exit %d", e.code) }

// exitUnless gives the exit of a verb that has reported whether all is good.
func exitUnless(good bool) error {
	if good {
		return nil
	}
	return exit{exitFailed}
}

// lastAfter is how long the process may take to end by itself.
const lastAfter = 2 * time.Second

// endWith ends the process with a code some time after ctx has ended, where it has not ended by
// itself: what waits for a file system that hangs cannot be called back. stop takes that back.
func endWith(ctx context.Context, code int) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		<-time.After(lastAfter)
		os.Exit(code)
	})
}

// panicked says what a panic was, and gives the exit that it leads to.
func panicked(mistake *fault.Fault, stderr io.Writer) error {
	console.Faults(stderr, fault.List{mistake})
	return exit{exitPanic}
}

// newRoot makes the command tree. What a verb returns is an exit, a fault.List that is yet to be
// reported, or a mistake in its usage.
func newRoot() *cobra.Command {
	g := &settings.Settings{Version: version}
	colors := console.Auto
	root := &cobra.Command{
		Use:   "rendered",
		Short: "Keep config files true to AWS Secrets Manager and Parameter Store",
		Long: `rendered renders Go templates whose lookups come from AWS Secrets Manager and SSM Parameter Store, swaps the new
files in whole, and tells the processes that read them: on a schedule, and when a file it watches changes.

A config to begin with:

  services:
    app:
      files:
        - content: |
            DB_PASSWORD={{ secret "prod/db" "password" | envQuote }}
          path: /etc/app/app.env
      notify:
        - restart: app.service`,
		Example: `  rendered init nginx-tls demo     a recipe to begin with, in the directory demo
  rendered check                   is the config good? offline, every fault with its place
  rendered once --root /tmp/try    write the files below /tmp/try and tell nobody
  rendered run                     the daemon`,
		Args:          knownVerb,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       versionLine(),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		PersistentPreRunE: onLinux,
	}
	root.SetHelpFunc(help)
	root.SetVersionTemplate("{{.Version}}\n")
	g.AddFlags(root.PersistentFlags())
	root.PersistentFlags().Var(&colors, colorFlag, "`WHEN` to use colors: auto, always or never (NO_COLOR)")
	_ = root.RegisterFlagCompletionFunc(colorFlag, cobra.FixedCompletions(console.Choices, cobra.ShellCompDirectiveNoFileComp))
	firstHour.addVerbs(root, newCheck(g), newFunctions(), newInit(), newLookups(g), newMigrate(), newOnce(g), newPolicy(g), newRender(g), newRun(g), newSchema(), newTest(g))
	everyDay.addVerbs(root, newDiff(g), newFleet(g), newPause(), newRefresh(), newReload(), newResume(), newStatus(), newUses(g), newWait())
	trouble.addVerbs(root, newHistory())
	root.AddCommand(newManual(), newVersion())
	return root
}

// knownVerb refuses what is no verb, and names the one that was most likely meant.
func knownVerb(root *cobra.Command, args []string) error {
	err := cobra.NoArgs(root, args)
	if err == nil {
		return nil
	}
	var verbs []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	if near := fault.Near(args[0], verbs); near != "" {
		return fmt.Errorf("%w; did you mean %q?", err, near)
	}
	return err
}
