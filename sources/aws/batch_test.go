package aws

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

func TestSecretsInBatches(t *testing.T) {
	var log bytes.Buffer
	fake, s := start(t, Options{BatchSecrets: true})
	s.LogTo(slog.New(slog.NewTextHandler(&log, nil)))
	var list []sources.Ref
	want := make(map[sources.Ref]string)
	for i := range 45 {
		name := fmt.Sprintf("prod/%d", i)
		fake.PutSecret(name, canary+name)
		r := ref(t, "secret "+name)
		list, want[r] = append(list, r), canary+name
	}
	pass := func(calls map[string]int) {
		t.Helper()
		fake.ResetCalls()
		for r, got := range fetchAll(t.Context(), t, s, list...) {
			if text, ok := want[r]; got.Value.Text != text || ok != (got.Err == nil) {
				t.Errorf("%s: %v", r, got.Err)
			}
		}
		wantCalls(t, fake, calls)
	}
	pass(map[string]int{"BatchGetSecretValue": 3})

	// What a batch does not answer, or cannot, is asked for alone.
	fake.PutSecret("prod/0", "newer")
	previous, missing := ref(t, "secret prod/0:AWSPREVIOUS"), ref(t, "secret prod/none")
	list = append(list, previous, missing)
	want[ref(t, "secret prod/0")], want[previous] = "newer", canary+"prod/0"
	pass(map[string]int{"BatchGetSecretValue": 3, "GetSecretValue": 2})

	// A passing failure of the call is no refusal.
	clearFault := fake.Inject(awsfake.Fault{Kind: awsfake.Throttle, Operation: "BatchGetSecretValue", Times: 2})
	pass(map[string]int{"BatchGetSecretValue": 5, "GetSecretValue": 2})
	clearFault()
	if log.Len() > 0 {
		t.Errorf("logged: %s", &log)
	}

	fake.Inject(awsfake.Fault{Kind: awsfake.Deny, Operation: "BatchGetSecretValue"})
	pass(map[string]int{"BatchGetSecretValue": 3, "GetSecretValue": 47})
	pass(map[string]int{"GetSecretValue": 47})
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "secretsmanager:BatchGetSecretValue needs") {
		t.Errorf("%d warnings: %s", n, &log)
	}
	if strings.Contains(log.String(), canary) {
		t.Errorf("a value: %s", &log)
	}
}
