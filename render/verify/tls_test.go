package verify

import (
	"crypto"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/testpki"
)

var (
	now  = time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC)
	soon = now.Add(60 * time.Hour)
	old  = now.AddDate(-1, 0, 0)
	far  = now.AddDate(1, 0, 0)

	root         = testpki.New(testpki.CA("root", old, far), nil, nil)
	intermediate = testpki.New(testpki.CA("intermediate", old, far), nil, root)
	leaf         = testpki.New(testpki.Leaf(old, far, "www.example.com"), nil, intermediate)
	other        = testpki.New(testpki.Leaf(old, far, "www.example.com"), nil, intermediate)
	// renewed has the same name and another key.
	renewed  = testpki.New(testpki.CA("intermediate", old, far), nil, root)
	stranger = testpki.New(testpki.CA("stranger", old, far), nil, nil)
)

// key gives what a generator made.
func key[K crypto.Signer](k K, err error) crypto.Signer {
	if err != nil {
		panic(err)
	}
	return k
}

func certs(pairs ...*testpki.Pair) string {
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(p.CertPEM())
	}
	return b.String()
}

func block(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// files gives what stands at /cert and /key.
func files(cert, key string) func(string) []byte {
	return func(path string) []byte { return []byte(map[string]string{"/cert": cert, "/key": key}[path]) }
}

// said gives each fault's file, and what is wrong without the rule's prefix.
func said(list fault.List) []string {
	var lines []string
	for _, f := range list {
		what := strings.TrimSuffix(strings.TrimPrefix(f.What, "verify.tls."), "; file not written")
		lines = append(lines, f.Place.File+" "+what)
	}
	return lines
}

func TestDates(t *testing.T) {
	within := func(begins, ends time.Time, issuer *testpki.Pair) *testpki.Pair {
		return testpki.New(testpki.Leaf(begins, ends, "a"), leaf.Key, issuer)
	}
	ca := func(begins, ends time.Time) *testpki.Pair {
		return testpki.New(testpki.CA("intermediate", begins, ends), intermediate.Key, root)
	}
	const day = 24 * time.Hour
	second := time.Second
	for name, tt := range map[string]struct {
		chain    []*testpki.Pair
		validFor time.Duration
		want     string
	}{
		"good":                           {[]*testpki.Pair{within(old, far, intermediate)}, 0, ""},
		"from now on":                    {[]*testpki.Pair{within(now, far, intermediate)}, 0, ""},
		"from the next second on":        {[]*testpki.Pair{within(now.Add(second), far, intermediate)}, 0, "cert: the certificate is not valid before 2026-11-24 12:00:01 UTC"},
		"to this second":                 {[]*testpki.Pair{within(old, now, intermediate)}, 0, ""},
		"to the last second":             {[]*testpki.Pair{within(old, now.Add(-second), intermediate)}, 0, "cert: the certificate expired on 2026-11-24 11:59:59 UTC"},
		"expired is not said twice":      {[]*testpki.Pair{within(old, now.Add(-second), intermediate)}, 3 * day, "cert: the certificate expired on"},
		"soon enough":                    {[]*testpki.Pair{within(old, soon, intermediate)}, 60 * time.Hour, ""},
		"too soon":                       {[]*testpki.Pair{within(old, soon, intermediate)}, 72 * time.Hour, "valid_for: the certificate expires on 2026-11-27 00:00:00 UTC, which is less than 72h from now"},
		"by a second":                    {[]*testpki.Pair{within(old, soon, intermediate)}, 60*time.Hour + second, "valid_for: the certificate expires on 2026-11-27 00:00:00 UTC, which is less than 60h0m1s from now"},
		"the chain's earliest":           {[]*testpki.Pair{within(old, far, intermediate), ca(old, soon), root}, 90 * time.Hour, "valid_for: certificate 2 of 3 expires on 2026-11-27 00:00:00 UTC"},
		"the chain is over":              {[]*testpki.Pair{within(old, soon, intermediate), ca(old, now.Add(-day))}, 0, "cert: certificate 2 of 2 expired on 2026-11-23 12:00:00 UTC"},
		"the chain is not valid yet":     {[]*testpki.Pair{within(old, far, intermediate), ca(now.Add(day), far)}, 0, "cert: certificate 2 of 2 is not valid before 2026-11-25 12:00:00 UTC"},
		"the leaf, before its own chain": {[]*testpki.Pair{within(now.Add(2*day), far, intermediate), ca(now.Add(day), far)}, 0, "cert: certificate 1 of 2 is not valid before 2026-11-26 12:00:00 UTC"},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(TLS{Cert: "/cert", Key: "/key", ValidFor: tt.validFor}.Check(files(certs(tt.chain...), leaf.KeyPEM()), now))
			if tt.want == "" && got != nil || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "/cert "+tt.want)) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestHost(t *testing.T) {
	common := testpki.Leaf(old, far)
	common.Subject.CommonName = "www.example.com"
	covers := map[string]*testpki.Pair{
		"names":       testpki.New(testpki.Leaf(old, far, "www.example.com", "example.com", "10.0.0.1", "2001:db8::1"), nil, intermediate),
		"wildcard":    testpki.New(testpki.Leaf(old, far, "*.example.com"), nil, intermediate),
		"common name": testpki.New(common, nil, intermediate),
	}
	for _, tt := range []struct {
		cert, host string
		good       bool
	}{
		{"names", "www.example.com", true},
		{"names", "WWW.Example.COM", true},
		{"names", "example.com", true},
		{"names", "api.example.com", false},
		{"names", "10.0.0.1", true},
		{"names", "10.0.0.2", false},
		{"names", "2001:db8:0::1", true},
		{"names", "*.example.com", false},
		{"wildcard", "www.example.com", true},
		{"wildcard", "*.example.com", true},
		{"wildcard", "example.com", false},
		{"wildcard", "a.b.example.com", false},
		{"common name", "www.example.com", false},
	} {
		p := covers[tt.cert]
		list := TLS{Cert: "/cert", Key: "/key", Hosts: []string{tt.host}}.Check(files(certs(p), p.KeyPEM()), now)
		if got := said(list); tt.good && got != nil || !tt.good && (len(got) != 1 || got[0] != "/cert host: the certificate does not cover "+tt.host) {
			t.Errorf("%s and %s: %q", tt.cert, tt.host, got)
		}
		if tt.cert == "common name" && !strings.Contains(list[0].Text(), "no subject alternative name") {
			t.Errorf("a common name alone: %q", list[0].Text())
		}
	}
}

// All that is wrong is said at once, but not what only follows from it.
func TestAllAtOnce(t *testing.T) {
	p := testpki.New(testpki.Leaf(old, soon, "www.example.com"), nil, intermediate)
	rule := TLS{Cert: "/cert", Key: "/key", Hosts: []string{"www.example.com", "a.example.com", "b.example.com"}, ValidFor: 72 * time.Hour}
	for name, tt := range map[string]struct {
		cert, key string
		want      []string
	}{
		"rules": {certs(p), leaf.KeyPEM(), []string{"/key key", "/cert valid_for", "/cert host", "/cert host"}},
		"files": {"x", "y", []string{"/cert cert", "/key key"}},
		"order": {certs(intermediate, p), "y", []string{"/cert cert", "/key key"}},
		"key":   {certs(p), "y", []string{"/key key", "/cert valid_for", "/cert host", "/cert host"}},
	} {
		got := said(rule.Check(files(tt.cert, tt.key), now))
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], ":")
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	// As time goes by the text stays, so that the log says it once.
	a := rule.Check(files(certs(p), p.KeyPEM()), now)
	if b := rule.Check(files(certs(p), p.KeyPEM()), now.Add(time.Hour)); a.Error() != b.Error() {
		t.Errorf("%v became %v", a, b)
	}
}

func TestConcerns(t *testing.T) {
	for _, tt := range []struct {
		rule  TLS
		paths []string
		want  bool
	}{
		{TLS{Cert: "/cert", Key: "/key"}, []string{"/x", "/cert"}, true},
		{TLS{Cert: "/cert", Key: "/key"}, []string{"/key"}, true},
		{TLS{Cert: "/cert", Key: "/key"}, []string{"/x"}, false},
		{TLS{Cert: "/cert"}, []string{"/cert"}, true},
		{TLS{Cert: "/cert"}, nil, false},
	} {
		if tt.rule.Concerns(tt.paths) != tt.want {
			t.Errorf("%+v and %v: not %v", tt.rule, tt.paths, tt.want)
		}
	}
}
