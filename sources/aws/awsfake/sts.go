package awsfake

import (
	"net/http"
	"net/url"
	"regexp"
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

type assumeRole struct{ role, session, duration string }

func (in *assumeRole) read(form url.Values) {
	in.role, in.session, in.duration = form.Get("RoleArn"), form.Get("RoleSessionName"), form.Get("DurationSeconds")
}

func (in *assumeRole) names() []string { return []string{in.role} }

var (
	roleARN     = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):role/(?:.*/)?([A-Za-z0-9_+=,.@-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
)

// run lets everyone assume every role. The keys work until they expire, and requests signed with them come from the role.
func (in *assumeRole) run(at *Place, _ *call) (any, error) {
	role := roleARN.FindStringSubmatch(in.role)
	lasts, err := in.lasts()
	switch {
	case role == nil:
		return nil, refuse("ValidationError", "%s is invalid", in.role)
	case !sessionName.MatchString(in.session):
		return nil, refuse("ValidationError", `1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, in.session)
	case err != nil:
		return nil, err
	}
	serial := at.server.next()
	key := "ASIA" + letters(16, "key", serial)
	given := session{
		identity: assumed(role[1], role[2], in.session),
		token:    "IQoJ" + strings.Repeat(letters(52, "token", serial), 4),
		expires:  time.Now().Add(lasts).Truncate(time.Second),
	}
	at.server.sessions[key] = given
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
		credentials{key, letters(40, "secret key", serial), given.token, given.expires.UTC().Format(time.RFC3339)},
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
	return time.Duration(seconds) * time.Second, nil
}
