package awsfake

// A change is an operation that CloudTrail records and EventBridge hands on: one that does not only
// read.
type change interface {
	operation
	record(answer any) record
}

// A record is what CloudTrail keeps of a call, which is never a value.
type record struct {
	service, name     string
	request, response map[string]any
}

// An identity as CloudTrail writes it.
type userIdentity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
}

type trailDetail struct {
	EventVersion       string         `json:"eventVersion"`
	UserIdentity       userIdentity   `json:"userIdentity"`
	EventTime          string         `json:"eventTime"`
	EventSource        string         `json:"eventSource"`
	EventName          string         `json:"eventName"`
	AWSRegion          string         `json:"awsRegion"`
	SourceIPAddress    string         `json:"sourceIPAddress"`
	UserAgent          string         `json:"userAgent"`
	RequestParameters  map[string]any `json:"requestParameters"`
	ResponseElements   map[string]any `json:"responseElements"`
	RequestID          string         `json:"requestID"`
	EventID            string         `json:"eventID"`
	ReadOnly           bool           `json:"readOnly"`
	EventType          string         `json:"eventType"`
	ManagementEvent    bool           `json:"managementEvent"`
	RecipientAccountID string         `json:"recipientAccountId"`
	EventCategory      string         `json:"eventCategory"`
}

// trail records a call that was answered. The server is locked.
func (at *Place) trail(c *call, in operation, answer any) {
	done, ok := in.(change)
	if !ok || len(at.subscriptions) == 0 {
		return
	}
	r := done.record(answer)
	agent := c.agent
	if agent == "" {
		agent = "aws-cli/2.17"
	}
	at.publish("aws."+r.service, viaCloudTrail, []string{}, trailDetail{
		EventVersion: "1.11", EventName: r.name, EventSource: r.service + ".amazonaws.com", AWSRegion: at.region,
		UserIdentity: userIdentity{"AssumedRole", c.caller.userID, c.caller.arn, c.caller.account},
		EventTime:    now(0).Format("2006-01-02T15:04:05Z"), SourceIPAddress: "10.0.1.17", UserAgent: agent,
		RequestParameters: r.request, ResponseElements: r.response,
		RequestID: uuid("request", at.server.next()), EventID: uuid("trail", at.server.next()),
		EventType: "AwsApiCall", ManagementEvent: true, RecipientAccountID: at.account, EventCategory: "Management",
	})
}

// secretParameters are the parts of a request about a secret; those without a content are left out,
// as CloudTrail does.
func secretParameters(id *string, more map[string]string) map[string]any {
	request := map[string]any{"secretId": *id}
	for member, value := range more {
		if value != "" {
			request[member] = value
		}
	}
	return request
}

func secretElements(answer any) map[string]any {
	return map[string]any{"arn": answer.(secretAnswer).ARN}
}

func (in *createSecret) record(answer any) record {
	made := answer.(secretAnswer)
	response := map[string]any{"arn": made.ARN, "name": made.Name}
	if made.VersionId != "" {
		response["versionId"] = made.VersionId
	}
	return record{"secretsmanager", "CreateSecret", map[string]any{"name": *in.Name, "clientRequestToken": *in.ClientRequestToken}, response}
}

func (in *putSecretValue) record(answer any) record {
	request := secretParameters(in.SecretId, map[string]string{"clientRequestToken": *in.ClientRequestToken})
	if len(in.VersionStages) > 0 {
		request["versionStages"] = in.VersionStages
	}
	return record{"secretsmanager", "PutSecretValue", request, secretElements(answer)}
}

func (in *updateSecretVersionStage) record(answer any) record {
	request := secretParameters(in.SecretId, map[string]string{
		"versionStage": *in.VersionStage, "moveToVersionId": in.MoveToVersionId, "removeFromVersionId": in.RemoveFromVersionId,
	})
	return record{"secretsmanager", "UpdateSecretVersionStage", request, secretElements(answer)}
}

func (in *deleteSecret) record(answer any) record {
	return record{"secretsmanager", "DeleteSecret", secretParameters(in.SecretId, nil), secretElements(answer)}
}

func (in *restoreSecret) record(answer any) record {
	return record{"secretsmanager", "RestoreSecret", secretParameters(in.SecretId, nil), secretElements(answer)}
}

func (in *putParameter) record(answer any) record {
	put := answer.(putAnswer)
	request := map[string]any{"name": *in.Name, "value": "HIDDEN_DUE_TO_SECURITY_REASONS", "overwrite": in.Overwrite}
	if in.Type != "" {
		request["type"] = in.Type
	}
	return record{"ssm", "PutParameter", request, map[string]any{"tier": put.Tier, "version": put.Version}}
}

func (in *labelParameterVersion) record(any) record {
	return record{"ssm", "LabelParameterVersion", map[string]any{"name": *in.Name, "labels": in.Labels, "parameterVersion": in.ParameterVersion}, nil}
}

func (in *deleteParameter) record(any) record {
	return record{"ssm", "DeleteParameter", map[string]any{"name": *in.Name}, nil}
}
