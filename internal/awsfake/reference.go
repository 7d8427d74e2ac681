package awsfake

import "encoding/json"

// readReference reads a secret through Parameter Store: /aws/reference/secretsmanager/NAME[:STAGE
// or VERSION].
func (at *Place) readReference(c *call, p pointer, decrypt bool) (*parameterAnswer, *refusal) {
	if !decrypt {
		return nil, refuse("ValidationException", "WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	name := p.key[len(reference):]
	id, stage := "", p.selector
	if sec := at.secrets[name]; sec != nil && sec.version(p.selector) != nil {
		id, stage = p.selector, ""
	}
	v, err := at.readSecret(c, &name, id, stage)
	if err != nil || v.SecretString == nil {
		return nil, refuse("ParameterNotFound", "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret /%s not found.", p.key)
	}
	source, _ := json.Marshal(v)
	answer := &parameterAnswer{
		ARN: v.ARN, Name: "/" + p.key, Type: "SecureString", DataType: "text",
		Value: *v.SecretString, SourceResult: string(source), LastModifiedDate: v.CreatedDate,
	}
	if p.selector != "" {
		answer.Selector = ":" + p.selector
	}
	return answer, nil
}
