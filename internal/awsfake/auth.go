package awsfake

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An identity is who asks.
type identity struct {
	account string
	role    string // the ARN of the role that it is a session of
	arn     string
	userID  string
}

// A session is what AssumeRole gave out.
type session struct {
	identity
	token   string
	expires time.Time
}

// A credential scope by AWS's Signature Version 4.
var credential = regexp.MustCompile(`Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request`)

// The host of a Region's endpoint.
var regional = regexp.MustCompile(`^[a-z]+\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// authenticate finds out who signed r and for which Region. Any access key will do; one of
// AssumeRole's needs its token, and is refused after its time.
func (s *Server) authenticate(r *http.Request, c *call) *refusal {
	svc, header := c.service, r.Header.Get("Authorization")
	if header == "" {
		return svc.unsigned()
	}
	m := credential.FindStringSubmatch(header)
	if m == nil || !strings.HasPrefix(header, "AWS4-HMAC-SHA256 ") {
		return svc.denied("IncompleteSignatureException", "IncompleteSignature", "Authorization header requires 'Credential' parameter.")
	}
	key, region, name := m[1], m[2], m[3]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.endpoint(svc, r.Host, region):
		return svc.mismatch("Credential should be scoped to a valid region. ")
	case name != svc.name:
		return svc.mismatch("Credential should be scoped to correct service: '" + svc.name + "'. ")
	}
	caller, refused := s.identify(key, r.Header.Get("X-Amz-Security-Token"), svc)
	if refused == nil {
		c.caller, c.place = caller, s.at(caller.account, region)
	}
	return refused
}

// endpoint tells whether a service can be asked for a Region at a host. A host of AWS's is for its
// own Region only.
func (s *Server) endpoint(svc *service, host, region string) bool {
	if svc.query() && region == "us-east-1" { // STS has a global endpoint, too
		return true
	}
	m := regional.FindStringSubmatch(host)
	return s.regions[region] && (m == nil || m[1] == region)
}

// identify tells who holds an access key. The server is locked.
func (s *Server) identify(key, token string, svc *service) (identity, *refusal) {
	known, ok := s.sessions[key]
	switch {
	case !ok:
		return s.instance(), nil
	case known.token != token:
		return identity{}, svc.unrecognized()
	case !time.Now().Before(known.expires):
		return identity{}, svc.expired()
	}
	return known.identity, nil
}

// assumed is a session of a role.
func assumed(account, role, name string) identity {
	return identity{
		account: account,
		role:    "arn:aws:iam::" + account + ":role/" + role,
		arn:     "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name,
		userID:  "AROA" + letters(17, "role", account, role) + ":" + name,
	}
}

// denied is a refusal of the front end. STS and SQS have their own codes for them and answer 403.
func (svc *service) denied(code, queryCode, message string) *refusal {
	if svc.oldCodes() {
		return &refusal{code: queryCode, message: message, status: http.StatusForbidden}
	}
	return refuse(code, "%s", message)
}

func (svc *service) mismatch(message string) *refusal {
	return svc.denied("InvalidSignatureException", "SignatureDoesNotMatch", message)
}

func (svc *service) unsigned() *refusal {
	if svc.oldCodes() {
		return svc.denied("", "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	return refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
}

func (svc *service) expired() *refusal {
	return svc.denied("ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired")
}

func (svc *service) unrecognized() *refusal {
	return svc.denied("UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid.")
}

// next gives a number that nobody has had yet. The server is locked.
func (s *Server) next() string {
	s.serial++
	return strconv.Itoa(s.serial)
}

// uuid makes the id that stands for parts. The same parts give the same id, so that a test's run
// can be repeated.
func uuid(parts ...string) string {
	d := digest(parts)
	d[6], d[8] = d[6]&0x0f|0x40, d[8]&0x3f|0x80
	h := hex.EncodeToString(d[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:32]}, "-")
}

// letters makes n capital letters and digits that stand for parts; n is at most 52.
func letters(n int, parts ...string) string {
	d := digest(parts)
	return base32.StdEncoding.EncodeToString(d[:])[:n]
}

func digest(parts []string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join(parts, "\x00")))
}
