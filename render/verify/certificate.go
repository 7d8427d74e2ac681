package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Certificate is what a server's certificate says to everybody who connects.
type Certificate struct {
	Names    []string // that it is for: host names, then IP addresses
	NotAfter time.Time
}

const (
	certificateType = "CERTIFICATE"
	// mostNames bounds the names of a certificate.
	mostNames = 100
)

// hostName is what a host name looks like, with a * in the place of its first label: what else
// stands in a certificate need not be public.
var hostName = lazyregexp.New(`^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*$`)

// First reads the first certificate in a file, which is the one that a server shows; nil: there is
// none, or it cannot be read.
func First(content []byte) *Certificate {
	if !bytes.Contains(content, []byte("-----BEGIN "+certificateType+"-----")) {
		return nil
	}
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != certificateType {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return &Certificate{namesOf(c), c.NotAfter}
	}
	return nil
}

func namesOf(c *x509.Certificate) (names []string) {
	for _, name := range c.DNSNames {
		if len(name) <= 253 && hostName.MatchString(name) && len(names) < mostNames {
			names = append(names, name)
		}
	}
	for _, ip := range c.IPAddresses {
		if addr, ok := netip.AddrFromSlice(ip); ok && len(names) < mostNames {
			names = append(names, addr.String())
		}
	}
	return names
}
