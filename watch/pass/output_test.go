package pass

import (
	"testing"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/notify"
)

// What is shown is what the config asks for, whatever kind of action speaks; its own words always
// are.
func TestOutputPolicies(t *testing.T) {
	const canary = "it is s-Canary-1, \x1b[31m"
	for _, tt := range []struct {
		own  bool
		how  command.OutputPolicy
		says string
		want string
	}{
		{how: command.Redact, says: canary, want: "it is ‹value›, \x1b[31m"},
		{how: command.Withhold, says: canary, want: withheldAsked},
		{how: command.Show, says: canary, want: canary},
		{how: command.Withhold, says: ""},
		{own: true, how: command.Withhold, says: "nothing to reload", want: "nothing to reload"},
	} {
		k := &Keeper{redactor: redact.New(), service: &Service{}, values: []redact.ID{}}
		k.values = append(k.values, k.redactor.Learn(sources.Value{Text: "s-Canary-1", Secret: true}))
		if got := shown(k.redactor, notify.Output{Text: []byte(tt.says), Own: tt.own, Policy: tt.how}, Party{k.service, k.values}); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
		if !tt.own {
			if got := k.shownOfCheck(command.Check{Output: tt.how}, []byte(tt.says)); got != tt.want {
				t.Errorf("%+v, a check: %q", tt, got)
			}
		}
	}
	if got := shown(nil, notify.Output{Text: []byte(canary)}, Party{&Service{}, []redact.ID{}}); got != withheldUnknown {
		t.Errorf("without a redactor: %q", got)
	}
	parties := []Party{{&Service{}, []redact.ID{}}, {&Service{}, nil}}
	if got := shown(redact.New(), notify.Output{Text: []byte(canary)}, parties...); got != withheldUnknown {
		t.Errorf("where the values of one of two are not known: %q", got)
	}
}
