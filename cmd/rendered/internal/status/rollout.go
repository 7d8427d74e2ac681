package status

import "github.com/rendered/rendered/watch/ledger"

// says how far a change has come, a line each; the first says it. There is nothing to say of none.
func (r *Rollout) says() (list []string) {
	if r == nil {
		return nil
	}
	switch at := Moment(r.Since); r.Stage {
	case ledger.Unproven:
		list = append(list, "the change of "+at+" is to be seen to be well")
	case ledger.Retold:
		list = append(list, "not well: "+r.Failure+"; its dependents are told once more")
	case ledger.Reverting:
		list = append(list, "not well: "+r.Failure+"; the old files are put back")
	case ledger.Reverted:
		list = append(list, "the change of "+at+" was rolled back: "+r.Failure, "the old files are to be seen to be well")
	case ledger.Rejected:
		list = append(list, "the change of "+at+" was rolled back: "+r.Failure, "it is tried again when it changes, or by  rendered refresh")
	case ledger.Unwell:
		list = append(list, "not well since "+at+": "+r.Failure, "the new files stay: "+r.Stays)
	}
	if r.Stage != ledger.Unproven {
		list = append(list, r.Hints...)
	}
	switch {
	case r.After != "":
		list = append(list, r.After)
	case r.Drained:
		list = append(list, "after: is yet to be done")
	}
	return list
}
