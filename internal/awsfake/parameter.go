package awsfake

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A parameter is a name with versions of its value.
type parameter struct {
	name     string // as it was created
	arn      string
	shared   []string // the other accounts that it is shared with
	kind     string   // String, StringList or SecureString
	tier     string
	dataType string
	versions []*parameterVersion // from the oldest to the latest
	past     history[parameter]
}

// A parameterVersion never changes but in its labels.
type parameterVersion struct {
	number   int64
	value    string
	modified time.Time
	labels   []string
}

// Limits, by AWS's quotas for Parameter Store.
const (
	maxStandard = 4096
	maxAdvanced = 8192
	maxVersions = 100
	maxLabels   = 10
	maxLevels   = 15
	maxName     = 1011
)

// A pointer is what a request asks for: a name or an ARN, and a version or a label of it.
type pointer struct {
	asked string // all of it, as asked
	// key is the name without its first slash: /a and a are one parameter, and every other name
	// begins with a slash.
	key      string
	path     string // the name as asked, without selector
	selector string // without its colon; "" is the latest version
	account  string // that the name is looked up in; "" for what can be nowhere
}

const reference = "aws/reference/secretsmanager/"

var (
	parameterName = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)
	labelPattern  = regexp.MustCompile(`^[A-Za-z_.-][A-Za-z0-9_.-]{0,99}$`)
	reserved      = regexp.MustCompile(`(?i)^/?(aws|ssm)`)
)

const (
	nameRule = `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`
	pathRule = `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`
)

// parse reads NAME[:SELECTOR] or ARN[:SELECTOR]. It is false for what no parameter can be called.
func (at *Place) parse(asked string) (pointer, bool) {
	p, rest := pointer{asked: asked, account: at.account}, asked
	if strings.HasPrefix(asked, "arn:") {
		a, _ := parseARN(asked)
		name, ok := strings.CutPrefix(a.resource, "parameter/")
		if !ok || a.service != "ssm" || a.region != at.region {
			return pointer{asked: asked}, true // of another Region or service: it is not found
		}
		rest = name
		if a.account != "" { // AWS's own parameters are of no account
			p.account = a.account
		}
	}
	p.path, p.selector, _ = strings.Cut(rest, ":")
	p.key = strings.TrimPrefix(p.path, "/")
	valid := parameterName
	if strings.HasPrefix(p.key, reference) {
		valid = secretName
	}
	colon := strings.Count(rest, ":")
	return p, valid.MatchString(p.path) && len(p.path) <= maxName && (colon == 0 || colon == 1 && p.selector != "")
}

func (at *Place) parameterARN(key string) string {
	account := at.account
	if isPublic(key) {
		account = ""
	}
	return "arn:aws:ssm:" + at.region + ":" + account + ":parameter/" + key
}

// isPublic tells the parameters that AWS publishes.
func isPublic(key string) bool { return strings.HasPrefix(key, "aws/service/") }

// shelf gives the parameters among which one with this key is: those that AWS publishes are the
// same for every account.
func (at *Place) shelf(key string) map[string]*parameter {
	if !isPublic(key) {
		return at.parameters
	}
	if at.server.public[at.region] == nil {
		at.server.public[at.region] = make(map[string]*parameter)
	}
	return at.server.public[at.region]
}

// own gives the parameter of this account that p points to, nil where there is none.
func (at *Place) own(p pointer) *parameter {
	if p.account != at.account {
		return nil
	}
	return at.shelf(p.key)[p.key]
}

// visible gives the parameter that p points to, wherever it is, with AWS's refusals.
func (at *Place) visible(c *call, p pointer) (*parameter, *refusal) {
	if p.account == at.account || p.account == "" {
		if par := at.own(p); par != nil {
			return par, nil
		}
		return nil, errNoParameter
	}
	if keeper := at.server.places[[2]string{p.account, at.region}]; keeper != nil {
		if par := keeper.parameters[p.key]; par != nil && slices.Contains(par.shared, at.account) {
			return par, nil
		}
	}
	asked := strings.TrimSuffix(p.asked, ":"+p.selector)
	return nil, c.forbidden(c.operation, asked, DenyByResourcePolicy)
}

// pointer is parse with AWS's refusals.
func (at *Place) pointer(name *string) (pointer, *refusal) {
	if name == nil {
		return pointer{}, invalid("Value null at 'name' failed to satisfy constraint: Member must not be null")
	}
	if *name == "" {
		return pointer{}, invalid("Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	p, ok := at.parse(*name)
	switch {
	case !ok:
		return p, refuse("ValidationException", "%s", nameRule)
	case strings.Contains(p.key, "/") && p.path[0] != '/' && !strings.HasPrefix(*name, "arn:"):
		return p, refuse("ValidationException", "Parameter name must be a fully qualified name.")
	}
	return p, nil
}

// change lets f change the parameter; readers may go on seeing it as it was.
func (p *parameter) change(lag time.Duration, f func() *refusal) *refusal {
	before := p.clone()
	if refused := f(); refused != nil {
		return refused // it has not changed anything
	}
	p.past.remember(before, lag)
	return nil
}

// clone gives the parameter as it is now, without its past; nil for one without a version.
func (p *parameter) clone() *parameter {
	if len(p.versions) == 0 {
		return nil
	}
	c := *p
	c.past, c.versions = nil, make([]*parameterVersion, len(p.versions))
	for i, v := range p.versions {
		one := *v
		one.labels = slices.Clone(v.labels)
		c.versions[i] = &one
	}
	return &c
}

// latest gives the version that is read when none is asked for.
func (p *parameter) latest() *parameterVersion { return p.versions[len(p.versions)-1] }

// pick gives the version with this number or label, nil where there is none. Digits are a number,
// all else is a label.
func (p *parameter) pick(selector string) *parameterVersion {
	if selector == "" {
		return p.latest()
	}
	number, err := strconv.ParseInt(selector, 10, 64)
	for _, v := range p.versions {
		if err == nil && v.number == number || err != nil && slices.Contains(v.labels, selector) {
			return v
		}
	}
	return nil
}

// append adds a version. The oldest of a hundred has to go, and cannot while it has a label.
func (p *parameter) append(value string) *refusal {
	number := int64(1)
	if len(p.versions) > 0 {
		number = p.latest().number + 1
	}
	if len(p.versions) == maxVersions {
		if oldest := p.versions[0]; len(oldest.labels) > 0 {
			return refuse("ParameterMaxVersionLimitExceeded", "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", p.name, oldest.number)
		}
		p.versions = slices.Delete(p.versions, 0, 1)
	}
	p.versions = append(p.versions, &parameterVersion{number: number, value: value, modified: time.Now()})
	return nil
}

// label moves labels to v and gives those that cannot be labels.
func (p *parameter) label(v *parameterVersion, labels []string) (bad []string, err *refusal) {
	var good []string
	for _, l := range labels {
		switch {
		case !labelPattern.MatchString(l) || reserved.MatchString(l):
			bad = append(bad, l)
		case !slices.Contains(v.labels, l) && !slices.Contains(good, l):
			good = append(good, l)
		}
	}
	if len(v.labels)+len(good) > maxLabels {
		return nil, refuse("ParameterVersionLabelLimitExceeded", "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.")
	}
	for _, other := range p.versions {
		other.labels = slices.DeleteFunc(other.labels, func(l string) bool { return slices.Contains(good, l) })
	}
	v.labels = append(v.labels, good...)
	return bad, nil
}

// ciphertext gives what a SecureString looks like that was not decrypted: KMS's envelope in base64.
func ciphertext(name string, v *parameterVersion) string {
	sum := sha256.Sum256([]byte(name + "\x00" + v.value))
	return base64.StdEncoding.EncodeToString(append([]byte{1, 2, 2, 0, 0x78}, slices.Repeat(sum[:], 4)...))
}

// version gives the version with this number, the latest for 0; nil where there is none.
func (p *parameter) version(number int64) *parameterVersion {
	if number == 0 {
		return p.latest()
	}
	return p.pick(decimal(number))
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
