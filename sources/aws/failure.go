package aws

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"

	"github.com/aws/smithy-go"

	"github.com/rendered/rendered/sources"
)

// A failure is what an error of the SDK means. The error's own text is not used: it can quote a
// body, a URL, a line of a credentials file or, in a signature's case, a session token.
type failure struct {
	reason  sources.Reason
	detail  string
	code    string // AWS's, "" where AWS did not answer
	message string // AWS's, whole; only parts that are known may be shown
	login   string // the profile that somebody must log in with, by SSO; ""
	clock   bool   // this machine's is wrong
	file    *tokenError
}

func (f *failure) Error() string {
	if f.detail == "" {
		return string(f.reason)
	}
	return string(f.reason) + ": " + f.detail
}

// describe gives err in our words.
func describe(err error) error {
	f := diagnose(err)
	if f.reason == sources.Denied {
		f.detail = readDenial(f.message).detail()
	}
	return f
}

// A meaning is what one of AWS's codes means. The detail is of refused credentials, of which AWS's
// own text can hold the token.
type meaning struct {
	reason sources.Reason
	detail string
}

const (
	expired   = "they have expired"
	unknown   = "AWS does not know them"
	wrongTime = "this machine's clock is wrong"
	unsigned  = "the signature is not accepted; is the secret access key right, and the clock?"
)

// meanings are those of codes of Secrets Manager, Parameter Store, SQS and STS.
var meanings = map[string]meaning{
	"ResourceNotFoundException": {reason: sources.Missing},
	"ParameterNotFound":         {reason: sources.Missing},
	"ParameterVersionNotFound":  {reason: sources.Missing},

	"QueueDoesNotExist":                       {reason: sources.Missing},
	"AWS.SimpleQueueService.NonExistentQueue": {reason: sources.Missing},

	"AccessDeniedException":     {reason: sources.Denied},
	"AccessDenied":              {reason: sources.Denied},
	"UnauthorizedOperation":     {reason: sources.Denied},
	"KmsAccessDenied":           {reason: sources.Denied},
	"KMS.AccessDeniedException": {reason: sources.Denied},

	"InvalidRequestException":   {reason: sources.Unanswerable},
	"InvalidParameterException": {reason: sources.Unanswerable},
	"ValidationException":       {reason: sources.Unanswerable},
	"ValidationError":           {reason: sources.Unanswerable},
	"InvalidAddress":            {reason: sources.Unanswerable},

	"DecryptionFailure":        {reason: sources.Undecryptable},
	"InvalidKeyId":             {reason: sources.Undecryptable},
	"KMSInvalidStateException": {reason: sources.Undecryptable},
	"KMSNotFoundException":     {reason: sources.Undecryptable},
	"KMSDisabledException":     {reason: sources.Undecryptable},
	"DisabledException":        {reason: sources.Undecryptable},

	"ExpiredToken":                        {sources.Credentials, expired},
	"ExpiredTokenException":               {sources.Credentials, expired},
	"RequestExpired":                      {sources.Credentials, "the request came too late; is the clock right?"},
	"RequestTimeTooSkewed":                {sources.Credentials, wrongTime},
	"RequestInTheFuture":                  {sources.Credentials, wrongTime},
	"UnrecognizedClientException":         {sources.Credentials, unknown},
	"InvalidClientTokenId":                {sources.Credentials, unknown},
	"InvalidAccessKeyId":                  {sources.Credentials, unknown},
	"InvalidSignatureException":           {sources.Credentials, unsigned},
	"SignatureDoesNotMatch":               {sources.Credentials, unsigned},
	"IncompleteSignature":                 {reason: sources.Credentials},
	"IncompleteSignatureException":        {reason: sources.Credentials},
	"MissingAuthenticationToken":          {reason: sources.Credentials},
	"MissingAuthenticationTokenException": {reason: sources.Credentials},
	"NotAuthorized":                       {reason: sources.Credentials},
	"AuthFailure":                         {reason: sources.Credentials},
	"OptInRequired":                       {sources.Credentials, "the account does not use this Region or service"},
}

// is tells whether an error of a type is in the tree of err.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// What an answer of HTTP 200 means that does not hold what was asked for.
var (
	// errNoParameter stands for a name in InvalidParameters. Without a selector there is only one
	// reason to be there.
	errNoParameter = &failure{reason: sources.Missing}
	errEmptyAnswer = &failure{reason: sources.Unavailable, detail: "AWS's answer does not hold it"}
	errTooLong     = &failure{reason: sources.Unavailable, detail: "the answer holds a value that is longer than AWS stores"}
)

// diagnose gives what err means.
func diagnose(err error) *failure {
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return e.failure()
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	code := status(err)
	api, ok := errors.AsType[smithy.APIError](err)
	bad, isBad := errors.AsType[*badAnswer](err)
	switch {
	case isBad && code != 0:
		return &failure{reason: sources.Unavailable, detail: bad.what}
	case isRedirect(code):
		return &failure{reason: sources.Unavailable, detail: redirected(code)}
	case ok:
		return apiFailure(api, code)
	case code >= 300:
		return &failure{reason: byStatus(code), detail: fmt.Sprintf("HTTP %d, not from AWS itself", code)}
	case code != 0:
		return &failure{reason: sources.Unavailable, detail: "the answer cannot be read"}
	}
	return &failure{reason: sources.Unavailable, detail: unreachable(err)}
}

// apiFailure gives what an answer of AWS's with a code means.
func apiFailure(e smithy.APIError, status int) *failure {
	m := meanings[e.ErrorCode()]
	f := &failure{reason: m.reason, detail: m.detail, code: e.ErrorCode(), message: e.ErrorMessage(), clock: m.detail == wrongTime}
	switch {
	case throttled(e):
		f.reason = sources.Throttled
	case f.reason == "":
		f.reason, f.detail = byStatus(status), fmt.Sprintf("HTTP %d %s", status, plainCode(f.code))
	case f.reason == sources.Credentials:
		if off := skew(f.message); off != "" {
			f.detail, f.clock = "this machine's clock is "+off+" AWS's", true
		}
	case f.reason == sources.Unanswerable && strings.Contains(f.message, "deletion"):
		f.reason = sources.Deleted
	case f.reason == sources.Unanswerable, f.reason == sources.Undecryptable:
		f.detail = oneLine(f.message)
	}
	return f
}

// outOfTime is how AWS refuses a signature for its time: ours, the bound, and its own time.
var outOfTime = lazyregexp.New(`Signature (?:expired|not yet current): ([0-9]{8}T[0-9]{6}Z) is .* ([0-9]{8}T[0-9]{6}Z) \(([0-9]{8}T[0-9]{6}Z) [-+] `)

// skew reads how far our clock is from AWS's, as "10m behind"; "" where AWS does not say so.
func skew(message string) string {
	m := outOfTime.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	const form = "20060102T150405Z"
	ours, err := time.Parse(form, m[1])
	theirs, err2 := time.Parse(form, m[3])
	switch {
	case err != nil || err2 != nil:
		return ""
	case ours.After(theirs):
		return about(ours.Sub(theirs)) + " ahead of"
	}
	return about(theirs.Sub(ours)) + " behind"
}

// about leaves the seconds out: an error that differs each time is said each time.
func about(d time.Duration) string {
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

func isRedirect(code int) bool { return code >= 300 && code < 400 }

func redirected(code int) string {
	return fmt.Sprintf("HTTP %d, a redirect, which is not followed", code)
}

func byStatus(status int) sources.Reason {
	if status == 429 {
		return sources.Throttled
	}
	return sources.Unavailable
}

var codePattern = lazyregexp.New(`^[A-Za-z][A-Za-z0-9.]{0,63}$`)

// plainCode gives code where it looks like one of AWS's.
func plainCode(code string) string {
	if codePattern.MatchString(code) {
		return code
	}
	return "without a code"
}

// oneLine makes AWS's text fit into an error of ours. It serves texts that name a constraint, a
// name or a key.
func oneLine(text string) string {
	const most = 300
	text = strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ".")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// unaccepted tells whether AWS refuses the credentials, or there are none.
func unaccepted(err error) bool {
	return err != nil && diagnose(err).reason == sources.Credentials
}

// ofOneName tells whether the error of a batch may be that of a single name in it.
func ofOneName(err error) bool {
	switch diagnose(err).reason {
	case sources.Denied, sources.Unanswerable, sources.Undecryptable, sources.Missing, sources.Deleted:
		return true
	}
	return false
}

// unreachable says why there was no answer. Of the URL only the host is named.
func unreachable(err error) string {
	why := connection(err)
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "proxyconnect" {
		why = "the proxy: " + why
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		if u, err := url.Parse(e.URL); err == nil && u.Host != "" {
			return u.Host + ": " + why
		}
	}
	return why
}

const noSuchHost = "no such host"

func connection(err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return noSuchHost
	} else if ok {
		return "its name cannot be looked up now"
	}
	if why := certificate(err); why != "" {
		return why
	}
	if e, ok := errors.AsType[*badAnswer](err); ok {
		return e.what
	}
	code, ok := errors.AsType[syscall.Errno](err)
	switch {
	case is[*slowAnswer](err):
		return fmt.Sprintf("the answer does not end within %s", answerWithin)
	case ok:
		return code.Error()
	case isTimeout(err):
		return within(answerWithin)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke off"
	}
	return unread(err)
}

// garbled are the words of net/http for an answer that it cannot read.
var garbled = lazyregexp.New(`malformed|transport connection broken|chunk|trailer|Content-Length|transfer encoding|header line too long`)

// unread tells an answer that is no HTTP from a request that was not sent. net/http has no types
// for the two.
func unread(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL
	}
	if garbled.MatchString(err.Error()) {
		return "what it answers is not HTTP as AWS speaks it; is it another service, or does it want https?"
	}
	return "the request cannot be sent"
}

func within(d time.Duration) string { return fmt.Sprintf("nothing within %s", d) }

// certificate says what is wrong with the server's, "" where nothing is.
func certificate(err error) string {
	switch {
	case is[x509.UnknownAuthorityError](err):
		return "its certificate is signed by an unknown authority; AWS_CA_BUNDLE names a file of further ones"
	case is[x509.HostnameError](err):
		return "its certificate is for another name"
	case is[*tls.CertificateVerificationError](err):
		return "its certificate is not valid; is the clock right?"
	case is[tls.RecordHeaderError](err), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS"
	}
	return ""
}
