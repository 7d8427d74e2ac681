package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/probe"
)

// A checked program reads its new files at a reload, and can be asked beforehand whether it would.
var checked = []struct{ program, check string }{
	{"nginx", "nginx -t"},
	{"haproxy", "haproxy -c -f /etc/haproxy/haproxy.cfg"},
}

// unchecked finds reloads of programs that nobody asked whether they like the new files.
func (l *linter) unchecked(s Service) {
	if !s.Check.IsZero() || slices.ContainsFunc(s.Files, func(f config.File) bool { return !f.Check.IsZero() }) {
		return
	}
	for i, action := range s.Notify {
		for _, c := range checked {
			if !reloads(action, c.program) {
				continue
			}
			l.note(s, config.Unchecked, l.config.Warning(s.NoticesAt[i],
				fmt.Sprintf("%s: nothing asks %s whether it can work with the new files, before they are in place", action.Name(), c.program), "check: "+c.check+"   of the service, beside files:"))
		}
	}
}

// reloads reports that an action has a program read its files again.
func reloads(action notify.Action, program string) bool {
	unit := lazyregexp.New(`^` + program + `(@.*)?\.service$`)
	switch a := action.(type) {
	case notify.Systemd:
		return a.Verb != notify.Start && unit.MatchString(a.Unit)
	case notify.Signal:
		return unit.MatchString(a.Unit)
	case notify.Run:
		line := lazyregexp.New(`\b(?:systemctl|service|rc-service|init\.d)\b.*\b` + program + `\b|\b` + program + `\s+-s\s+reload`)
		return line.MatchString(text(a.Command)) && !strings.HasPrefix(text(a.Command), "echo ")
	}
	return false
}

// text gives a command as one line.
func text(c command.Command) string {
	if c.Shell != "" {
		return c.Shell
	}
	return strings.Join(c.Args, " ")
}

var byHand = lazyregexp.New(`(?:^|[;&|(\s/])(chown|chgrp|chmod|setfacl|mv)\s`)

// changedByHand finds notices that do to files what a swap does.
func (l *linter) changedByHand(s Service) {
	for i, action := range s.Notify {
		run, ok := action.(notify.Run)
		if !ok {
			continue
		}
		m := byHand.FindStringSubmatch(text(run.Command) + " ")
		if m == nil {
			continue
		}
		what, hint := m[1]+" comes after the file is in place: until then, and where it fails, the file has another owner or mode",
			"owner: and mode: of the file hold from its first moment"
		if m[1] == "mv" {
			what, hint = "mv moves a file that is not looked after any more", "path: is where the file belongs; it is put there whole, in one step"
		}
		l.note(s, config.ChangedByHand, l.config.Warning(s.NoticesAt[i], what, hint))
	}
}

// Arguments that hold a secret: an option of that name, a password in a URL, what curl and mysql
// take, a file that is read into an argument.
var secretArguments = []*lazyregexp.Regexp{
	lazyregexp.New(`(?i)(?:^|\s)--?[\w-]*(?:password|passwd|passphrase|secret|token|api-?key|auth-?key)(?:=|\s+)["']?[^\s"'-][^\s"']*`),
	lazyregexp.New(`\w+://[^\s/:@"']+:[^\s/@"']+@`),
	lazyregexp.New(`(?i)authorization:\s*\w+`),
	lazyregexp.New(`\bcurl\b.*\s(?:-u|--user)\s*\S+:\S+`),
	lazyregexp.New(`\b(?:mysql|mysqladmin|mariadb|mysqldump)\b.*\s-p[^\s-]\S*`),
	lazyregexp.New(`\b(?:redis-cli|valkey-cli)\b.*\s-a\s+\S+`),
	lazyregexp.New(`\bsshpass\b.*\s-p`),
}

// secretParameter is a parameter of a URL that holds a secret.
var secretParameter = lazyregexp.New(`(?i)[?&][\w.-]*(?:password|passwd|secret|token|api-?_?key|auth-?_?key|signature)=[^&]`)

const addressHint = "it is in the log and in the status; have a command of run: read it from a file"

// fileOption is an option that names a file, not a secret.
var fileOption = lazyregexp.New(`(?i)(?:file|path|dir)\b`)

const argumentHint = "every user sees it in ps; have the program read it from the file: an EnvironmentFile, an option that names a file, its standard input"

// secretArgument finds secrets on the command lines of checks and notices, of what looks whether
// dependents are well, and of units that a template makes.
func (l *linter) secretArgument(s Service) {
	judge := func(at fault.Place, c command.Command) {
		if !c.IsZero() && argues(text(c), s.Files) {
			l.note(s, config.SecretArgument, &fault.Fault{Place: at, What: "this has a secret on a command line", Hints: []string{argumentHint}}) // its line stays unsaid
		}
	}
	address := func(at fault.Place, url string) {
		if secretParameter.MatchString(url) {
			l.note(s, config.SecretArgument, &fault.Fault{Place: at, What: "this has a secret in an address", Hints: []string{addressHint}})
		}
	}
	for i, action := range s.Notify {
		switch a := action.(type) {
		case notify.Run:
			judge(s.NoticesAt[i], a.Command)
		case notify.HTTP:
			address(s.NoticesAt[i], a.URL)
		}
	}
	for i, p := range s.Healthy {
		switch p := p.(type) {
		case probe.Run:
			judge(s.HealthyAt[i], p.Command)
		case probe.HTTP:
			address(s.HealthyAt[i], p.URL)
		}
	}
	for i, p := range s.Healthy {
		if run, ok := p.(probe.Run); ok {
			judge(s.HealthyAt[i], run.Command)
		}
	}
	for _, c := range s.Around() {
		judge(s.Place, c)
	}
	judge(s.CheckAt, s.Check.Command)
	for i := range s.Files {
		judge(s.Files[i].Place, s.Files[i].Check.Command)
		for _, lookup := range s.Templates[i].Lookups() {
			if lookup.Ref.Kind == sources.Secret && !lookup.Asks && lookup.LineBegins("Exec") {
				l.note(s, config.SecretArgument, lookup.Fault(lookup.Ref.String()+" stands on the command line of a unit", argumentHint))
			}
		}
	}
}

// argues reports that a command line has a secret on it, or puts a file there that may be one.
func argues(line string, files []config.File) bool {
	for _, pattern := range secretArguments {
		for _, m := range pattern.FindAllString(line, -1) {
			if option, _, _ := strings.Cut(strings.TrimSpace(m), "="); !fileOption.MatchString(option) {
				return true
			}
		}
	}
	return slices.ContainsFunc(files, func(f config.File) bool {
		read := lazyregexp.New("(?:\\$\\(\\s*(?:cat\\s+|<\\s*)|`\\s*cat\\s+)[\"']?" + regexp.QuoteMeta(f.Path) + "\\b")
		return read.MatchString(line)
	})
}
