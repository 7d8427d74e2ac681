package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
)

// A span is the value of a flag that takes a time of 0 or more.
type span time.Duration

// addSpan gives a verb a flag that takes a time.
func addSpan(cmd *cobra.Command, to *time.Duration, name string, otherwise time.Duration, usage string) {
	*to = otherwise
	cmd.Flags().Var((*span)(to), name, usage)
}

// Set sets it to what is written as 90s, 5m or 2h.
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("a time is written as 90s, 5m or 2h")
	}
	*s = span(d)
	return nil
}

func (s *span) String() string {
	if *s == 0 {
		return "0"
	}
	return time.Duration(*s).String()
}

// Type names what a flag takes.
func (*span) Type() string { return "time" }
