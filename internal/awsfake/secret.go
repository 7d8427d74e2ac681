package awsfake

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The staging labels that Secrets Manager moves by itself.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// A secret is a name with versions of its value.
type secret struct {
	place       *Place
	shared      []string // the other accounts that its resource policy lets in
	name, arn   string
	description string
	created     time.Time
	changed     time.Time
	accessed    time.Time // the day of the last read; zero before it
	deletion    time.Time // when it goes for good; zero where it is not marked for deletion
	versions    []*secretVersion
	past        history[secret]
}

// A secretVersion never changes but in its labels.
type secretVersion struct {
	id      string
	value   secretValue
	created time.Time
	stages  []string // sorted, as AWS answers them
}

// A secretValue is a text or bytes; neither, before a rotation has set it.
type secretValue struct {
	text   *string
	binary []byte
}

func (v secretValue) empty() bool { return v.text == nil && v.binary == nil }

func (v secretValue) equal(w secretValue) bool {
	return (v.text == nil) == (w.text == nil) && (v.text == nil || *v.text == *w.text) && bytes.Equal(v.binary, w.binary)
}

// Secret values, by AWS's quotas for Secrets Manager.
const maxSecret = 65536

// check refuses what cannot be a value. Nothing at all is an empty value.
func (v secretValue) check() *refusal {
	switch {
	case v.text != nil && v.binary != nil:
		return refuse("InvalidParameterException", "You can't specify both a binary secret value and a string secret value in the same secret.")
	case v.text != nil && *v.text == "" || v.binary != nil && len(v.binary) == 0:
		return refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	case v.text != nil && len(*v.text) > maxSecret:
		return invalid("Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to %d", maxSecret)
	case len(v.binary) > maxSecret:
		return invalid("Value at 'secretBinary' failed to satisfy constraint: Member must have length less than or equal to %d", maxSecret)
	}
	return nil
}

// Names, by CreateSecret's reference; '!' is for secrets that other services manage.
var (
	secretName    = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]{1,512}$`)
	secretNameEnd = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
)

var (
	errNoSecret = refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	errDeleted  = refuse("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
)

var errSecretName = refuse("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")

// find gives the secret with this name or ARN, nil where there is none, and the account that the
// ARN is of. An ARN without the random end will do, unless it looks as if it had one: AWS's trap.
// What is in another Region is not found.
func (at *Place) find(id string) (sec *secret, account string) {
	if !strings.HasPrefix(id, "arn:") {
		return at.secrets[id], at.account
	}
	a, _ := parseARN(id)
	name, ok := strings.CutPrefix(a.resource, "secret:")
	if !ok || a.service != "secretsmanager" || a.region != at.region {
		return nil, at.account
	}
	keeper := at.server.places[[2]string{a.account, a.region}]
	if keeper == nil {
		return nil, a.account
	}
	if end := secretNameEnd.FindStringIndex(name); end != nil {
		if sec := keeper.secrets[name[:end[0]]]; sec != nil && sec.arn == id {
			return sec, a.account
		}
		return nil, a.account
	}
	return keeper.secrets[name], a.account
}

func (at *Place) secretARN(rest string) string {
	return "arn:aws:secretsmanager:" + at.region + ":" + at.account + ":secret:" + rest
}

// secret is find with AWS's refusals. Of another account the caller learns no more than that no
// policy there lets it in.
func (at *Place) secret(c *call, id *string) (*secret, *refusal) {
	if id == nil {
		return nil, invalid("Value null at 'secretId' failed to satisfy constraint: Member must not be null")
	}
	if !strings.HasPrefix(*id, "arn:") && !secretName.MatchString(*id) {
		return nil, errSecretName
	}
	sec, account := at.find(*id)
	switch {
	case account != at.account && (sec == nil || !slices.Contains(sec.shared, at.account)):
		return nil, c.forbidden(c.operation, *id, DenyByResourcePolicy)
	case sec != nil:
		return sec, nil
	}
	return nil, errNoSecret
}

// usable is secret for all that a secret marked for deletion refuses.
func (at *Place) usable(c *call, id *string) (*secret, *refusal) {
	sec, err := at.secret(c, id)
	if err == nil && !sec.deletion.IsZero() {
		return nil, errDeleted
	}
	return sec, err
}

// seen is secret for readers, who may see it as it was.
func (at *Place) seen(c *call, id *string) (*secret, *refusal) {
	sec, err := at.secret(c, id)
	if err != nil {
		return nil, err
	}
	if sec = sec.past.seen(sec); sec == nil {
		return nil, errNoSecret
	}
	return sec, nil
}

// add makes a new secret without a version.
func (at *Place) add(name, description string) *secret {
	now := time.Now()
	sec := &secret{place: at, name: name, description: description, created: now, changed: now}
	end := []byte(letters(6, "secret", name, at.server.next()))
	for i := range end[:3] {
		end[i] |= 0x20 // some small letters, as AWS has them; a digit stays one
	}
	sec.arn = at.secretARN(name + "-" + string(end))
	sec.past.remember(nil, at.server.lag)
	at.secrets[name] = sec
	return sec
}

// change lets f change the secret; readers may go on seeing it as it was, and whoever wants to know
// is told.
func (sec *secret) change(f func()) {
	before := sec.clone()
	f()
	sec.past.remember(before, sec.place.server.lag)
	sec.tell(before)
}

// clone gives the secret as it is now, without its past.
func (sec *secret) clone() *secret {
	c := *sec
	c.past, c.versions = nil, make([]*secretVersion, len(sec.versions))
	for i, v := range sec.versions {
		one := *v
		one.stages = slices.Clone(v.stages)
		c.versions[i] = &one
	}
	return &c
}

// pick gives the version with this id, label or both, with AWS's refusals. Neither means
// AWSCURRENT.
func (sec *secret) pick(id, stage string) (*secretVersion, *refusal) {
	if id == "" {
		if stage == "" {
			stage = current
		}
		if v := sec.staged(stage); v != nil && !v.value.empty() {
			return v, nil
		}
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
	}
	v := sec.version(id)
	switch {
	case v == nil || v.value.empty():
		return nil, noVersion(id)
	case stage != "" && !slices.Contains(v.stages, stage):
		return nil, refuse("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

func noVersion(id string) *refusal {
	return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", id)
}

func (sec *secret) version(id string) *secretVersion {
	for _, v := range sec.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

func (sec *secret) staged(stage string) *secretVersion {
	for _, v := range sec.versions {
		if slices.Contains(v.stages, stage) {
			return v
		}
	}
	return nil
}

// put adds a version, or gives an empty one its value. The same id with the same value is the same
// request again.
func (sec *secret) put(id string, value secretValue, stages []string) (*secretVersion, *refusal) {
	v := sec.version(id)
	if v != nil && !v.value.empty() {
		if v.value.equal(value) {
			return v, nil
		}
		return nil, refuse("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, sec.arn)
	}
	sec.change(func() {
		if v == nil {
			v = &secretVersion{id: id, created: time.Now()}
			sec.versions = append(sec.versions, v)
		}
		v.value = value
		for _, stage := range stages {
			sec.move(stage, v)
		}
		if sec.staged(current) == nil {
			sec.move(current, v)
		}
		sec.changed = time.Now()
	})
	return v, nil
}

// move attaches a label to v and takes it from whichever version had it; AWSPREVIOUS follows
// AWSCURRENT. A nil v only takes.
func (sec *secret) move(stage string, v *secretVersion) {
	from := sec.staged(stage)
	if from == v {
		return
	}
	if from != nil {
		from.stages = slices.DeleteFunc(from.stages, func(have string) bool { return have == stage })
	}
	if v != nil {
		v.stages = append(v.stages, stage)
		slices.Sort(v.stages)
	}
	if stage == current && from != nil {
		sec.move(previous, from)
	}
}
