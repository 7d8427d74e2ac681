package status

import (
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
)

// Who paused a service, until when and why, stands in each screen.
func TestPrintPauses(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	p := ledger.Pause{Service: "app", Since: at(0), Until: at(2 * time.Hour), Why: "ticket 4711", Who: "root"}
	gone := ledger.Pause{Service: "gone", Since: at(0), Why: "ticket 12"}
	st := Of(watch.Status{
		Since:   at(0),
		Report:  watch.Report{Services: []watch.Standing{{Service: "app", Tried: true, Failure: "no", Paused: &p}}},
		Details: []watch.Detail{{Schedule: "@hourly", Looked: at(0), Next: at(2 * time.Hour)}},
		Absent:  []ledger.Pause{gone},
	}, Daemon{"1.0.0", began, "c"})
	h := HistoryOf([]ledger.Event{
		{At: at(0), Kind: ledger.Paused, Services: []string{"app"}, Trigger: ledger.Trigger{Who: "root"}, Note: "ticket 4711", Until: at(2 * time.Hour)},
		{At: at(time.Hour), Kind: ledger.Resumed, Services: []string{"app"}, Trigger: ledger.Trigger{Who: "root"}, Note: "ticket 4711"},
		{At: at(3 * time.Hour), Kind: ledger.Resumed, Services: []string{"web"}},
		{At: at(0), Kind: ledger.Forgotten, Failure: "no room"},
	})
	var b strings.Builder
	st.Print(&b, at(time.Hour))
	st.Services[0].Print(&b, at(time.Hour))
	h.About("app").Print(&b)
	h.Print(&b)
	const want = `rendered 1.0.0, up 60m, config of 2026-11-20 03:00:00; 1 paused
gone, which the config in force does not have, is paused: ticket 12
SERVICE  STATE   CHANGED  LOOKED   NEXT    NOTE
app      paused  -        60m ago  in 60m  paused by root until 2026-11-20
                                             05:00:00: ticket 4711
app     paused, looked at 60m ago, next 2026-11-20 05:00:00 (@hourly)
paused  ticket 4711
        since 2026-11-20 03:00:00 until 2026-11-20 05:00:00, by root
2026-11-20 03:00:00       what was before this is forgotten: no room
2026-11-20 04:00:00  app  resumed by root
2026-11-20 03:00:00  app  paused by root until 2026-11-20 05:00:00: ticket 4711
2026-11-20 03:00:00       what was before this is forgotten: no room
2026-11-20 06:00:00  web  resumed by itself: its time is over
2026-11-20 04:00:00  app  resumed by root
2026-11-20 03:00:00  app  paused by root until 2026-11-20 05:00:00: ticket 4711
`
	if got := b.String(); got != want || st.Current() {
		t.Errorf("%s", got)
	}
}
