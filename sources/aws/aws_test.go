package aws

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

// canary is part of every value in these tests, and may be part of no error.
const canary = "c4n4ry"

// environment makes the machine's own AWS settings invisible and puts those of env, as KEY=value,
// in their place.
func environment(t *testing.T, env ...string) {
	t.Helper()
	for _, old := range os.Environ() {
		if key, _, _ := strings.Cut(old, "="); strings.HasPrefix(key, "AWS_") {
			t.Setenv(key, "") // restores it in the end
			os.Unsetenv(key)
		}
	}
	t.Setenv("HOME", t.TempDir())
	for _, kv := range env {
		key, value, _ := strings.Cut(kv, "=")
		t.Setenv(key, value)
	}
}

// start gives a fake and a source over it that is quick to try again.
func start(t *testing.T, o Options) (*awsfake.Server, *Source) {
	t.Helper()
	fake := awsfake.Start(t)
	environment(t, fake.Env()...)
	return fake, open(t, o)
}

// startOnce gives a fake and a source over it whose clients try once: the SDK's own retryer, which
// STS and SQS have, waits for seconds.
func startOnce(t *testing.T) (*awsfake.Server, *Source) {
	t.Helper()
	fake := awsfake.Start(t)
	environment(t, append(fake.Env(), "AWS_MAX_ATTEMPTS=1")...)
	return fake, open(t, Options{})
}

func open(t *testing.T, o Options) *Source {
	t.Helper()
	o.patience = patience{base: time.Millisecond, throttled: time.Millisecond, limit: 4 * time.Millisecond}
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ref parses "secret prod/db".
func ref(t testing.TB, text string) sources.Ref {
	t.Helper()
	kind, name, _ := strings.Cut(text, " ")
	r, err := sources.ParseRef(sources.Kind(kind), name)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func refs(t testing.TB, texts ...string) []sources.Ref {
	t.Helper()
	var list []sources.Ref
	for _, text := range texts {
		list = append(list, ref(t, text))
	}
	return list
}

// fetchAll fetches refs and sees to it that each is answered exactly once, before Fetch returns,
// and that no error holds a value.
func fetchAll(ctx context.Context, t testing.TB, s sources.Source, list ...sources.Ref) map[sources.Ref]sources.Result {
	t.Helper()
	var mu sync.Mutex
	results := make(map[sources.Ref]sources.Result)
	returned := false
	s.Fetch(ctx, list, func(r sources.Ref, result sources.Result) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := results[r]; twice || returned {
			t.Errorf("%s delivered twice, or after the end", r)
		}
		results[r] = result
	})
	mu.Lock()
	defer mu.Unlock()
	returned = true
	for _, r := range list {
		result, ok := results[r]
		if !ok {
			t.Errorf("%s was not delivered", r)
		}
		if result.Err != nil && strings.Contains(fmt.Sprintf("%v %q", result.Err, result.Err.Hints), canary) {
			t.Errorf("an error holds a value: %v %q", result.Err, result.Err.Hints)
		}
	}
	return results
}

func fetchOne(t testing.TB, s sources.Source, text string) sources.Result {
	t.Helper()
	r := ref(t, text)
	return fetchAll(t.Context(), t, s, r)[r]
}

func wantCalls(t testing.TB, fake *awsfake.Server, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, fake.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// wantError compares an error without its hints.
func wantError(t testing.TB, got sources.Result, reason sources.Reason, detail string) {
	t.Helper()
	if got.Err == nil {
		t.Errorf("got a value, want %q", reason)
	} else if got.Err.Reason != reason || got.Err.Detail != detail {
		t.Errorf("got  %s: %s\nwant %s: %s", got.Err.Reason, got.Err.Detail, reason, detail)
	}
}

func TestThousandParametersTakeAHundredCalls(t *testing.T) {
	fake, s := start(t, Options{})
	var list []sources.Ref
	for i := range 1000 {
		name := fmt.Sprintf("/app/p%03d", i)
		fake.PutParameter(name, "SecureString", fmt.Sprint(canary, i))
		list = append(list, ref(t, "param "+name))
	}
	fake.PutSecret("prod/db", canary)
	list = append(list, ref(t, "secret prod/db"))
	for i, got := range fetchAll(t.Context(), t, s, list...) {
		if got.Err != nil || !strings.HasPrefix(got.Value.Text, canary) {
			t.Errorf("%s: %v", i, got.Err)
		}
	}
	wantCalls(t, fake, map[string]int{"GetParameters": 100, "GetSecretValue": 1})
}

func TestConcurrencyIsBounded(t *testing.T) {
	fake, s := start(t, Options{MaxConcurrency: 3})
	fake.SetLatency(5 * time.Millisecond)
	var params, secrets []sources.Ref
	for i := range 200 {
		name := fmt.Sprintf("p%03d", i)
		fake.PutParameter(name, "String", canary)
		params = append(params, ref(t, "param "+name))
	}
	for i := range 20 {
		name := fmt.Sprintf("s%03d", i)
		fake.PutSecret(name, canary)
		secrets = append(secrets, ref(t, "secret "+name))
	}
	fetchAll(t.Context(), t, s, params...)
	if n := fake.MaxInFlight(); n != 3 {
		t.Errorf("%d GetParameters in flight, want 3", n)
	}
	fake.ResetCalls()
	fetchAll(t.Context(), t, s, append(params, secrets...)...)
	if n := fake.MaxInFlight(); n > 6 {
		t.Errorf("%d requests to two services in flight, want at most 6", n)
	}
	// The limit is the source's, whoever fetches.
	fake.ResetCalls()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { fetchAll(t.Context(), t, s, secrets...) })
	}
	both.Wait()
	if n := fake.MaxInFlight(); n != 3 {
		t.Errorf("%d GetSecretValue of two fetches in flight, want 3", n)
	}
}

// There are no more connections than requests may be in flight, and the next pass finds them.
func TestConnectionsAreKept(t *testing.T) {
	fake, s := start(t, Options{MaxConcurrency: 4})
	fake.SetLatency(2 * time.Millisecond)
	var list []sources.Ref
	for i := range 100 {
		name := fmt.Sprintf("s%03d", i)
		fake.PutSecret(name, canary)
		fake.PutParameter("/"+name, "String", canary)
		list = append(list, ref(t, "secret "+name), ref(t, "param /"+name+":1"))
	}
	for pass := range 3 {
		fetchAll(t.Context(), t, s, list...)
		if n := fake.Connections(); n > 2*4 {
			t.Errorf("after pass %d: %d connections for two services", pass+1, n)
		}
	}
	wantCalls(t, fake, map[string]int{"GetSecretValue": 300, "GetParameter": 300})
}

func TestValues(t *testing.T) {
	fake, s := start(t, Options{})
	old := fake.PutSecret("prod/db", canary+" old")
	now := fake.PutSecret("prod/db", canary+" now")
	pem := fake.PutSecretBinary("prod/pem", []byte{0, 1, 2})
	fake.PutParameter("/app/host", "String", "first")
	fake.PutParameter("/app/host", "String", "second")
	fake.LabelParameter("/app/host", 1, "stable")
	fake.PutParameter("/app/key", "SecureString", canary)
	fake.PutParameter("/app/list", "StringList", "a,b,,c")
	fake.PutParameter("root", "String", "r")
	fake.PutParameter("/aws/service/public", "String", "ami")
	fake.PutParameter("/app/db/port", "String", "5432")

	secret := func(text, version string) sources.Value { return sources.Value{Text: text, Version: version} }
	handedOn := func(text, version string) sources.Value {
		return sources.Value{Text: text, Version: version, Secret: true}
	}
	tests := map[string]sources.Value{
		"secret prod/db":                                       secret(canary+" now", now),
		"secret prod/db:AWSCURRENT":                            secret(canary+" now", now),
		"secret prod/db:AWSPREVIOUS":                           secret(canary+" old", old),
		"secret prod/db:" + old:                                secret(canary+" old", old),
		"secret " + fake.SecretARN("prod/db"):                  secret(canary+" now", now),
		"secret " + fake.SecretARN("prod/db") + ":AWSPREVIOUS": secret(canary+" old", old),
		"secret prod/pem":                                      {Bytes: []byte{0, 1, 2}, Version: pem},

		"param /app/host":                                {Text: "second", Version: "2"},
		"param /app/host:1":                              {Text: "first", Version: "1"},
		"param /app/host:stable":                         {Text: "first", Version: "1"},
		"param " + fake.ParameterARN("/app/host"):        {Text: "second", Version: "2"},
		"param " + fake.ParameterARN("/app/host") + ":1": {Text: "first", Version: "1"},
		"param /app/key":                                 {Text: canary, Version: "1", Secret: true},
		"param /app/list":                                {Text: "a,b,,c", List: []string{"a", "b", "", "c"}, Version: "1"},
		"param root":                                     {Text: "r", Version: "1"},
		"param /root":                                    {Text: "r", Version: "1"},
		"param /aws/service/public":                      {Text: "ami", Version: "1"},
		"param /aws/reference/secretsmanager/prod/db":    handedOn(canary+" now", now),
		"param /aws/reference/secretsmanager/prod/db:AWSPREVIOUS": handedOn(canary+" old", old),

		"params /app":     {Params: map[string]string{"host": "second", "key": canary, "list": "a,b,,c", "db/port": "5432"}, Secret: true},
		"params /app/db/": {Params: map[string]string{"port": "5432"}},
	}
	var list []sources.Ref
	for text := range tests {
		if r := ref(t, text); !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	results := fetchAll(t.Context(), t, s, list...)
	for text, want := range tests {
		got := results[ref(t, text)]
		if got.Err != nil {
			t.Errorf("%s: %v", text, got.Err)
			continue
		}
		got.Value.Read = nil // TestReadings has it
		if diff := cmp.Diff(want, got.Value); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	// Seven plain names fit into one batch; the ARN of one of them goes in another.
	wantCalls(t, fake, map[string]int{"GetSecretValue": 6, "GetParameters": 2, "GetParameter": 4, "GetParametersByPath": 2})
}

// Names of one thing are read from the same; a version that was asked for by its number cannot
// change.
func TestReadings(t *testing.T) {
	fake, s := start(t, Options{})
	old, now := fake.PutSecret("prod/db", canary), fake.PutSecret("prod/db", canary)
	fake.PutParameter("/app/key", "String", "1")
	fake.PutParameter("/app/key", "String", "2")
	fake.LabelParameter("/app/key", 1, "stable")
	secret, key := fake.SecretARN("prod/db"), fake.ParameterARN("/app/key")
	current := map[string]string{"AWSCURRENT of " + secret: now, "labels of " + now + " " + secret: "AWSCURRENT"}
	previous := map[string]string{"AWSPREVIOUS of " + secret: old, "labels of " + old + " " + secret: "AWSPREVIOUS"}
	for text, want := range map[string]map[string]string{
		"secret prod/db":             current,
		"secret " + secret:           current,
		"secret prod/db:AWSPREVIOUS": previous,
		"secret prod/db:" + now:      {"labels of " + now + " " + secret: "AWSCURRENT"},
		"param /app/key":             {" of " + key: "2"},
		"param " + key:               {" of " + key: "2"},
		"param " + key + ":stable":   {"stable of " + key: "1"},
		"param /app/key:2":           nil,
		"params /app":                {" of " + key: "2"},
		"params /":                   {" of " + key: "2"},
		"param /aws/reference/secretsmanager/prod/db":             current,
		"param /aws/reference/secretsmanager/prod/db:AWSPREVIOUS": previous,
	} {
		if diff := cmp.Diff(want, fetchOne(t, s, text).Value.Read); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestPages(t *testing.T) {
	fake, s := start(t, Options{})
	want := make(map[string]string)
	for i := range 25 {
		name := fmt.Sprintf("p%02d", i)
		fake.PutParameter("/app/"+name, "String", name)
		want[name] = name
	}
	tests := []struct {
		name  string
		fault *awsfake.Fault
		calls int
	}{
		{"whole", nil, 3},
		{"an empty page first", &awsfake.Fault{Kind: awsfake.EmptyPage, Times: 1}, 4},
		{"an empty page between", &awsfake.Fault{Kind: awsfake.EmptyPage, After: 1, Times: 2}, 5},
		{"short pages", &awsfake.Fault{Kind: awsfake.ShortPage}, 25},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fake.ResetCalls()
			if test.fault != nil {
				defer fake.Inject(*test.fault)()
			}
			got := fetchOne(t, s, "params /app")
			if diff := cmp.Diff(want, got.Value.Params); diff != "" {
				t.Errorf("%v (-want +got):\n%s", got.Err, diff)
			}
			wantCalls(t, fake, map[string]int{"GetParametersByPath": test.calls})
		})
	}
}

func TestBatches(t *testing.T) {
	arn := "arn:aws:ssm:eu-west-1:111111111111:parameter/"
	tests := []struct {
		name string
		refs []string
		want []string // the batches' names
	}{
		{"none", nil, nil},
		{"ten", strings.Fields("a b c d e f g h i j"), []string{"a b c d e f g h i j"}},
		{"eleven", strings.Fields("a b c d e f g h i j k"), []string{"a b c d e f g h i j", "k"}},
		{"the slash at the root", strings.Fields("a /a b /b"), []string{"a b"}},
		{"an ARN and its name", strings.Fields("/x/a " + arn + "x/a /x/b"), []string{"/x/a /x/b", arn + "x/a"}},
		{"an ARN at the root", strings.Fields(arn + "a a /a b"), []string{arn + "a b", "a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var list []sources.Ref
			for _, name := range test.refs {
				list = append(list, ref(t, "param "+name))
			}
			var got []string
			asked := 0
			for _, batch := range batches(list, new(sync.Map)) {
				var names []string
				for _, w := range batch {
					names = append(names, w.name)
					asked += len(w.refs)
				}
				got = append(got, strings.Join(names, " "))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || asked != len(list) {
				t.Errorf("%d of %d refs (-want +got):\n%s", asked, len(list), diff)
			}
		})
	}
}
