package local

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/sources"
)

// write gives the path of a values file that holds text.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ref parses "secret prod/db".
func ref(t *testing.T, text string) sources.Ref {
	t.Helper()
	kind, name, _ := strings.Cut(text, " ")
	r, err := sources.ParseRef(sources.Kind(kind), name)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// ask fetches one ref.
func ask(t *testing.T, s sources.Source, text string) sources.Result {
	t.Helper()
	return askAll(t.Context(), s, ref(t, text))[ref(t, text)]
}

func askAll(ctx context.Context, s sources.Source, refs ...sources.Ref) map[sources.Ref]sources.Result {
	var mu sync.Mutex
	results := make(map[sources.Ref]sources.Result)
	s.Fetch(ctx, refs, func(r sources.Ref, result sources.Result) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := results[r]; twice {
			panic("delivered twice: " + r.String())
		}
		results[r] = result
	})
	return results
}

const example = `
secrets:
  prod/text: s3cr3t
  prod/pem: |
    -----BEGIN-----
    abc
  prod/json: {username: app, "password": "p<&>\"w", port: 5432, ratio: 1.10, id: 9007199254740993, huge: 1e400,
    zip: 0123, on: True, none: null, hosts: [a, 2], day: 2026-01-02, yes: yes, hex: 0x1F, inf: .inf}
  prod/list: [1, "2"]
  prod/db: current
  prod/db:AWSPREVIOUS: previous
  shared::prod/db: foreign
  arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf: by ARN
  prod/bin: !!binary |
    3q2+
    7wA=
  prod/number: 0123
  prod/alias: &a {k: v}
  prod/same: *a
  prod/gone: !missing
  prod/forbidden: !denied
  prod/busy: !throttled
params:
  /app/db/port: 5432
  /app/db/ratio: 1.10
  /app/debug: true
  /app/hosts: [a, b c, 10]
  /app/gone: !missing
  /other/x: !denied
  /other/y: 1
  /empty/gone: !missing
  /app/db/port:3: 5433
  root: 12345678901234567890
  /slashed: "yes"
`

func TestValues(t *testing.T) {
	s := NewValues(write(t, example))
	secret := func(text string) sources.Value { return sources.Value{Text: text} }
	tests := map[string]sources.Value{
		"secret prod/text": secret("s3cr3t"),
		"secret prod/pem":  secret("-----BEGIN-----\nabc\n"),
		"secret prod/json": secret(`{"username":"app","password":"p<&>\"w","port":5432,"ratio":1.10,"id":9007199254740993,"huge":1e400,` +
			`"zip":"0123","on":true,"none":null,"hosts":["a",2],"day":"2026-01-02","yes":"yes","hex":"0x1F","inf":".inf"}`),
		"secret prod/list":           secret(`[1,"2"]`),
		"secret prod/db":             secret("current"),
		"secret prod/db:AWSCURRENT":  secret("current"),
		"secret prod/db:AWSPREVIOUS": secret("previous"),
		"secret shared::prod/db":     secret("foreign"),
		"secret arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf": secret("by ARN"),
		"secret prod/bin":      {Bytes: []byte{0xde, 0xad, 0xbe, 0xef, 0}},
		"secret prod/number":   secret("0123"),
		"secret prod/same":     secret(`{"k":"v"}`),
		"param /app/db/port":   {Text: "5432"},
		"param /app/db/ratio":  {Text: "1.10"},
		"param /app/debug":     {Text: "true"},
		"param /app/hosts":     {Text: "a,b c,10", List: []string{"a", "b c", "10"}},
		"param /app/db/port:3": {Text: "5433"},
		"param root":           {Text: "12345678901234567890"},
		"param /root":          {Text: "12345678901234567890"},
		"param slashed":        {Text: "yes"},
		"params /app":          {Params: map[string]string{"db/port": "5432", "db/ratio": "1.10", "debug": "true", "hosts": "a,b c,10"}},
		"params /app/db/":      {Params: map[string]string{"port": "5432", "ratio": "1.10"}},
	}
	for text, want := range tests {
		got := ask(t, s, text)
		if got.Err != nil {
			t.Errorf("%s: %v", text, got.Err)
		} else if diff := cmp.Diff(want, got.Value); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestValuesAnswerAsAWSMay(t *testing.T) {
	s := NewValues(write(t, example))
	tests := map[string]sources.Reason{
		"secret prod/gone":             sources.Missing,
		"secret prod/forbidden":        sources.Denied,
		"secret prod/busy":             sources.Throttled,
		"secret prod/nothing":          sources.Missing,
		"secret prod/text:AWSPREVIOUS": sources.Missing,
		"secret shared::prod/text":     sources.Missing,
		"param /app/nothing":           sources.Missing,
		"params /other":                sources.Denied,
		"params /empty":                sources.Missing,
		"params /ap":                   sources.Missing,
		"params /":                     sources.Denied,
	}
	for text, want := range tests {
		if got := ask(t, s, text); got.Err == nil || got.Err.Reason != want {
			t.Errorf("%s: got %v, want %q", text, got.Err, want)
		}
	}
}

func TestMissingValueSaysWhereToAddIt(t *testing.T) {
	path := write(t, "params: {/app/db/port: 1}\n")
	got := ask(t, NewValues(path), "param /app/db/prot")
	want := []string{
		"add  /app/db/prot: VALUE  under params: in " + path,
		`or   {{ paramOr "VALUE" "/app/db/prot" }}`,
		"did you mean /app/db/port?",
	}
	if diff := cmp.Diff(want, got.Err.Hints); diff != "" {
		t.Error(diff)
	}
}

func TestValuesSeeAnEdit(t *testing.T) {
	path := write(t, "secrets: {a: one}\n")
	s := NewValues(path)
	if got := ask(t, s, "secret a"); got.Value.Text != "one" {
		t.Fatal(got.Err)
	}
	if err := os.WriteFile(path, []byte("secrets: {a: two}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, "secret a"); got.Value.Text != "two" {
		t.Errorf("after the edit: %v", got.Err)
	}
}

// canary stands in every faulty file where a value may stand. No fault may repeat it.
const canary = "c4n4ry"

func TestCheckValues(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // after the path
	}{
		{"good", example, nil},
		{"empty file", "", []string{": it is empty; write secrets: {} where that is meant"}},
		{"nothing meant", "secrets: {}\n", nil},
		{"comment only", "# c4n4ry\n", []string{": it is empty; write secrets: {} where that is meant"}},
		{"null document", "null\n", []string{":1:1: not a map of secrets: and params:"}},
		{"text", "c4n4ry\n", []string{":1:1: not a map of secrets: and params:"}},
		{"unknown section", "secret: {a: c4n4ry}\n", []string{":1:1: unknown section; there are secrets:, params:, imds: and aws:"}},
		{"section twice", "params: {}\nparams: {a: c4n4ry}\n", []string{":2:1: this section stands here twice"}},
		{"section without names", "secrets:\nparams: c4n4ry\n", []string{
			":1:9: not a map of names to values; write {} where there are none",
			":2:9: not a map of names to values; write {} where there are none"}},
		{"null", "secrets:\n  a:\nparams:\n  b: ~\n", []string{
			`:2:5: no value; write "" for an empty text, !missing for none`,
			`:4:6: no value; write "" for an empty text, !missing for none`}},
		{"twice", "secrets:\n  a: c4n4ry\n  a: x\n  a:AWSCURRENT: y\nparams: {b: c4n4ry, /b: x}\n", []string{
			":3:3: secret a stands in line 2 already",
			":4:3: secret a stands in line 2 already",
			":5:21: param b stands in line 5 already"}},
		{"key twice", "secrets: {a: {k: c4n4ry, k: x}}\n", []string{":1:26: this key stands in its map twice"}},
		{"bad names", "secrets: {a b: c4n4ry, '': x, [l]: y}\nparams: {a/b: c4n4ry}\n", []string{
			":1:11: a secret's name has 1 to 512 letters, digits and /_+=.@-! only",
			":1:24: the name is empty",
			":1:31: a name is a text",
			":2:10: a parameter's name that holds a / begins with one"}},
		{"map as parameter", "params: {a: {b: c4n4ry}}\n", []string{":1:13: a parameter is a text or a list; a map is for secrets"}},
		{"comma", "params: {a: ['c4n4ry,x']}\n", []string{":1:14: a part of a list cannot hold a comma; AWS divides lists at commas, without escaping"}},
		{"list of lists", "params: {a: [[c4n4ry]], b: []}\n", []string{":1:14: not a text", ":1:28: an empty list; AWS has none"}},
		{"tag", "secrets: {a: !env c4n4ry}\n", []string{":1:14: a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary"}},
		{"binary parameter", "params: {a: !!binary c4n4ry}\n", []string{":1:13: a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary"}},
		{"not base64", "secrets: {a: !!binary c4n4ry}\n", []string{":1:14: not base64"}},
		{"rehearsal with a value", "secrets: {a: !denied c4n4ry}\n", []string{":1:14: !denied stands in place of a value, not before one"}},
		{"rehearsal inside", "secrets: {a: {b: !denied }}\n", []string{":1:18: !denied stands in place of a whole secret only"}},
		{"merge", "secrets:\n  a: &a {k: c4n4ry}\n  b: {<<: *a}\n", []string{":3:7: << does not merge here; write the keys out"}},
		{"two documents", "secrets: {}\n---\nsecrets: {a: c4n4ry}\n", []string{":2:1: a second document; values stand in one"}},
		{"syntax", "secrets:\n  a: c4n4ry\n b: c4n4ry\n", []string{":3: not YAML: this is no part of what stands above"}},
		{"syntax in the first line", "secrets: {a: [c4n4ry\n", []string{":1: not YAML: a list begins here with [ and lacks a comma or its ]"}},
		{"tab", "secrets:\n\ta: c4n4ry\n", []string{":2:1: not YAML: a tab stands in the indentation"}},
		{"quote", "secrets:\n  a: 'c4n4ry\n  b: x\n", []string{":2: not YAML: a quote begins here and is not closed"}},
		{"backslash", "secrets:\n  a: \"c4n4ry\\d\"\n", []string{`:2: not YAML: a \ in the text that is quoted here means nothing`}},
		{"colon", "secrets:\n  a: user: c4n4ry\n", []string{":2: not YAML: a colon stands where no key can be"}},
		{"unknown anchor", "secrets:\n  a: *c4n4ry\n", []string{":2:6: not YAML: no anchor has the name of this alias"}},
		{"control character", "secrets:\n  a: c4n4ry\x01\n", []string{":2:12: not YAML: a control character"}},
		{"UTF-16", "\xff\xfes\x00", []string{":1: not YAML: this is UTF-16"}},
		{"mark and CRLF", "\ufeffsecrets:\r\n  a:\r\n", []string{`:2:5: no value; write "" for an empty text, !missing for none`}},
		{"syntax in the second document", "secrets: {a: c4n4ry}\n---\na: [\n", []string{":3: not YAML: a value is missing here, or a bracket or comma is too many"}},
		{"tagged maps and lists", "secrets: {a: !vault {k: c4n4ry}, b: {c: !env [c4n4ry]}, d: {e: !denied {}}}\nparams: !x {a: !y [c4n4ry]}\n", []string{
			":1:14: a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary",
			":1:41: a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary",
			":1:64: !denied stands in place of a whole secret only",
			":2:9: a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary",
			":2:16: a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary"}},
		{"alias inside itself", "secrets:\n  a: &a [c4n4ry, *a]\n", []string{":2:10: the values take more than 16 MiB, or nest too deeply"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.text)
			var got []string
			for _, f := range CheckValues(path) {
				got = append(got, strings.TrimPrefix(f.Error(), path))
				if strings.Contains(f.Text(), canary) {
					t.Errorf("a fault quotes a value: %s", f.Text())
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliasesOfAliasesEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("secrets:\n  x0: &x0 [c4n4ry, c4n4ry]\n")
	for i := 1; i < 40; i++ {
		a, z := string(rune('0'+(i-1)%10)), string(rune('0'+i%10))
		p, q := strings.Repeat("x", (i-1)/10+1), strings.Repeat("x", i/10+1)
		b.WriteString("  " + q + z + ": &" + q + z + " [*" + p + a + ", *" + p + a + "]\n")
	}
	faults := CheckValues(write(t, b.String()))
	if len(faults) != 1 || !strings.Contains(faults[0].What, "16 MiB") {
		t.Errorf("got %v", faults)
	}
}

func TestFaultyValuesAnswerNothing(t *testing.T) {
	path := write(t, "secrets: {good: c4n4ry, bad: }\nparams: {x: c4n4ry, y: ~}\n")
	refs := []sources.Ref{ref(t, "secret good"), ref(t, "param x"), ref(t, "params /")}
	for r, got := range askAll(t.Context(), NewValues(path), refs...) {
		if got.Err == nil || got.Err.Reason != sources.Unavailable {
			t.Errorf("%s: %v", r, got.Err)
			continue
		}
		if want := path + `:1:30: no value; write "" for an empty text, !missing for none (and 1 more)`; got.Err.Detail != want {
			t.Errorf("%s: got %s, want %s", r, got.Err.Detail, want)
		}
	}
}

func TestValuesMustBeARegularFile(t *testing.T) {
	dir := t.TempDir()
	fifo, large := filepath.Join(dir, "fifo"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, bytes.Repeat([]byte("#"), maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		fifo:                          "not a regular file",
		large:                         "larger than 16 MiB",
		dir:                           "is a directory",
		"/dev/zero":                   "not a regular file",
		filepath.Join(dir, "nothing"): "no such file or directory",
	}
	for path, want := range tests {
		got := ask(t, NewValues(path), "secret a")
		if got.Err == nil || got.Err.Detail != path+": "+want || got.Err.Reason != sources.Unavailable {
			t.Errorf("%s: %v", path, got.Err)
		}
	}
}

func TestValuesAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := ref(t, "secret a")
	got := askAll(ctx, NewValues(write(t, "secrets: {a: b}\n")), r)
	// The answer may have been there first; without one the ref is still answered, once.
	if len(got) != 1 || got[r].Err != nil && got[r].Err.Reason != sources.Unavailable {
		t.Errorf("got %v", got)
	}
}

func FuzzValues(f *testing.F) {
	f.Add(example)
	f.Add("secrets: {a: &a [*a]}")
	f.Add("? [c4n4ry]\n: x")
	f.Fuzz(func(t *testing.T, text string) {
		doc, faults := parse("values.yaml", []byte(text))
		if len(faults) > 0 {
			return
		}
		for r, e := range doc.entries {
			if back, err := sources.ParseRef(r.Kind, r.Text()); err != nil || canonical(back) != r {
				t.Errorf("%v does not come back: %v", r, err)
			}
			if e.reason == "" && doc.answer(r).Err != nil {
				t.Errorf("%v has no answer", r)
			}
		}
	})
}
