package main

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// What the build of a package sets: -ldflags "-X main.version=1.2.3 -X main.commit=… -X
// main.date=…". Other builds leave it to what the go command records.
var version, commit, date string

func init() {
	b := build{version: version, commit: commit, date: date}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.complete(info)
	}
	version, commit, date = cmp.Or(b.version, "dev"), b.commit, b.date
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and its date",
		Args:  noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
}

// versionLine says in one line which rendered this is.
func versionLine() string {
	from := strings.Join(strings.Fields(commit+" "+date), ", ")
	if from != "" {
		from = " (" + from + ")"
	}
	return fmt.Sprintf("rendered %s%s %s %s/%s", version, from, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// A build says what a binary was made from. What is not known is "".
type build struct{ version, commit, date string }

// pseudo is a module version that the go command made of a commit, with its time and the head of
// its name (go.dev/ref/mod#pseudo-versions).
const pseudo = `[-.](\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-([0-9a-f]{12})(\+|$)`

const commitLength = 12

// ofPseudo adds what a pseudo version says. One without a hyphen is none: most processes compile no
// pattern.
func (b *build) ofPseudo(module string) {
	if !strings.Contains(module, "-") {
		return
	}
	if m := regexp.MustCompile(pseudo).FindStringSubmatch(module); m != nil {
		b.commit = cmp.Or(b.commit, m[7])
		b.date = cmp.Or(b.date, fmt.Sprintf("%s-%s-%sT%s:%s:%sZ", m[1], m[2], m[3], m[4], m[5], m[6]))
	}
}

// complete adds what the go command recorded: the module's version, with go install, and the
// commit, in a clone.
func (b *build) complete(info *debug.BuildInfo) {
	module := info.Main.Version
	if module == "(devel)" {
		module = ""
	}
	b.version = cmp.Or(b.version, strings.TrimPrefix(module, "v"))
	found := make(map[string]string)
	for _, s := range info.Settings {
		found[s.Key] = s.Value
	}
	b.ofPseudo(module)
	revision := found["vcs.revision"]
	b.commit = cmp.Or(b.commit, revision[:min(commitLength, len(revision))])
	b.date = cmp.Or(b.date, found["vcs.time"])
}
