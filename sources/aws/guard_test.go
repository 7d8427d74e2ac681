package aws

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rendered/rendered/sources"
)

// broken is a network that breaks down over what it carries.
type broken struct{ http.RoundTripper }

func (b broken) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	if strings.Contains(string(body), "broken") {
		panic(canary + string(body))
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return b.RoundTripper.RoundTrip(r)
}

// A panic over one call fails the lookups of that call and no others, whatever the call is.
func TestPanicInACall(t *testing.T) {
	fake, s := start(t, Options{Transport: broken{http.DefaultTransport}})
	batching := open(t, Options{Transport: broken{http.DefaultTransport}, BatchSecrets: true})
	fake.PutSecret("good", canary)
	fake.PutSecret("good", "later")
	for name, s := range map[string]sources.Source{"one by one": s, "in batches": batching} {
		bad := refs(t, "secret broken", "secret broken:AWSPREVIOUS", "param /broken", "param /broken:3", "params /broken")
		got := fetchAll(t.Context(), t, s, append(bad, ref(t, "secret good:AWSPREVIOUS"))...)
		for _, r := range bad {
			if e := got[r].Err; e == nil || e.Reason != sources.Unavailable || !strings.Contains(e.Detail, "panic of string in aws.broken.RoundTrip") {
				t.Errorf("%s: %s gives %v", name, r, e)
			}
		}
		if good := got[ref(t, "secret good:AWSPREVIOUS")]; good.Err != nil || good.Value.Text != canary {
			t.Errorf("%s: the good secret gives %v", name, good.Err)
		}
	}
}
