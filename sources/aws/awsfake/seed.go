package awsfake

import "strings"

// The methods of this file prepare what a test needs, without a client, a signature or a count. They panic where AWS would
// refuse: the test is wrong then.

// PutSecret gives the secret a new version with this text, and makes the secret where it is not there. Without stages the
// version becomes AWSCURRENT. It returns the version's id.
func (s *Server) PutSecret(name, text string, stages ...string) (versionID string) {
	return s.seedSecret(name, secretValue{text: &text}, stages)
}

// PutSecretBinary is PutSecret with bytes.
func (s *Server) PutSecretBinary(name string, data []byte, stages ...string) (versionID string) {
	return s.seedSecret(name, secretValue{binary: data}, stages)
}

// BeginRotation gives the secret the version that a rotation begins with: AWSPENDING, and without a value until PutSecretValue
// is called with its id. A secret that is not there is made, and then has no value at all.
func (s *Server) BeginRotation(name string) (versionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec := s.seeded(name)
	v := &secretVersion{id: uuid("version", name, s.next()), created: sec.created}
	sec.versions = append(sec.versions, v)
	sec.move(pending, v)
	return v.id
}

// StageSecret moves a staging label to a version, as UpdateSecretVersionStage does.
func (s *Server) StageSecret(name, stage, versionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, refused := s.usable(&name)
	must(refused)
	v := sec.version(versionID)
	if v == nil {
		must(noVersion(versionID))
	}
	sec.move(stage, v)
}

// DeleteSecret marks the secret for deletion in 30 days.
func (s *Server) DeleteSecret(name string) { s.seed(&deleteSecret{secretID: secretID{&name}}) }

// RestoreSecret takes the mark away again.
func (s *Server) RestoreSecret(name string) { s.seed(&restoreSecret{secretID{&name}}) }

// RemoveSecret deletes the secret at once. One that is not there is no error.
func (s *Server) RemoveSecret(name string) {
	s.seed(&deleteSecret{secretID: secretID{&name}, ForceDeleteWithoutRecovery: true})
}

// SecretARN gives the secret's full ARN.
func (s *Server) SecretARN(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, refused := s.secret(&name)
	must(refused)
	return sec.arn
}

// PutParameter gives the parameter a new version, and makes the parameter where it is not there. kind is String, StringList or
// SecureString; "" is that of the versions before. It may make public parameters (/aws/service/…), too. It returns the
// version.
func (s *Server) PutParameter(name, kind, value string) (version int64) {
	answer := s.seed(&putParameter{
		parameterID: parameterID{&name}, Type: kind, Value: &value,
		Overwrite: true, Tier: "Intelligent-Tiering", public: strings.HasPrefix(name, "/aws/service/"),
	})
	return answer.(putAnswer).Version
}

// LabelParameter moves labels to a version of the parameter; 0 is the latest.
func (s *Server) LabelParameter(name string, version int64, labels ...string) {
	s.seed(&labelParameterVersion{parameterID: parameterID{&name}, ParameterVersion: version, Labels: labels})
}

// DeleteParameter deletes the parameter.
func (s *Server) DeleteParameter(name string) { s.seed(&deleteParameter{parameterID{&name}}) }

// ParameterARN gives the ARN of the parameter with this name, whether it exists or not.
func (s *Server) ParameterARN(name string) string {
	return s.parameterARN(strings.TrimPrefix(name, "/"))
}

func (s *Server) seedSecret(name string, value secretValue, stages []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	must(value.check())
	if len(stages) == 0 {
		stages = []string{current}
	}
	v, refused := s.seeded(name).put(uuid("version", name, s.next()), value, stages)
	must(refused)
	return v.id
}

// seeded gives the secret, new where it was not there.
func (s *Server) seeded(name string) *secret {
	if s.secrets[name] == nil {
		must(s.creatable(name))
		return s.add(name, "")
	}
	sec, refused := s.usable(&name)
	must(refused)
	return sec
}

// seed runs an operation past the wire, the counts and the faults.
func (s *Server) seed(in operation) (answer any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, err := in.run(s, &call{caller: s.instance()})
	if err != nil {
		panic("awsfake: " + err.Error())
	}
	return answer
}

func must(refused *refusal) {
	if refused != nil {
		panic("awsfake: " + refused.Error())
	}
}
