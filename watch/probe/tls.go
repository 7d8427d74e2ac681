package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/endpoint"
)

// A TLS is well where a server shows the very first certificate of a file, and proves that it has
// the key. Whom it is for, who signed it and until when it holds is not looked at.
//
// One look is several handshakes, each on a connection of its own: after a reload an old worker may
// answer between new ones for a while.
type TLS struct {
	Address string        // HOST:PORT
	Host    string        // that is asked for, by SNI; "": the one of Address, unless that is an IP address
	Cert    string        // path of the file, in PEM
	Timeout time.Duration // of one look; 0 is 5s
}

const (
	// handshakes are those of one look, each begun so long after the one before. nginx has been
	// seen to show an old certificate up to 95 ms after its first new one, after runs of seven new
	// ones.
	handshakes = 8
	between    = 50 * time.Millisecond

	maxCert = 16 << 20 // bytes of the file
)

// Name gives "tls 127.0.0.1:443 (host www.example.com, cert /etc/nginx/tls/site.crt)".
func (t TLS) Name() string {
	options := []string{"cert " + t.Cert}
	if t.Host != "" {
		options = append([]string{"host " + t.Host}, options...)
	}
	return named("tls "+t.Address, t.Timeout, options...)
}

// Begin begins a series.
func (t TLS) Begin() Look { return stateless(t, t.look) }

func (t TLS) look(ctx context.Context) *Failure {
	ctx, cancel := within(ctx, t.Timeout)
	defer cancel()
	want, failed := t.first()
	if failed != nil {
		return failed
	}
	turn := time.NewTicker(between)
	defer turn.Stop()
	for i := range handshakes {
		if i > 0 {
			select {
			case <-turn.C:
			case <-ctx.Done():
				return unreached(ctx, ctx.Err())
			}
		}
		shown, err := t.handshake(ctx)
		switch {
		case err != nil:
			return &Failure{What: err.What, Hints: err.Hints, Err: err.Err}
		case !bytes.Equal(shown, want):
			return t.other(shown, want)
		}
	}
	return nil
}

// first gives the first certificate of the file as it is now.
func (t TLS) first() ([]byte, *Failure) {
	text, err := disk.ReadFile(t.Cert, maxCert)
	if err != nil {
		return nil, &Failure{What: "the file of cert: cannot be read: " + disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, &Failure{What: "the file of cert: has no certificate in PEM"}
		}
		if block.Type == "CERTIFICATE" {
			return block.Bytes, nil
		}
	}
}

// handshake gives the certificate that the server shows of itself. Where the server asks for one of
// ours it has shown and proven its own before, whatever it does when it gets none.
func (t TLS) handshake(ctx context.Context) ([]byte, *endpoint.Error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, endpoint.Explain(ctx, err)
	}
	defer conn.Close()
	var shown []byte
	proven := false
	session := tls.Client(conn, &tls.Config{
		ServerName: t.serverName(),
		MinVersion: tls.VersionTLS12,
		// The very certificate is what is looked for: nothing else could be more certain.
		InsecureSkipVerify: true,
		VerifyPeerCertificate: func(chain [][]byte, _ [][]*x509.Certificate) error {
			shown = chain[0]
			return nil
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			proven = true
			return new(tls.Certificate), nil
		},
	})
	err = session.HandshakeContext(ctx)
	switch {
	case err == nil || proven && ctx.Err() == nil:
		return shown, nil
	case ctx.Err() == nil && !lost(err):
		return nil, &endpoint.Error{What: "does not come to terms over TLS", Hints: []string{alert(err)}, Err: err}
	}
	return nil, endpoint.Explain(ctx, err)
}

// lost tells whether a handshake failed because the connection did.
func lost(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op != "remote error" && op.Op != "local error" || errors.Is(err, net.ErrClosed)
}

// alert says why a handshake failed.
func alert(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return "the server refuses: " + op.Err.Error() // one of the words of crypto/tls
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "what answers there does not speak TLS"
	}
	return "is it TLS that is spoken there, of version 1.2 or newer?"
}

// serverName gives the name for SNI, which is none of an IP address (RFC 6066, 3).
func (t TLS) serverName() string {
	if t.Host != "" {
		return t.Host
	}
	host, _, _ := net.SplitHostPort(t.Address)
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// other is the failure of a server that shows another certificate.
func (t TLS) other(shown, want []byte) *Failure {
	return &Failure{What: "shows another certificate than that of " + t.Cert, Hints: []string{
		"it shows   " + describe(shown), "the file has   " + describe(want),
		"perhaps the server does not read that file, has not read it again, or has another one for this name",
	}}
}

// describe gives what of a certificate a person knows it by.
func describe(der []byte) string {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return "one that cannot be read"
	}
	return fmt.Sprintf("serial %x, until %s", c.SerialNumber, c.NotAfter.UTC().Format(time.RFC3339))
}
