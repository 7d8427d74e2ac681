// Package verify looks at what a service is about to write, before any of it is staged. What it
// says holds nothing of the bytes: a path, a position, a date, and what the config says.
package verify

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/format"
)

// A TLS is a certificate with its chain and its private key, as a server reads them.
type TLS struct {
	Cert string // path of the file with the certificate, and the chain below it
	// Key is the path of the file with the private key. "": it is in that of the certificate.
	Key      string
	Hosts    []string      // names and IP addresses that the certificate covers
	ValidFor time.Duration // every certificate of the chain is valid for so long at least
}

// Paths gives the files that it is about.
func (t TLS) Paths() []string { return slices.Compact([]string{t.Cert, t.keyPath()}) }

// Concerns tells whether it is about one of these paths.
func (t TLS) Concerns(paths []string) bool {
	return slices.ContainsFunc(t.Paths(), func(path string) bool { return slices.Contains(paths, path) })
}

func (t TLS) keyPath() string { return cmp.Or(t.Key, t.Cert) }

// Check says what is wrong with what the files are to hold, as of now.
func (t TLS) Check(content func(path string) []byte, now time.Time) fault.List {
	return t.Read(content).Faults(now)
}

// A Reading is what stands in the files, parsed. It holds no private key.
type Reading struct {
	rule   TLS
	chain  []*x509.Certificate // nil where it cannot be read
	faults fault.List          // that no time mends
}

// Read parses what the files are to hold, and compares them.
func (t TLS) Read(content func(path string) []byte) *Reading {
	r := &Reading{rule: t}
	blocks := r.decode(t.Cert, ruleCert, content(t.Cert))
	if blocks != nil {
		var failed *fault.Fault
		r.chain, failed = t.chain(blocks)
		r.note(failed)
	}
	if t.keyPath() != t.Cert {
		blocks = r.decode(t.Key, ruleKey, content(t.Key))
	}
	if blocks != nil {
		public, failed := t.publicKey(blocks)
		if r.note(failed); failed == nil && r.chain != nil {
			r.note(t.matches(r.chain, public))
		}
	}
	return r
}

// note adds a fault, if it is one.
func (r *Reading) note(f *fault.Fault) {
	if f != nil {
		r.faults = append(r.faults, f)
	}
}

// decode gives the PEM blocks of a file, nil where they cannot be read. Everything in it that
// begins like a block is one.
func (r *Reading) decode(path, rule string, data []byte) (blocks []*pem.Block) {
	f, err := format.Parse("pem")
	if err == nil {
		err = f.Check(data)
	}
	if err != nil {
		r.note(wrong(path, rule, err.Error(), "store the text of the PEM file as it is, line breaks included"))
		return nil
	}
	for block := range format.Blocks(data) {
		if block != nil {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// Faults says what is wrong, as of now. The File of each fault's place is the path of the file that
// it is about. The text stays the same as time goes by, until something else is wrong.
func (r *Reading) Faults(now time.Time) fault.List {
	present := Reading{faults: slices.Clone(r.faults)}
	if r.chain != nil {
		present.note(r.rule.begun(r.chain, now))
		present.note(r.rule.ends(r.chain, now))
		present.faults = append(present.faults, r.rule.covers(r.chain[0])...)
	}
	return present.faults
}

// The rules are those of the config's keys.
const (
	ruleCert     = "cert"
	ruleKey      = "key"
	ruleHost     = "host"
	ruleValidFor = "valid_for"
)

func wrong(path, rule, what string, hints ...string) *fault.Fault {
	return &fault.Fault{Place: fault.Place{File: path}, What: "verify.tls." + rule + ": " + what + "; file not written", Hints: hints}
}

// date writes a time as it is written in all messages.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// begun wants every certificate to be valid already.
func (t TLS) begun(chain []*x509.Certificate, now time.Time) *fault.Fault {
	last := slices.MaxFunc(chain, func(a, b *x509.Certificate) int { return a.NotBefore.Compare(b.NotBefore) })
	if !last.NotBefore.After(now) {
		return nil
	}
	what := fmt.Sprintf("%s is not valid before %s", position(slices.Index(chain, last), chain), date(last.NotBefore))
	return wrong(t.Cert, ruleCert, what, "it is tried again until then; is the clock of this machine right?")
}

// ends wants no certificate to end too soon.
func (t TLS) ends(chain []*x509.Certificate, now time.Time) *fault.Fault {
	first := slices.MinFunc(chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	at, end := slices.Index(chain, first), first.NotAfter
	switch {
	case now.After(end):
		return wrong(t.Cert, ruleCert, fmt.Sprintf("%s expired on %s", position(at, chain), date(end)), renew(at))
	case now.Add(t.ValidFor).After(end):
		return wrong(t.Cert, ruleValidFor, fmt.Sprintf("%s expires on %s, which is less than %s from now", position(at, chain), date(end), short(t.ValidFor)),
			renew(at)+", or make valid_for: shorter")
	}
	return nil
}

func renew(at int) string {
	if at == 0 {
		return "store a renewed certificate"
	}
	return "store the certificate with the present chain of its CA"
}

// short writes a duration without the parts that are zero.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// covers wants the certificate to be one for every host.
func (t TLS) covers(leaf *x509.Certificate) fault.List {
	hint := "it must be issued for that name too"
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		hint = "it has no subject alternative name for any; clients do not look at the common name"
	}
	var list fault.List
	for _, host := range t.Hosts {
		// The error quotes the certificate.
		if leaf.VerifyHostname(host) != nil {
			list = append(list, wrong(t.Cert, ruleHost, "the certificate does not cover "+host, hint))
		}
	}
	return list
}
