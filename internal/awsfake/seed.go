package awsfake

import "strings"

// The methods of this file prepare what a test needs, without a client, a signature or a count.
// They panic where AWS would refuse: the test is wrong then.

// PutSecret gives the secret a new version with this text, and makes the secret where it is not
// there. Without stages the version becomes AWSCURRENT. It returns the version's id.
func (at *Place) PutSecret(name, text string, stages ...string) (versionID string) {
	return at.seedSecret(name, secretValue{text: &text}, stages)
}

// PutSecretBinary is PutSecret with bytes.
func (at *Place) PutSecretBinary(name string, data []byte, stages ...string) (versionID string) {
	return at.seedSecret(name, secretValue{binary: data}, stages)
}

// BeginRotation gives the secret the version that a rotation begins with: AWSPENDING, and without a
// value until PutSecretValue is called with its id. A secret that is not there is made, and then
// has no value at all.
func (at *Place) BeginRotation(name string) (versionID string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	sec := at.seeded(name)
	v := &secretVersion{id: uuid("version", name, at.server.next()), created: sec.created}
	sec.change(func() {
		sec.versions = append(sec.versions, v)
		sec.move(pending, v)
	})
	return v.id
}

// StageSecret moves a staging label to a version, as UpdateSecretVersionStage does.
func (at *Place) StageSecret(name, stage, versionID string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	sec, refused := at.usable(at.self(), &name)
	must(refused)
	v := sec.version(versionID)
	if v == nil {
		must(noVersion(versionID))
	}
	in := &updateSecretVersionStage{secretID: secretID{&name}, VersionStage: &stage, MoveToVersionId: versionID}
	if from := sec.staged(stage); from != nil {
		in.RemoveFromVersionId = from.id
	}
	sec.change(func() { sec.move(stage, v) })
	at.trail(at.self(), in, secretAnswer{ARN: sec.arn, Name: sec.name})
}

// DeleteSecret marks the secret for deletion in 30 days.
func (at *Place) DeleteSecret(name string) { at.seed(&deleteSecret{secretID: secretID{&name}}) }

// RestoreSecret takes the mark away again.
func (at *Place) RestoreSecret(name string) { at.seed(&restoreSecret{secretID{&name}}) }

// RemoveSecret deletes the secret at once. One that is not there is no error.
func (at *Place) RemoveSecret(name string) {
	at.seed(&deleteSecret{secretID: secretID{&name}, ForceDeleteWithoutRecovery: true})
}

// SecretARN gives the secret's full ARN.
func (at *Place) SecretARN(name string) string {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	sec, refused := at.secret(at.self(), &name)
	must(refused)
	return sec.arn
}

// PutParameter gives the parameter a new version, and makes the parameter where it is not there.
// kind is String, StringList or SecureString; "" is that of the versions before. It may make public
// parameters (/aws/service/…), too. It returns the version.
func (at *Place) PutParameter(name, kind, value string) (version int64) {
	answer := at.seed(&putParameter{
		parameterID: parameterID{&name}, Type: kind, Value: &value,
		Overwrite: true, Tier: "Intelligent-Tiering", public: strings.HasPrefix(name, "/aws/service/"),
	})
	return answer.(putAnswer).Version
}

// LabelParameter moves labels to a version of the parameter; 0 is the latest.
func (at *Place) LabelParameter(name string, version int64, labels ...string) {
	at.seed(&labelParameterVersion{parameterID: parameterID{&name}, ParameterVersion: version, Labels: labels})
}

// DeleteParameter deletes the parameter.
func (at *Place) DeleteParameter(name string) { at.seed(&deleteParameter{parameterID{&name}}) }

// ParameterARN gives the ARN of the parameter with this name, whether it exists or not.
func (at *Place) ParameterARN(name string) string {
	return at.parameterARN(strings.TrimPrefix(name, "/"))
}

func (at *Place) seedSecret(name string, value secretValue, stages []string) string {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	must(value.check())
	id := uuid("version", name, at.server.next())
	var in operation = &putSecretValue{secretID: secretID{&name}, ClientRequestToken: &id, VersionStages: stages}
	if at.secrets[name] == nil {
		in = &createSecret{Name: &name, ClientRequestToken: &id}
	}
	if len(stages) == 0 {
		stages = []string{current}
	}
	sec := at.seeded(name)
	v, refused := sec.put(id, value, stages)
	must(refused)
	at.trail(at.self(), in, secretAnswer{ARN: sec.arn, Name: sec.name, VersionId: v.id})
	return v.id
}

// seeded gives the secret, new where it was not there.
func (at *Place) seeded(name string) *secret {
	if at.secrets[name] == nil {
		must(at.creatable(name))
		return at.add(name, "")
	}
	sec, refused := at.usable(at.self(), &name)
	must(refused)
	return sec
}

// seed runs an operation past the wire, the counts and the faults.
func (at *Place) seed(in operation) (answer any) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	answer, err := in.run(at, at.self())
	if err != nil {
		panic("awsfake: " + err.Error())
	}
	at.trail(at.self(), in, answer)
	return answer
}

func must(refused *refusal) {
	if refused != nil {
		panic("awsfake: " + refused.Error())
	}
}
