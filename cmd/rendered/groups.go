package main

import "github.com/spf13/cobra"

// A purpose is when a person needs a verb. Help lists verbs by it.
type purpose struct{ id, title string }

var (
	firstHour = purpose{"first", "First hour:"}
	everyDay  = purpose{"daily", "Every day:"}
	trouble   = purpose{"trouble", "When something is wrong:"}
)

// addVerbs adds the verbs of one purpose. Purposes are listed in the order in which they are added.
func (p purpose) addVerbs(root *cobra.Command, verbs ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: p.id, Title: p.title})
	for _, v := range verbs {
		v.GroupID = p.id
	}
	root.AddCommand(verbs...)
}
