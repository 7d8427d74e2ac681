package awsfake

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tokenService answers AWS STS's API of 2011-06-15.
var tokenService = &service{
	name:     "sts",
	internal: "InternalFailure",
	operations: map[string]func() operation{
		"AssumeRole":        func() operation { return new(assumeRole) },
		"GetCallerIdentity": func() operation { return new(getCallerIdentity) },
	},
}

// formAction gives the operation of the query protocol.
func formAction(body []byte) string {
	form, _ := url.ParseQuery(string(body))
	return form.Get("Action")
}

type getCallerIdentity struct{}

func (*getCallerIdentity) read(url.Values) {}
func (*getCallerIdentity) names() []string { return nil }

func (*getCallerIdentity) run(_ *Place, c *call) (any, error) {
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{c.caller.arn, c.caller.userID, c.caller.account}, nil
}

// A trust is whom a role lets assume it.
type trust struct {
	externalID string   // that must be given; "" is any, and none
	roles      []string // whose sessions are let in; none is everybody's
}

// AllowRole lets a role be assumed, with the external id where that is not "", by the sessions of
// the roles that it trusts, by everybody's where none is named. The server's own callers are
// sessions of arn:aws:iam::ACCOUNT:role/web. Before the first AllowRole everybody may assume every
// role; after it, no other.
func (s *Server) AllowRole(roleARN, externalID string, trusted ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.roles == nil {
		s.roles = make(map[string]trust)
	}
	s.roles[roleARN] = trust{externalID, trusted}
}

// SetSessionLifetime lets the sessions that are given out from now on, by AssumeRole and instance
// metadata, end after d, whatever was asked for; 0 is what was asked for. AWS does not do less than
// 15 minutes.
func (s *Server) SetSessionLifetime(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lifetime = d
}

// trusts tells whether a role lets who assume it. The server is locked.
func (s *Server) trusts(role, externalID string, who identity) bool {
	t, ok := s.roles[role]
	return s.roles == nil || ok && (t.externalID == "" || t.externalID == externalID) &&
		(len(t.roles) == 0 || slices.Contains(t.roles, who.role))
}

// open begins a session. The server is locked.
func (s *Server) open(who identity, lasts time.Duration) (key, secret string, given session) {
	if s.lifetime > 0 {
		lasts = s.lifetime
	}
	serial := s.next()
	key, secret = "ASIA"+letters(16, "key", serial), letters(40, "secret key", serial)
	given = session{
		identity: who,
		token:    "IQoJ" + strings.Repeat(letters(52, "token", serial), 4),
		expires:  time.Now().Add(lasts).Truncate(time.Second),
	}
	s.sessions[key] = given
	return key, secret, given
}

type assumeRole struct{ role, session, duration, externalID string }

func (in *assumeRole) read(form url.Values) {
	in.role, in.session, in.duration = form.Get("RoleArn"), form.Get("RoleSessionName"), form.Get("DurationSeconds")
	in.externalID = form.Get("ExternalId")
}

func (in *assumeRole) names() []string { return []string{in.role} }

var (
	roleARN     = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):role/(?:.*/)?([A-Za-z0-9_+=,.@-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
)

// run gives keys that work until they expire; requests signed with them come from the role.
func (in *assumeRole) run(at *Place, c *call) (any, error) {
	role := roleARN.FindStringSubmatch(in.role)
	lasts, err := in.lasts()
	switch {
	case role == nil:
		return nil, refuse("ValidationError", "%s is invalid", in.role)
	case len(in.session) > 64:
		return nil, refuse("ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64", in.session)
	case !sessionName.MatchString(in.session):
		return nil, refuse("ValidationError", `1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, in.session)
	case err != nil:
		return nil, err
	case !at.server.trusts(in.role, in.externalID, c.caller):
		return nil, c.forbidden(c.operation, in.role, unexplained)
	}
	who := assumed(role[1], role[2], in.session)
	who.role = in.role // with its path
	key, secret, given := at.server.open(who, lasts)
	type user struct {
		Arn           string
		AssumedRoleID string `xml:"AssumedRoleId"`
	}
	type credentials struct {
		AccessKeyID                               string `xml:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	return struct {
		AssumedRoleUser user
		Credentials     credentials
	}{
		user{given.arn, given.userID},
		credentials{key, secret, given.token, given.expires.UTC().Format(time.RFC3339)},
	}, nil
}

// lasts gives how long the session is to last.
func (in *assumeRole) lasts() (time.Duration, error) {
	if in.duration == "" {
		return time.Hour, nil
	}
	seconds, err := strconv.Atoi(in.duration)
	if err != nil || seconds < 900 || seconds > 43200 {
		return 0, &refusal{code: "ValidationError", status: http.StatusBadRequest,
			message: "1 validation error detected: Value '" + in.duration + "' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"}
	}
	if seconds > 3600 { // every caller of ours is itself a session of a role
		return 0, refuse("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return time.Duration(seconds) * time.Second, nil
}
