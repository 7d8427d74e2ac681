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
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/aws/smithy-go"

	"github.com/rendered/rendered/sources"
)

// A trouble is what an error of the SDK means. The error's own text is not used: it can quote a body, a URL, a line of a
// credentials file or, in a signature's case, a session token.
type trouble struct {
	reason  sources.Reason
	detail  string
	code    string // AWS's, "" where AWS did not answer
	message string // AWS's, whole; only parts that are known may be shown
	login   string // the profile that somebody must log in with, by SSO; ""
	clock   bool   // this machine's is wrong
}

func (t *trouble) Error() string {
	if t.detail == "" {
		return string(t.reason)
	}
	return string(t.reason) + ": " + t.detail
}

// describe gives err in our words.
func describe(err error) error {
	t := diagnose(err)
	if t.reason == sources.Denied {
		t.detail = readDenial(t.message).detail()
	}
	return t
}

// reasons maps AWS's codes to what they mean, for Secrets Manager, Parameter Store and STS.
var reasons = map[string]sources.Reason{
	"ResourceNotFoundException": sources.Missing,
	"ParameterNotFound":         sources.Missing,
	"ParameterVersionNotFound":  sources.Missing,

	"QueueDoesNotExist":                       sources.Missing,
	"AWS.SimpleQueueService.NonExistentQueue": sources.Missing,

	"AccessDeniedException":     sources.Denied,
	"AccessDenied":              sources.Denied,
	"UnauthorizedOperation":     sources.Denied,
	"KmsAccessDenied":           sources.Denied,
	"KMS.AccessDeniedException": sources.Denied,

	"InvalidRequestException":   sources.Unanswerable,
	"InvalidParameterException": sources.Unanswerable,
	"ValidationException":       sources.Unanswerable,
	"ValidationError":           sources.Unanswerable,
	"InvalidAddress":            sources.Unanswerable,

	"DecryptionFailure":        sources.Undecryptable,
	"InvalidKeyId":             sources.Undecryptable,
	"KMSInvalidStateException": sources.Undecryptable,
	"KMSNotFoundException":     sources.Undecryptable,
	"KMSDisabledException":     sources.Undecryptable,
	"DisabledException":        sources.Undecryptable,

	"ExpiredToken":                        sources.Credentials,
	"ExpiredTokenException":               sources.Credentials,
	"RequestExpired":                      sources.Credentials,
	"RequestTimeTooSkewed":                sources.Credentials,
	"RequestInTheFuture":                  sources.Credentials,
	"UnrecognizedClientException":         sources.Credentials,
	"InvalidClientTokenId":                sources.Credentials,
	"InvalidAccessKeyId":                  sources.Credentials,
	"InvalidSignatureException":           sources.Credentials,
	"SignatureDoesNotMatch":               sources.Credentials,
	"IncompleteSignature":                 sources.Credentials,
	"IncompleteSignatureException":        sources.Credentials,
	"MissingAuthenticationToken":          sources.Credentials,
	"MissingAuthenticationTokenException": sources.Credentials,
	"NotAuthorized":                       sources.Credentials,
	"AuthFailure":                         sources.Credentials,
	"OptInRequired":                       sources.Credentials,
}

// accepted says what the codes for refused credentials mean; AWS's own text can hold the token.
var accepted = map[string]string{
	"ExpiredToken":                "they have expired",
	"ExpiredTokenException":       "they have expired",
	"RequestExpired":              "the request came too late; is the clock right?",
	"RequestTimeTooSkewed":        "this machine's clock is wrong",
	"RequestInTheFuture":          "this machine's clock is wrong",
	"UnrecognizedClientException": "AWS does not know them",
	"InvalidClientTokenId":        "AWS does not know them",
	"InvalidAccessKeyId":          "AWS does not know them",
	"InvalidSignatureException":   "the signature is not accepted; is the secret access key right, and the clock?",
	"SignatureDoesNotMatch":       "the signature is not accepted; is the secret access key right, and the clock?",
	"OptInRequired":               "the account does not use this Region or service",
}

// diagnose gives what err means.
func diagnose(err error) *trouble {
	switch {
	case errors.Is(err, errNoParameter):
		return &trouble{reason: sources.Missing}
	case errors.Is(err, errEmptyAnswer):
		return &trouble{reason: sources.Unavailable, detail: "AWS's answer does not hold it"}
	}
	if e, ok := err.(*badAnswer); ok { // found when it was parsed
		return &trouble{reason: sources.Unavailable, detail: e.what}
	}
	if e, ok := errors.AsType[*credentialsError](err); ok {
		t := &trouble{reason: sources.Credentials, detail: e.detail()}
		if e.loggedOut() {
			t.login = e.sso
		}
		return t
	}
	if code := status(err); code >= 300 && code < 400 {
		return &trouble{reason: sources.Unavailable, detail: redirected(code)}
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return refusal(e, status(err))
	}
	switch code := status(err); {
	case code >= 300:
		return &trouble{reason: byStatus(code), detail: fmt.Sprintf("HTTP %d, not from AWS itself", code)}
	case code != 0:
		return &trouble{reason: sources.Unavailable, detail: "the answer cannot be read"}
	}
	return &trouble{reason: sources.Unavailable, detail: unreachable(err)}
}

// refusal gives what an answer of AWS's with a code means.
func refusal(e smithy.APIError, status int) *trouble {
	t := &trouble{code: e.ErrorCode(), message: e.ErrorMessage()}
	t.reason = reasons[t.code]
	switch {
	case throttled(e):
		t.reason = sources.Throttled
	case t.reason == "":
		t.reason, t.detail = byStatus(status), fmt.Sprintf("HTTP %d %s", status, plainCode(t.code))
	case t.reason == sources.Credentials:
		t.detail = accepted[t.code]
		if off := skew(t.message); off != "" {
			t.detail, t.clock = "this machine's clock is "+off+" AWS's", true
		}
		t.clock = t.clock || t.code == "RequestTimeTooSkewed" || t.code == "RequestInTheFuture"
	case t.reason == sources.Unanswerable && strings.Contains(t.message, "deletion"):
		t.reason = sources.Deleted
	case t.reason == sources.Unanswerable, t.reason == sources.Undecryptable:
		t.detail = oneLine(t.message)
	}
	return t
}

// outOfTime is how AWS refuses a signature for its time: ours, the bound, and its own time.
var outOfTime = regexp.MustCompile(`Signature (?:expired|not yet current): ([0-9]{8}T[0-9]{6}Z) is .* ([0-9]{8}T[0-9]{6}Z) \(([0-9]{8}T[0-9]{6}Z) [-+] `)

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

func redirected(code int) string {
	return fmt.Sprintf("HTTP %d, a redirect, which is not followed", code)
}

func byStatus(status int) sources.Reason {
	if status == 429 {
		return sources.Throttled
	}
	return sources.Unavailable
}

var codePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]{0,63}$`)

// plainCode gives code where it looks like one of AWS's.
func plainCode(code string) string {
	if codePattern.MatchString(code) {
		return code
	}
	return "without a code"
}

// oneLine makes AWS's text fit into an error of ours. It serves texts that name a constraint, a name or a key.
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

// personal tells whether the error of a batch may be that of a single name in it.
func personal(err error) bool {
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
	if _, ok := errors.AsType[*slowAnswer](err); ok {
		return fmt.Sprintf("the answer does not end within %s", answerWithin)
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e.Error()
	}
	switch {
	case isTimeout(err):
		return within(answerWithin)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke off"
	}
	return "the request cannot be sent"
}

func within(d time.Duration) string { return fmt.Sprintf("nothing within %s", d) }

// certificate says what is wrong with the server's, "" where nothing is.
func certificate(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an unknown authority; AWS_CA_BUNDLE names a file of further ones"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not valid; is the clock right?"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "it does not speak TLS"
	}
	return ""
}
