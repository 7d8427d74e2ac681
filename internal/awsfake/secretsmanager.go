package awsfake

import (
	"slices"
	"time"
)

// secretsManager answers AWS Secrets Manager's API of 2017-10-17.
var secretsManager = &service{
	name:     "secretsmanager",
	target:   "secretsmanager",
	version:  "1.1",
	message:  "Message",
	internal: "InternalServiceError",
	operations: map[string]func() operation{
		"BatchGetSecretValue":      func() operation { return new(batchGetSecretValue) },
		"CreateSecret":             func() operation { return new(createSecret) },
		"DeleteSecret":             func() operation { return new(deleteSecret) },
		"DescribeSecret":           func() operation { return new(describeSecret) },
		"GetSecretValue":           func() operation { return new(getSecretValue) },
		"PutSecretValue":           func() operation { return new(putSecretValue) },
		"RestoreSecret":            func() operation { return new(restoreSecret) },
		"UpdateSecretVersionStage": func() operation { return new(updateSecretVersionStage) },
	},
}

// A secretID is the member that names the secret of almost every operation.
type secretID struct{ SecretId *string }

func (in secretID) names() []string { return text(in.SecretId) }

// A secretAnswer is the member that most operations answer with. An answer is written after the
// server is unlocked, so it shares nothing with the secret.
type secretAnswer struct {
	ARN           string
	Name          string
	VersionId     string     `json:",omitempty"`
	VersionStages []string   `json:",omitempty"`
	DeletionDate  *timestamp `json:",omitempty"`
}

// text gives the string behind p as a list: empty for nil.
func text(p *string) []string {
	if p == nil {
		return nil
	}
	return []string{*p}
}

// A valueAnswer holds a secret's value.
type valueAnswer struct {
	ARN           string
	CreatedDate   timestamp
	Name          string
	SecretBinary  []byte  `json:",omitempty"`
	SecretString  *string `json:",omitempty"`
	VersionId     string
	VersionStages []string `json:",omitempty"`
}

type getSecretValue struct {
	secretID
	VersionId, VersionStage string
}

func (in *getSecretValue) run(at *Place, c *call) (any, error) {
	answer, err := at.readSecret(c, in.SecretId, in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// readSecret gives a value and notes the day.
func (at *Place) readSecret(c *call, id *string, version, stage string) (*valueAnswer, *refusal) {
	sec, err := at.seen(c, id)
	if err != nil {
		return nil, err
	}
	if !sec.deletion.IsZero() {
		return nil, errDeleted
	}
	v, err := sec.pick(version, stage)
	if err != nil {
		return nil, err
	}
	if kept := sec.place.secrets[sec.name]; kept != nil {
		kept.accessed = time.Now().UTC().Truncate(24 * time.Hour)
	}
	return &valueAnswer{
		ARN: sec.arn, Name: sec.name, CreatedDate: timestamp(v.created),
		SecretString: v.value.text, SecretBinary: v.value.binary,
		VersionId: v.id, VersionStages: slices.Clone(v.stages),
	}, nil
}

type batchGetSecretValue struct {
	SecretIdList []string
	Filters      []struct{}
	MaxResults   *int
}

func (in *batchGetSecretValue) names() []string { return in.SecretIdList }

type entryError struct{ SecretId, ErrorCode, Message string }

// run answers from the last id to the first: the order is not documented, so no client may count on
// one.
func (in *batchGetSecretValue) run(at *Place, c *call) (any, error) {
	switch {
	case (len(in.SecretIdList) == 0) == (len(in.Filters) == 0):
		return nil, refuse("InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(in.Filters) > 0:
		return nil, unimplemented("BatchGetSecretValue with Filters")
	case in.MaxResults != nil:
		return nil, refuse("InvalidParameterException", "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	case len(in.SecretIdList) > 20:
		return nil, tooLong("secretIdList", in.SecretIdList, 20)
	}
	var answer struct {
		SecretValues []*valueAnswer
		Errors       []entryError
	}
	answer.SecretValues, answer.Errors = []*valueAnswer{}, []entryError{}
	for _, id := range slices.Backward(in.SecretIdList) {
		v, err := in.read(at, c, id)
		if err != nil {
			answer.Errors = append(answer.Errors, entryError{id, err.code, err.message})
			continue
		}
		answer.SecretValues = append(answer.SecretValues, v)
	}
	return answer, nil
}

// read gives one of the values. Batches are not among the operations that AWS lists as working
// across accounts, so they do not here.
func (in *batchGetSecretValue) read(at *Place, c *call, id string) (*valueAnswer, *refusal) {
	const operation = "GetSecretValue"
	if f := at.server.strikeEntry(c, id); f != nil {
		return nil, at.server.trouble(c, f, operation, []string{id})
	}
	if _, account := at.find(id); account != at.account {
		return nil, c.forbidden(operation, id, DenyByResourcePolicy)
	}
	return at.readSecret(c, &id, "", "")
}

type describeSecret struct{ secretID }

func (in *describeSecret) run(at *Place, c *call) (any, error) {
	sec, err := at.seen(c, in.SecretId)
	if err != nil {
		return nil, err
	}
	var answer struct {
		ARN, Name                     string
		Description                   string `json:",omitempty"`
		CreatedDate, LastChangedDate  timestamp
		LastAccessedDate, DeletedDate *timestamp          `json:",omitempty"`
		VersionIdsToStages            map[string][]string `json:",omitempty"`
	}
	answer.ARN, answer.Name, answer.Description = sec.arn, sec.name, sec.description
	answer.CreatedDate, answer.LastChangedDate = timestamp(sec.created), timestamp(sec.changed)
	answer.LastAccessedDate, answer.DeletedDate = moment(sec.accessed), moment(sec.deletion)
	answer.VersionIdsToStages = make(map[string][]string)
	for _, v := range sec.versions {
		if len(v.stages) > 0 { // a version without a label is deprecated and not listed
			answer.VersionIdsToStages[v.id] = slices.Clone(v.stages)
		}
	}
	return answer, nil
}

// moment gives t for an answer, nil for the zero time.
func moment(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	m := timestamp(t)
	return &m
}
