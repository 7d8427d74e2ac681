package notify

import (
	"cmp"
	"time"
)

// Within gives how long an action may take.
func Within(a Action) time.Duration {
	switch a := a.(type) {
	case Run:
		return cmp.Or(a.Timeout, answerTimeout)
	case HTTP:
		return cmp.Or(a.Timeout, answerTimeout)
	case Socket:
		return cmp.Or(a.Timeout, answerTimeout)
	case Systemd:
		return a.Within()
	}
	return signalTimeout
}
