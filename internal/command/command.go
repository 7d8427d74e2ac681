// Package command runs other programs as a daemon must: each in a process group of its own, for a
// bounded time, with its output captured up to a bound and no secrets in its environment. A run
// that was broken off leaves no process, no zombie and no descriptor behind.
package command

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Placeholder stands for a path in a command; With fills it in.
const Placeholder = "{}"

// A Command is a program with its arguments, executed as it is, or a line for /bin/sh. Exactly one
// of the two is set, except in the zero Command, which is none.
type Command struct {
	Args  []string // the program, looked up in PATH unless it holds a slash, and its arguments
	Shell string   // for /bin/sh -c
}

// IsZero reports whether c is no command at all.
func (c Command) IsZero() bool { return len(c.Args) == 0 && c.Shell == "" }

// HasPlaceholder reports whether With would fill in anything.
func (c Command) HasPlaceholder() bool {
	return strings.Contains(c.Shell, Placeholder) ||
		slices.ContainsFunc(c.Args, func(arg string) bool { return strings.Contains(arg, Placeholder) })
}

// With gives the command with each {} replaced by path: as it is within an argument, quoted for the
// shell within a line. A path that needs no quotes gets none, so that a line may have {} in quotes
// of its own.
func (c Command) With(path string) Command {
	args := slices.Clone(c.Args)
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, Placeholder, path)
	}
	return Command{Args: args, Shell: strings.ReplaceAll(c.Shell, Placeholder, quote(path))}
}

// maxText is how many bytes of a command String shows.
const maxText = 120

// String gives the command as one could type it into a shell. Where that is long or has several
// lines it is shortened and ends with a digest of the whole, so that different commands never give
// the same text.
func (c Command) String() string {
	text := c.Shell
	if text == "" {
		words := make([]string, len(c.Args))
		for i, arg := range c.Args {
			words[i] = quote(arg)
		}
		text = strings.Join(words, " ")
	}
	shown, _, cut := strings.Cut(text, "\n")
	if len(shown) > maxText {
		shown, cut = shown[:maxText], true
	}
	clean := strings.Map(printable, strings.ToValidUTF8(shown, ""))
	if !cut && clean == text {
		return text
	}
	digest := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%s… #%x", strings.TrimSpace(clean), digest[:4])
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// argv gives what is executed.
func (c Command) argv() []string {
	if c.Shell != "" {
		return []string{"/bin/sh", "-c", c.Shell}
	}
	return c.Args
}

// plain are the bytes that no shell gives a meaning to.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"

// quote writes text as one word of a shell's command line.
func quote(text string) string {
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
