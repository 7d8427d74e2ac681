package aws

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

// Each request is told, with what came of it; one that is tried again is several.
func TestCallsAreTold(t *testing.T) {
	fake, s := start(t, Options{})
	var mu sync.Mutex
	var told []string
	s.CountTo(func(c Call) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprintf("%s %q $%.7f", c.API, c.Reason, c.Price))
		if c.Took <= 0 {
			t.Errorf("%s took %v", c.API, c.Took)
		}
	})
	fake.PutSecret("a", canary)
	fake.PutSecret("denied", canary)
	fake.PutParameter("/p", "String", canary)
	fake.Inject(awsfake.Fault{Name: "denied", Kind: awsfake.Deny})
	fake.Inject(awsfake.Fault{Operation: "GetParameters", Kind: awsfake.Throttle, Times: 2})
	fetchAll(t.Context(), t, s, refs(t, "secret a", "secret denied", "secret missing", "param /p", "params /none")...)
	queue := s.Queue(fake.MakeQueue("q"))
	if _, err := queue.Receive(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	slices.Sort(told)
	want := []string{
		`GetParameters "" $0.0000000`, `GetParameters "AWS is throttling" $0.0000000`, `GetParameters "AWS is throttling" $0.0000000`,
		`GetParametersByPath "" $0.0000000`,
		`GetSecretValue "" $0.0000050`, `GetSecretValue "access denied" $0.0000050`, `GetSecretValue "does not exist" $0.0000050`,
		`ReceiveMessage "" $0.0000004`,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("-want +told:\n%s", diff)
	}
}
