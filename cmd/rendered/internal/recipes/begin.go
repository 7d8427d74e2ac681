package recipes

import (
	"fmt"
	"maps"
	"os/user"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// toBeginWith gives the recipe's files as somebody begins with them: the config reads its values
// from a file, and the page says what to do next.
func (r recipe) toBeginWith() map[string]string {
	files := maps.Clone(r.files)
	files[configFile] = fmt.Sprintf(header, r.name) + withoutStrangers(files[configFile], isKnown)
	files[page] = r.readme()
	return files
}

// header stands before a recipe's services.
const header = `# The recipe %s of the cookbook. README.md says what to do next.

# This file answers in the place of AWS. On the server, take this line out.
values: values.yaml

`

// owner is a line that says whose a file is.
var owner = lazyregexp.New(`(?m)^( *)(owner: )([^:\s]*)(?::(\S+))?$`)

// withoutStrangers makes a comment of each owner whom this machine does not know: what is tried
// here is none of theirs.
func withoutStrangers(config string, known func(user, group string) bool) string {
	return owner.ReplaceAllStringFunc(config, func(line string) string {
		m := owner.FindStringSubmatch(line)
		if known(m[3], m[4]) {
			return line
		}
		return m[1] + "# " + strings.TrimSpace(line) + " # for the server; this machine does not know it"
	})
}

// isKnown tells whether this machine knows a user and a group; "" is known.
func isKnown(name, group string) bool {
	if name != "" {
		if _, err := user.Lookup(name); err != nil {
			return false
		}
	}
	if group != "" {
		if _, err := user.LookupGroup(group); err != nil {
			return false
		}
	}
	return true
}

// next is what to do with a recipe that was written, and goes before what its page says of it.
const next = "# %[2]s\n" + `
This directory was made by ` + "`rendered init %[1]s`" + `. The commands below are run in it.

## What to do next

1. ` + "`rendered check`" + ` finds every fault and prints what the config means. It works from ` + "`./rendered.yaml`" + `, and says so.
2. ` + "`rendered once --root out`" + ` writes the files below ` + "`out/`" + ` and tells nobody. Look at them.
3. Change something in ` + "`values.yaml`" + ` and run it again: it says what changed, and whom it would have told. With
   ` + "`rendered run --root out`" + ` it happens as soon as you save.
4. Make it yours: names, paths, ` + "`vars`" + `, templates. ` + "`rendered test`" + ` says whether that changed what comes out; ` + "`rendered test --update`" + ` writes
   the golden files anew.
5. On the server: copy ` + "`rendered.yaml`" + ` and the templates to ` + "`/etc/rendered/`" + `, and take the line ` + "`values: values.yaml`" + ` out. The
   values come from AWS then, as "In AWS" below has it. Where there is a config already, ` + "`services:`" + ` alone goes into
   ` + "`/etc/rendered/conf.d/%[1]s.yaml`" + `, and the templates beside it.
6. There, ` + "`rendered iam-policy`" + ` prints what AWS must allow, ` + "`rendered check --online`" + ` asks AWS for everything and changes nothing, and
   ` + "`rendered diff`" + ` shows what would change.
7. ` + "`systemctl enable --now rendered`" + ` keeps it true from then on.
`

// readme gives the page of a recipe that was written.
func (r recipe) readme() string {
	head, rest, _ := strings.Cut(r.files[page], "\n## ")
	_, what, _ := strings.Cut(head, "\n")
	text := fmt.Sprintf(next, r.name, r.title()) + "\n## What it is\n" + what
	for section := range strings.SplitSeq(rest, "\n## ") {
		if !strings.HasPrefix(section, "Try it\n") {
			text += "\n## " + section
		}
	}
	text, _, _ = strings.Cut(text, "\nThe test is `")
	return outward.ReplaceAllString(strings.TrimRight(text, "\n")+"\n", "$1")
}

// outward is a link to a file that is not beside the page.
var outward = lazyregexp.New(`\[([^\]]*)\]\(\.\./[^)]*\)`)
