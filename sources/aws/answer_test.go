package aws

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

// forever writes text until the client goes.
func forever(w http.ResponseWriter, head, text string) {
	chunk := []byte(strings.Repeat(text, 1+(64<<10)/len(text)))
	_, err := io.WriteString(w, head)
	for err == nil {
		_, err = w.Write(chunk)
	}
}

// bomb is gzip that is 1,000 times as large once it is unpacked.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, `{"SecretString":"`)
	zeros := bytes.Repeat([]byte("0"), 1<<20)
	for range 64 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	return b.Bytes()
})

// lies are what an endpoint may answer that is not AWS, and what of it stands in the error.
var lies = map[string]struct {
	answer http.HandlerFunc
	want   string
	texts  bool // instance metadata, whose answers are texts, cannot tell
}{
	"endless": {func(w http.ResponseWriter, _ *http.Request) { forever(w, `{"SecretString":"`, canary) }, "more bytes than any", false},
	"endless error": {func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		forever(w, `{"message":"`, canary)
	}, "more bytes than any", false},
	"endless and said so": {func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9000000000")
		forever(w, `{"SecretString":"`, canary)
	}, "more bytes than any", false},
	"endless space": {func(w http.ResponseWriter, _ *http.Request) { forever(w, "", " \n") }, "more bytes than any", false},
	"bomb": {func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb())
	}, "is compressed", false},
	"wide": {func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"SecretString":"x","Other":[0`+strings.Repeat(",0", 1<<20)+`]}`)
	}, "more values than any", true},
	"deep": {func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"SecretString":"x","Other":`+strings.Repeat("[", 1<<20))
	}, "more values than any", true},
	"tags": {func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("<a>", 1<<20))
	}, "more values than any", true},
	"page": {func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html>\n<html><body>Log in, "+canary+"</body></html>")
	}, "a web page came", true},
	"page of an error": {func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "<html>"+canary+"</html>")
	}, "HTTP 418", false},
	"headers": {func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		line := "X-Header: " + strings.Repeat("h", 1000) + "\r\n"
		for _, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"); err == nil; {
			_, err = io.WriteString(conn, line)
		}
	}, "its headers have more bytes than any", false},
	"early hints": {func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		for err == nil {
			_, err = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </"+strings.Repeat("h", 1000)+">\r\n\r\n")
		}
	}, "its headers have more bytes than any", false},
}

// A client of AWS's that a lie may hit.
var victims = map[string]struct {
	env    func(t *testing.T, url string) []string
	lookup string
	reason sources.Reason
	texts  bool
}{
	"GetSecretValue":      {toAll, "secret prod/db", sources.Unavailable, false},
	"GetParameters":       {toAll, "param /app/key", sources.Unavailable, false},
	"GetParameter":        {toAll, "param /app/key:3", sources.Unavailable, false},
	"GetParametersByPath": {toAll, "params /app", sources.Unavailable, false},
	"GetCallerIdentity":   {toAll, "aws account", sources.Unavailable, false},
	"AssumeRole": {func(t *testing.T, url string) []string {
		return []string{"AWS_ENDPOINT_URL=" + url, "AWS_REGION=eu-west-1", "AWS_PROFILE=web", "AWS_CONFIG_FILE=" +
			file(t, "[profile web]\nrole_arn=arn:aws:iam::111111111111:role/web\nsource_profile=home\n"+
				"[profile home]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")}
	}, "secret prod/db", sources.Credentials, false},
	"container": {func(_ *testing.T, url string) []string {
		return []string{"AWS_REGION=eu-west-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI=" + url + "/role"}
	}, "secret prod/db", sources.Credentials, false},
	"instance": {func(_ *testing.T, url string) []string {
		return []string{"AWS_REGION=eu-west-1", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + url, "AWS_EC2_METADATA_V1_DISABLED=true"}
	}, "secret prod/db", sources.Credentials, true},
	"metadata": {func(_ *testing.T, url string) []string {
		return []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + url, "AWS_EC2_METADATA_V1_DISABLED=true"}
	}, "imds placement/region", sources.Unavailable, true},
	"SSO": {func(t *testing.T, url string) []string {
		const start = "https://start.example.com"
		cache(t, start, `{"accessToken":"`+canary+`","expiresAt":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
		return []string{"AWS_REGION=eu-west-1", "AWS_PROFILE=web", "AWS_ENDPOINT_URL_SSO=" + url, "AWS_CONFIG_FILE=" +
			file(t, "[profile web]\nsso_start_url="+start+"\nsso_region=eu-west-1\nsso_account_id=111111111111\nsso_role_name=web\n")}
	}, "secret prod/db", sources.Credentials, false},
}

// cache puts a token of SSO where the AWS CLI does when somebody has logged in.
func cache(t *testing.T, key, token string) {
	t.Helper()
	sum := sha1.Sum([]byte(key))
	path := filepath.Join(os.Getenv("HOME"), ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
}

func toAll(_ *testing.T, url string) []string {
	return []string{"AWS_ENDPOINT_URL=" + url, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
}

// ask looks up through whatever answers it in this environment.
func askAny(t *testing.T, lookup string) sources.Result {
	t.Helper()
	r := ref(t, lookup)
	if r.Kind != sources.IMDS {
		return fetchOne(t, open(t, Options{Timeout: 20 * time.Second}), lookup)
	}
	m, err := NewMetadata(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return fetchAll(t.Context(), t, m, r)[r]
}

// Whatever an endpoint answers in the place of AWS costs little memory and time, and the error
// names it.
func TestLyingEndpoint(t *testing.T) {
	bomb() // it takes longer than instance metadata is waited for
	for who, v := range victims {
		for name, lie := range lies {
			if v.texts && lie.texts {
				continue
			}
			t.Run(who+"/"+strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if e := r.Header.Get("Accept-Encoding"); e != "" && e != "identity" {
						t.Errorf("compression is asked for: %s", e)
					}
					lie.answer(w, r)
				}))
				defer server.Close()
				environment(t)
				for _, kv := range append([]string{"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}, v.env(t, server.URL)...) {
					key, value, _ := strings.Cut(kv, "=")
					t.Setenv(key, value)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				began := time.Now()
				got := askAny(t, v.lookup)
				took := time.Since(began)
				runtime.ReadMemStats(&after)
				if got.Err == nil || got.Err.Reason != v.reason || !strings.Contains(got.Err.Detail, lie.want) {
					t.Errorf("got %v, want %q", got.Err, lie.want)
				}
				if took > 20*time.Second { // on a machine that does other things as well
					t.Errorf("it took %s", took)
				}
				// The endpoint's share, which writes into a socket, is small.
				if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 100 {
					t.Errorf("%d MiB were allocated", n)
				}
			})
		}
	}
}

// No redirect is followed, wherever it leads: what is signed, and the tokens of instance metadata
// and of SSO, stay here.
func TestNoRedirectIsFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for who, v := range victims {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%s/%d", who, status), func(t *testing.T) {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Location", other.URL+"/elsewhere")
					w.WriteHeader(status)
				}))
				defer server.Close()
				environment(t)
				for _, kv := range append([]string{"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}, v.env(t, server.URL)...) {
					key, value, _ := strings.Cut(kv, "=")
					t.Setenv(key, value)
				}
				got := askAny(t, v.lookup)
				if got.Err == nil || got.Err.Reason != v.reason || !strings.Contains(got.Err.Detail, fmt.Sprintf("HTTP %d", status)) {
					t.Errorf("got %v", got.Err)
				}
			})
		}
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// A dripping is a transport whose answers begin at once and never end.
type dripping struct{}

func (dripping) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: make(http.Header), ContentLength: -1, Request: r, Body: drip{r}}, nil
}

type drip struct{ of *http.Request }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.of.Context().Done():
		return 0, d.of.Context().Err()
	}
}

func (drip) Close() error { return nil }

func TestSlowAnswer(t *testing.T) {
	environment(t, awsfake.New().Env()...)
	synctest.Test(t, func(t *testing.T) {
		s, err := New(t.Context(), Options{Transport: dripping{}, Timeout: 2 * time.Minute, EndpointURL: "http://aws.test"})
		if err != nil {
			t.Fatal(err)
		}
		for _, lookup := range []string{"secret prod/db", "param /app/key", "params /app"} {
			got := fetchOne(t, s, lookup)
			wantError(t, got, sources.Unavailable, "aws.test: the answer does not end within 10s")
		}
	})
}

// A path whose pages never end is given up where it has become too large, and one that has only
// empty pages when the time is over.
func TestEndlessPath(t *testing.T) {
	for name, test := range map[string]struct{ page, want string }{
		"full":  {`{"Parameters":[{"Name":"/app/%[1]d","Value":"` + strings.Repeat("v", maxParam) + `"}],"NextToken":"%[1]d"}`, errPathTooLarge.detail},
		"empty": {`{"Parameters":[],"NextToken":"%d"}`, "within 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, toAll(t, "http://aws.test")...)
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				s, err := New(t.Context(), Options{Timeout: time.Second, Transport: served{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					n := asked.Add(1)
					if n%10 == 0 {
						<-time.After(time.Millisecond)
					}
					fmt.Fprintf(w, test.page, n)
				})}})
				if err != nil {
					t.Fatal(err)
				}
				wantError(t, fetchOne(t, s, "params /app"), sources.Unavailable, test.want)
				// No time passes for a request that was given up once this goroutine has ended.
				time.Sleep(time.Second)
			})
		})
	}
}

// An honest answer may be large: a batch that is too large for one answer is asked for one by one.
func TestLargestAnswers(t *testing.T) {
	fake, s := start(t, Options{BatchSecrets: true})
	var list []sources.Ref
	value := strings.Repeat("\x01", 65536) // six bytes each in JSON
	for i := range secretBatch {
		fake.PutSecret(fmt.Sprintf("large%02d", i), value)
		list = append(list, ref(t, fmt.Sprintf("secret large%02d", i)))
	}
	for r, got := range fetchAll(t.Context(), t, s, list...) {
		if got.Err != nil || got.Value.Text != value {
			t.Errorf("%s: %v", r, got.Err)
		}
	}
}

// What is too large together is asked for one by one.
func TestTooLargeTogether(t *testing.T) {
	environment(t, toAll(t, "http://aws.test")...)
	asked := make(map[string]int)
	var mu sync.Mutex
	s := open(t, Options{BatchSecrets: true, Transport: served{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked[operation]++
		mu.Unlock()
		switch {
		case operation == "BatchGetSecretValue":
			fmt.Fprint(w, strings.Repeat(" ", maxBatchAnswer)+"{}")
		case operation == "ReceiveMessage" && strings.Contains(string(body), `"MaxNumberOfMessages":10`):
			fmt.Fprint(w, strings.Repeat(" ", maxAnswer)+"{}")
		case operation == "ReceiveMessage":
			fmt.Fprint(w, `{"Messages":[{"MessageId":"1","Body":"one","ReceiptHandle":"r"}]}`)
		default:
			fmt.Fprint(w, `{"Name":"x","VersionId":"v","SecretString":"value"}`)
		}
	})}})
	for r, got := range fetchAll(t.Context(), t, s, refs(t, "secret a", "secret b", "secret c")...) {
		if got.Err != nil || got.Value.Text != "value" {
			t.Errorf("%s: %v", r, got.Err)
		}
	}
	list, err := s.Queue("https://sqs.eu-west-1.amazonaws.com/111111111111/q").Receive(t.Context(), 0)
	if err != nil || len(list) != 1 || list[0].Body != "one" {
		t.Errorf("%v, %v", list, err)
	}
	for operation, n := range map[string]int{"BatchGetSecretValue": 1, "GetSecretValue": 3, "ReceiveMessage": 2} {
		if asked[operation] != n {
			t.Errorf("%s was called %d times, not %d", operation, asked[operation], n)
		}
	}
}

// The queue's answers are held to the same bounds.
func TestLyingQueue(t *testing.T) {
	bomb()
	for name, lie := range lies {
		server := httptest.NewServer(lie.answer)
		environment(t, toAll(t, server.URL)...)
		_, err := open(t, Options{}).Queue(server.URL+"/111111111111/q").Receive(t.Context(), 0)
		if err == nil || !strings.Contains(err.Error(), lie.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v, want %q", name, err, lie.want)
		}
		server.CloseClientConnections()
		server.Close()
	}
}
