package lint

import (
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// shellNames are the variables that bash, or sh as dash is, refuses to set or gives another value
// (bash(1), "Shell Variables").
var shellNames = []string{
	"BASHOPTS", "BASHPID", "BASH_ARGC", "BASH_ARGV", "BASH_COMMAND", "BASH_LINENO", "BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS",
	"EUID", "FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "OPTIND", "PPID", "RANDOM", "SECONDS", "SHELLOPTS", "SRANDOM", "UID", "_",
}

// assigned finds a line that sets one of them.
var assigned = lazyregexp.New(`(?m)^[ \t]*(?:export[ \t]+)?(?:` + strings.Join(shellNames, "|") + `)=`)

// reserved finds variables of an env file that a shell which reads it does not set.
func (l *linter) reserved(s Service) {
	for i, t := range s.Templates {
		spots := t.Keys([]string{"dotenv", "dotenvAsIs"}, func(function, key string) bool {
			if function == "dotenv" {
				key = strings.ToUpper(key)
			}
			return slices.Contains(shellNames, key)
		})
		if formatOf(&s.Files[i]) == "dotenv" {
			spots = append(spots, t.Literal(assigned)...)
		}
		for _, at := range spots {
			l.note(s, config.ReservedName, at.Fault("bash and sh give this variable a value of their own, or refuse to set it",
				"another name; programs that read the file themselves, as systemd does, take it"))
		}
	}
}
