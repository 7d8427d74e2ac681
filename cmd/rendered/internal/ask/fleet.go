package ask

import "github.com/rendered/rendered/cmd/rendered/internal/operator"

// What is asked at the table of a fleet, and of no daemon.
type (
	Fleet       = operator.Operator
	FleetWhere  = operator.Where
	OldVersions = operator.OldVersions
)

// ErrUnanswered is that the table of a fleet does not answer.
var ErrUnanswered = operator.ErrUnanswered

// FleetGroups gives the groups of a config, and FleetServices the services in them, for a shell
// that completes words.
var (
	FleetGroups   = operator.Groups
	FleetServices = operator.Services
)
