package awsfake

import (
	"slices"
	"time"
)

type createSecret struct {
	Name               *string
	ClientRequestToken *string
	Description        string
	SecretString       *string
	SecretBinary       []byte
}

func (in *createSecret) names() []string { return text(in.Name) }

func (in *createSecret) run(at *Place, _ *call) (any, error) {
	if in.Name == nil {
		return nil, invalid("Value null at 'name' failed to satisfy constraint: Member must not be null")
	}
	value := secretValue{in.SecretString, in.SecretBinary}
	if err := first(at.creatable(*in.Name), checkToken(in.ClientRequestToken), value.check()); err != nil {
		return nil, err
	}
	sec := at.secrets[*in.Name]
	if sec != nil {
		if v := sec.version(*in.ClientRequestToken); v == nil || !v.value.equal(value) {
			return nil, refuse("ResourceExistsException", "The operation failed because the secret %s already exists.", sec.name)
		}
	} else {
		sec = at.add(*in.Name, in.Description)
	}
	answer := secretAnswer{ARN: sec.arn, Name: sec.name}
	if !value.empty() {
		v, err := sec.put(*in.ClientRequestToken, value, []string{current})
		if err != nil {
			return nil, err
		}
		answer.VersionId = v.id
	}
	return answer, nil
}

// creatable refuses names that no secret can have now.
func (at *Place) creatable(name string) *refusal {
	if !secretName.MatchString(name) {
		return errSecretName
	}
	if sec := at.secrets[name]; sec != nil && !sec.deletion.IsZero() {
		return refuse("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	return nil
}

// checkToken refuses what cannot be the id of a new version. SDKs and the AWS CLI make one up where
// the user has not.
func checkToken(token *string) *refusal {
	switch {
	case token == nil:
		return refuse("InvalidRequestException", "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	case len(*token) < 32 || len(*token) > 64:
		return refuse("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
	}
	return nil
}

// first gives the first refusal that is one, as an error.
func first(refusals ...*refusal) error {
	for _, r := range refusals {
		if r != nil {
			return r
		}
	}
	return nil
}

type putSecretValue struct {
	secretID
	ClientRequestToken *string
	SecretString       *string
	SecretBinary       []byte
	VersionStages      []string
}

func (in *putSecretValue) run(at *Place, c *call) (any, error) {
	sec, refused := at.usable(c, in.SecretId)
	value := secretValue{in.SecretString, in.SecretBinary}
	if err := first(refused, checkToken(in.ClientRequestToken), value.check(), checkStages(in.VersionStages)); err != nil {
		return nil, err
	}
	if value.empty() {
		return nil, refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	v, refused := sec.put(*in.ClientRequestToken, value, stages)
	if refused != nil {
		return nil, refused
	}
	return secretAnswer{ARN: sec.arn, Name: sec.name, VersionId: v.id, VersionStages: slices.Clone(v.stages)}, nil
}

// checkStages refuses what cannot be a version's labels, by PutSecretValue's reference.
func checkStages(stages []string) *refusal {
	if len(stages) > 20 {
		return tooLong("versionStages", stages, 20)
	}
	for _, stage := range stages {
		if stage == "" || len(stage) > 256 {
			return invalid("Value '%s' at 'versionStages' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1]", stage)
		}
	}
	return nil
}

type updateSecretVersionStage struct {
	secretID
	VersionStage                         *string
	MoveToVersionId, RemoveFromVersionId string
}

func (in *updateSecretVersionStage) run(at *Place, c *call) (any, error) {
	sec, refused := at.usable(c, in.SecretId)
	if refused != nil {
		return nil, refused
	}
	if in.VersionStage == nil {
		return nil, invalid("Value null at 'versionStage' failed to satisfy constraint: Member must not be null")
	}
	to := sec.version(in.MoveToVersionId)
	if in.MoveToVersionId != "" && to == nil {
		return nil, noVersion(in.MoveToVersionId)
	}
	if refused := in.check(sec.staged(*in.VersionStage)); refused != nil {
		return nil, refused
	}
	sec.change(func() {
		sec.move(*in.VersionStage, to)
		sec.changed = time.Now()
	})
	return secretAnswer{ARN: sec.arn, Name: sec.name}, nil
}

// check refuses a move that does not say from where, or not the truth. How AWS words the latter is
// not known.
func (in *updateSecretVersionStage) check(from *secretVersion) *refusal {
	stage := *in.VersionStage
	switch {
	case from == nil && in.RemoveFromVersionId != "", from != nil && in.RemoveFromVersionId != "" && from.id != in.RemoveFromVersionId:
		return refuse("InvalidParameterException", "The staging label %s is not attached to version %s.", stage, in.RemoveFromVersionId)
	case from != nil && in.RemoveFromVersionId == "" && from.id != in.MoveToVersionId:
		return refuse("InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, from.id)
	case stage == current && in.MoveToVersionId == "":
		return refuse("InvalidParameterException", "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	}
	return nil
}

type deleteSecret struct {
	secretID
	ForceDeleteWithoutRecovery bool
	RecoveryWindowInDays       *int
}

func (in *deleteSecret) run(at *Place, c *call) (any, error) {
	days := 30
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
	}
	switch {
	case in.RecoveryWindowInDays != nil && in.ForceDeleteWithoutRecovery:
		return nil, refuse("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days < 7 || days > 30:
		return nil, refuse("InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	sec, refused := at.secret(c, in.SecretId)
	switch {
	case refused != nil && refused.code == "ResourceNotFoundException" && in.ForceDeleteWithoutRecovery:
		return secretAnswer{ARN: at.secretARN(*in.SecretId), Name: *in.SecretId, DeletionDate: moment(time.Now())}, nil
	case refused != nil:
		return nil, refused
	case in.ForceDeleteWithoutRecovery:
		delete(sec.place.secrets, sec.name)
		return secretAnswer{ARN: sec.arn, Name: sec.name, DeletionDate: moment(time.Now())}, nil
	case !sec.deletion.IsZero():
		return nil, refuse("InvalidRequestException", "You can't perform this operation on the secret because it was already scheduled for deletion.")
	}
	sec.change(func() { sec.deletion = time.Now().AddDate(0, 0, days) })
	return secretAnswer{ARN: sec.arn, Name: sec.name, DeletionDate: moment(sec.deletion)}, nil
}

type restoreSecret struct{ secretID }

func (in *restoreSecret) run(at *Place, c *call) (any, error) {
	sec, refused := at.secret(c, in.SecretId)
	if refused != nil {
		return nil, refused
	}
	sec.change(func() { sec.deletion = time.Time{} })
	return secretAnswer{ARN: sec.arn, Name: sec.name}, nil
}
