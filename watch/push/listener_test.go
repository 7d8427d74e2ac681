package push

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
)

// A desk is a listener with everything around it: the real SDK, an AWS with a queue, what it handed
// on and what was logged. It runs inside a synctest bubble.
type desk struct {
	*awsfake.Server
	url      string
	source   *aws.Source
	listener *Listener

	mu      sync.Mutex
	changed []string
	missed  int
	ignored map[Ignored]int // messages, by why
	log     bytes.Buffer
}

func (d *desk) count(ignored Ignored) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ignored[ignored]++
}

func (d *desk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

// logged gives the lines since the last call that hold a text.
func (d *desk) logged(text string) (lines []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range strings.Lines(d.log.String()) {
		if strings.Contains(line, text) {
			lines = append(lines, line)
		}
	}
	d.log.Reset()
	return lines
}

// changes gives the names of what changed since the last call.
func (d *desk) changes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := d.changed
	d.changed = nil
	return changed
}

// waiting gives how many messages are in the queue.
func (d *desk) waiting() int { return len(d.Messages(d.url)) }

// after lets time pass.
func (d *desk) after(span time.Duration) {
	<-time.After(span)
	synctest.Wait()
}

func atDesk(t *testing.T, story func(t *testing.T, d *desk)) {
	t.Helper()
	fake := awsfake.New()
	for _, pair := range fake.Env() {
		key, value, _ := strings.Cut(pair, "=")
		t.Setenv(key, value)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://aws.invalid")
	t.Setenv("AWS_CA_BUNDLE", "") // the SDK cannot put it into a foreign transport
	synctest.Test(t, func(t *testing.T) {
		d := &desk{Server: fake, url: fake.MakeQueue("rendered-web-1"), ignored: make(map[Ignored]int)}
		d.Notify(d.url, awsfake.Bare)
		d.PutSecret("prod/db", "c4n4ry")
		d.listener = New(slog.New(slog.NewTextHandler(d, nil)), d.count)
		d.source = d.over(t, fake.Transport())
		d.listener.Set(d.source.Queue(d.url))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			d.listener.Run(t.Context(), func(list []sources.Change) {
				d.mu.Lock()
				defer d.mu.Unlock()
				for _, c := range list {
					if c.Kind == "" {
						d.missed++
						continue
					}
					d.changed = append(d.changed, c.Name)
					if r := (sources.Ref{Kind: c.Kind, Name: c.Name}); c.Origin == nil || !c.Means(r) {
						t.Errorf("%s does not mean %s", c.Name, r)
					}
				}
			})
		}()
		d.after(time.Second)
		d.changes()
		story(t, d)
		if lines := d.logged("c4n4ry"); len(lines) > 0 {
			t.Errorf("logged: %s", lines)
		}
		t.Cleanup(func() {
			begun := time.Now()
			if <-ended; time.Since(begun) > 0 {
				t.Errorf("it took %v to stop", time.Since(begun))
			}
		})
	})
}

func (d *desk) over(t *testing.T, transport http.RoundTripper) *aws.Source {
	s, err := aws.New(t.Context(), aws.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A change is heard of at once and its message deleted; while nothing happens there are three polls
// a minute.
func TestListens(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		for range 3 {
			d.PutSecret("prod/db", "c4n4ry2")
			d.PutParameter("/prod/port", "String", "80")
			d.after(time.Second / 2)
			if got := fmt.Sprint(d.changes()); got != "[prod/db /prod/port]" && got != "[/prod/port prod/db]" || d.waiting() > 0 {
				t.Errorf("heard %s, %d messages are left", got, d.waiting())
			}
		}
		d.ResetCalls()
		d.after(10 * time.Minute)
		if n := d.Calls(); len(n) != 1 || n["ReceiveMessage"] < 29 || n["ReceiveMessage"] > 31 {
			t.Errorf("in ten minutes without notices: %v", n)
		}
		if got := d.logged("level="); len(got) > 0 {
			t.Errorf("%s", got)
		}
	})
}

func TestThousandNotices(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.SetLatency(5 * time.Millisecond)
		for range 1000 {
			d.PutSecret("prod/db", fmt.Sprint("c4n4ry", time.Now()))
		}
		d.after(2 * time.Second)
		if n := len(d.changes()); n != 1000 || d.waiting() > 0 {
			t.Errorf("heard %d of 1,000, %d are left", n, d.waiting())
		}
		if n := d.Calls(); n["DeleteMessageBatch"] > 110 {
			t.Errorf("%v", n)
		}
	})
}

// What is no notice is deleted, warned of once for each reason, and in nobody's way.
func TestPoison(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		for range 3 {
			d.Send(d.url, "c4n4ry")
			d.Send(d.url, `{"source":"aws.ec2","detail-type":"c4n4ry\n"}`)
			d.PutSecret("prod/db", "2")
		}
		d.after(time.Hour)
		if got := fmt.Sprint(d.changes()); got != "[prod/db prod/db prod/db]" || d.waiting() > 0 {
			t.Errorf("heard %s, %d messages are left", got, d.waiting())
		}
		if d.ignored[NoNotice] != 6 || d.ignored[""] != 4 {
			t.Errorf("counted %v", d.ignored)
		}
		if got := d.logged("level="); len(got) != 2 || !strings.Contains(got[0], "no change notice was deleted") {
			t.Errorf("%s", got)
		}
	})
}

// A queue that is lost is a warning with what to do, asked for again with pauses of up to a minute,
// and told when it is back.
func TestLostQueue(t *testing.T) {
	denied := func(d *desk) { d.Inject(awsfake.Fault{Kind: awsfake.Deny, Operation: "ReceiveMessage"}) }
	tests := map[string]struct {
		lose, find func(*desk)
		says       []string
		span       time.Duration
		missed     int
	}{
		"removed": {
			func(d *desk) { d.RemoveQueue(d.url) }, func(d *desk) { d.MakeQueue("rendered-web-1") },
			[]string{"queue rendered-web-1 does not exist in eu-west-1", "aws sqs list-queues", "packaging/"}, 50 * time.Minute, 1,
		},
		"denied": {denied, func(d *desk) { d.Clear() }, []string{
			"access denied", `["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"]`, "arn:aws:sqs:eu-west-1:111111111111:rendered-web-1", "to        role web",
		}, 2 * time.Hour, 1},
		"out of reach": {
			func(d *desk) { d.Inject(awsfake.Fault{Kind: awsfake.Drop, Operation: "ReceiveMessage"}) }, func(d *desk) { d.Clear() },
			[]string{"no answer", "HTTPS_PROXY"}, 50 * time.Minute, 0,
		},
		"failing": {
			func(d *desk) { d.Inject(awsfake.Fault{Kind: awsfake.ServerError, Operation: "ReceiveMessage"}) }, func(d *desk) { d.Clear() },
			[]string{"no answer"}, 50 * time.Minute, 0,
		},
		"not to be deleted": {
			func(d *desk) {
				d.Inject(awsfake.Fault{Kind: awsfake.Deny, Operation: "DeleteMessageBatch"})
				d.PutSecret("prod/db", "2")
			}, func(d *desk) { d.Clear() },
			[]string{"cannot be deleted", "sqs:DeleteMessage"}, 50 * time.Minute, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(t *testing.T, d *desk) {
				d.ResetCalls()
				tt.lose(d)
				d.after(tt.span)
				lines := d.logged("level=")
				if len(lines) != 1 || !strings.Contains(lines[0], "level=WARN") {
					t.Errorf("logged meanwhile: %s", lines)
				}
				for _, text := range tt.says {
					if plain := strings.ReplaceAll(strings.Join(lines, ""), `\"`, `"`); !strings.Contains(plain, text) {
						t.Errorf("%q is not in %s", text, plain)
					}
				}
				// With pauses of half a minute to a minute, and the SDK's three attempts.
				if n := d.Calls()["ReceiveMessage"]; n < int(tt.span.Minutes()) || n > 3*int(tt.span.Minutes()*2.2) {
					t.Errorf("asked %d times in %v", n, tt.span)
				}
				tt.find(d)
				d.after(3 * time.Minute)
				if lines := d.logged("level="); len(lines) != 1 || !strings.Contains(lines[0], "come again") {
					t.Errorf("logged when it is back: %s", lines)
				}
				d.changes()
				d.PutSecret("prod/db", "3")
				d.after(time.Second)
				if got := fmt.Sprint(d.changes()); got != "[prod/db]" || d.waiting() > 0 {
					t.Errorf("heard %s afterwards, %d messages are left", got, d.waiting())
				}
				if d.missed != tt.missed {
					t.Errorf("told %d times that notices may be missing, want %d", d.missed, tt.missed)
				}
			})
		})
	}
}

// answering is an AWS that answers one operation as given.
type answering struct {
	http.RoundTripper
	operation, body string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), a.operation) {
		return a.RoundTripper.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// Messages that SQS does not delete, though it answers, are heard once and warned of, and new ones
// are not kept waiting.
func TestMessagesThatStay(t *testing.T) {
	const failed = `{"Successful":[],"Failed":[{"Id":"0","SenderFault":true,"Code":"ReceiptHandleIsInvalid"}]}`
	atDesk(t, func(t *testing.T, d *desk) {
		d.listener.Set(d.over(t, answering{d.Transport(), "DeleteMessageBatch", failed}).Queue(d.url))
		// The reading that it replaces has ended: what that one heard would be heard again.
		d.after(time.Second)
		for range 60 {
			d.PutSecret("prod/db", "2")
		}
		d.after(time.Minute)
		d.PutParameter("/prod/port", "String", "80")
		d.after(2 * time.Minute)
		heard := d.changes()
		if n := strings.Count(fmt.Sprint(heard), "prod/db"); n != 60 || len(heard) != 61 {
			t.Errorf("heard %d notices, %d of them of prod/db", len(heard), n)
		}
		d.after(time.Hour)
		if got := d.changes(); len(got) > 0 {
			t.Errorf("heard again: %s", got)
		}
		if got := d.logged("level="); len(got) != 1 || !strings.Contains(got[0], "ReceiptHandleIsInvalid") {
			t.Errorf("%s", got)
		}
		if n := d.Calls()["ReceiveMessage"]; n > 1200 {
			t.Errorf("%d polls in an hour", n)
		}
	})
}

// The notices of a queue that is given up may be lost: whoever listens is told.
func TestAnotherQueueMissesNotices(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.listener.Set(d.over(t, d.Transport()).Queue(d.url)) // the same, with other credentials
		d.after(time.Second)
		if d.missed != 0 {
			t.Error("the same queue with other credentials misses nothing")
		}
		d.listener.Set(d.source.Queue(d.MakeQueue("rendered-web-2")))
		d.after(time.Second)
		if d.missed != 1 {
			t.Errorf("told %d times", d.missed)
		}
	})
}

// hasty answers every poll at once with nothing, as some emulators do.
type hasty struct{ polls int }

func (h *hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	h.polls++
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: http.NoBody, Request: r, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func TestHastyQueueIsNoHotLoop(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		h := new(hasty)
		d.listener.Set(d.over(t, h).Queue(d.url))
		d.after(time.Minute)
		d.listener.Set(nil)
		synctest.Wait()
		if h.polls < 10 || h.polls > 70 {
			t.Errorf("%d polls in a minute", h.polls)
		}
	})
}

// Another queue takes the place of the first; the same is not begun again; with none there are no
// polls.
func TestSet(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.ResetCalls()
		d.listener.Set(d.source.Queue(d.url))
		synctest.Wait()
		if n := d.Calls(); len(n) > 0 {
			t.Errorf("the same queue: %v", n)
		}
		other := d.In("", "us-east-1").MakeQueue("other")
		d.listener.Set(d.source.Queue(other))
		d.after(time.Second)
		d.In("", "us-east-1").Send(other, parameterEvent("Update"))
		d.PutSecret("prod/db", "2")
		d.after(time.Second)
		if got := fmt.Sprint(d.changes()); got != "[/prod/port]" || d.waiting() != 1 {
			t.Errorf("heard %s, %d messages in the old queue", got, d.waiting())
		}
		d.listener.Set(nil)
		synctest.Wait()
		d.ResetCalls()
		d.after(time.Hour)
		if n := d.Calls(); len(n) > 0 {
			t.Errorf("without a queue: %v", n)
		}
	})
}
