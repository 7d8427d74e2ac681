package push

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

const (
	version   = "5c9b7f0a-23c1-4a43-8a5e-7f3d0c1b2a99"
	secretARN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf"
	paramARN  = "arn:aws:ssm:eu-west-1:111111111111:parameter/prod/port"
)

// eventOf gives an event as EventBridge has it.
func eventOf(source, detailType, resources, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":"3b8c1f5e","source":%q,"detail-type":%q,"account":"111111111111","region":"eu-west-1",`+
		`"time":"2026-11-20T08:15:02Z","resources":[%s],"detail":%s}`, source, detailType, resources, detail)
}

func labelEvent(label string) string {
	return eventOf("aws.secretsmanager", "Secret Label Updated", `"`+secretARN+`"`,
		fmt.Sprintf(`{"name":"prod/db","labelUpdated":%q,"versionId":%q}`, label, version))
}

func parameterEvent(operation string) string {
	return eventOf("aws.ssm", "Parameter Store Change", `"`+paramARN+`"`, fmt.Sprintf(`{"operation":%q,"name":"/prod/port","type":"String"}`, operation))
}

func callEvent(service, name, rest string) string {
	return eventOf("aws."+service, "AWS API Call via CloudTrail", "", fmt.Sprintf(`{"eventSource":"%s.amazonaws.com","eventName":%q,%s}`, service, name, rest))
}

func TestParse(t *testing.T) {
	secret := sources.Change{
		Kind: sources.Secret, ARN: secretARN, Name: "prod/db", Account: "111111111111", Region: "eu-west-1", At: time.Date(2026, 11, 20, 8, 15, 2, 0, time.UTC),
	}
	param := secret
	param.Kind, param.ARN, param.Name = sources.Param, paramARN, "/prod/port"
	as := func(c sources.Change, scope sources.Scope, version string) []sources.Change {
		c.Scope, c.Version = scope, version
		return []sources.Change{c}
	}
	bare := func(c sources.Change) sources.Change { c.ARN = ""; return c }
	abroad := func(c sources.Change) sources.Change { c.Account = "222222222222"; return c }
	named := func(c sources.Change, name string) sources.Change { c.Name = name; return c }
	tests := map[string]struct {
		body string
		want []sources.Change
		err  string
	}{
		"label":           {labelEvent("AWSCURRENT"), as(secret, sources.Current, version), ""},
		"own label":       {labelEvent("blue"), as(secret, sources.Labelled, ""), ""},
		"pending label":   {labelEvent("AWSPENDING"), as(secret, sources.Labelled, ""), ""},
		"label, no name":  {eventOf("aws.secretsmanager", "Secret Label Updated", `"`+secretARN+`"`, `{"labelUpdated":"AWSCURRENT"}`), as(secret, sources.Current, ""), ""},
		"label of none":   {eventOf("aws.secretsmanager", "Secret Label Updated", ``, `{"labelUpdated":"AWSCURRENT"}`), nil, `its detail names nothing that "Secret Label Updated" could be about`},
		"odd detail":      {eventOf("aws.secretsmanager", "Secret Label Updated", ``, `"c4n4ry"`), nil, `its detail is not that of "Secret Label Updated"`},
		"create":          {parameterEvent("Create"), as(param, sources.Current, ""), ""},
		"update":          {parameterEvent("Update"), as(param, sources.Current, ""), ""},
		"delete":          {parameterEvent("Delete"), as(param, sources.Everything, ""), ""},
		"labelled":        {parameterEvent("LabelParameterVersion"), as(param, sources.Labelled, ""), ""},
		"parameter, none": {eventOf("aws.ssm", "Parameter Store Change", ``, `{"operation":"Update"}`), nil, `its detail names nothing that "Parameter Store Change" could be about`},

		"put secret": {
			callEvent("secretsmanager", "PutSecretValue", `"requestParameters":{"secretId":"prod/db","clientRequestToken":"`+version+`"},"responseElements":{"arn":"`+secretARN+`"}`),
			as(secret, sources.Current, version), "",
		},
		"put a pending version": {
			callEvent("secretsmanager", "PutSecretValue", `"requestParameters":{"secretId":"prod/db","clientRequestToken":"x","versionStages":["AWSPENDING"]}`), as(bare(secret), sources.Labelled, ""), "",
		},
		"put a version of one's own": {
			callEvent("secretsmanager", "PutSecretValue", `"requestParameters":{"secretId":"prod/db","clientRequestToken":"x","versionStages":["AWSCURRENT","blue"]}`),
			append(as(bare(secret), sources.Current, "x"), as(bare(secret), sources.Labelled, "")...), "",
		},
		"move a stage": {
			callEvent("secretsmanager", "UpdateSecretVersionStage", `"requestParameters":{"secretId":"`+secretARN+`","versionStage":"AWSCURRENT","moveToVersionId":"`+version+`"},"responseElements":null`),
			append(as(bare(secret), sources.Current, version), as(named(bare(secret), "prod/db-AbCdEf"), sources.Current, version)...), "",
		},
		"move a stage, by another account": {
			callEvent("secretsmanager", "UpdateSecretVersionStage", `"requestParameters":{"secretId":"`+strings.Replace(secretARN, "111111111111", "222222222222", 1)+`","versionStage":"AWSCURRENT"}`),
			append(as(abroad(bare(secret)), sources.Current, ""), as(named(abroad(bare(secret)), "prod/db-AbCdEf"), sources.Current, "")...), "",
		},
		"move a stage, by a partial ARN": {
			callEvent("secretsmanager", "UpdateSecretVersionStage", `"requestParameters":{"secretId":"`+strings.TrimSuffix(secretARN, "-AbCdEf")+`","versionStage":"AWSCURRENT"}`),
			as(bare(secret), sources.Current, ""), "",
		},
		"create secret":          {callEvent("secretsmanager", "CreateSecret", `"requestParameters":{"name":"prod/db","clientRequestToken":"x"},"responseElements":{"arn":"`+secretARN+`","name":"prod/db"}`), as(secret, sources.Current, ""), ""},
		"describe it anew":       {callEvent("secretsmanager", "UpdateSecret", `"requestParameters":{"secretId":"prod/db","clientRequestToken":"x","description":"c4n4ry"}`), as(bare(secret), sources.Current, ""), ""},
		"delete secret":          {callEvent("secretsmanager", "DeleteSecret", `"requestParameters":{"secretId":"prod/db"}`), as(bare(secret), sources.Everything, ""), ""},
		"refused call":           {callEvent("secretsmanager", "DeleteSecret", `"errorCode":"AccessDenied","requestParameters":{"secretId":"prod/db"}`), nil, ""},
		"refused parameter call": {callEvent("ssm", "PutParameter", `"errorCode":"AccessDenied","requestParameters":{"name":"/prod/port"}`), nil, ""},
		"other call":             {callEvent("secretsmanager", "TagResource", `"requestParameters":{"secretId":"prod/db"}`), nil, ""},
		"other parameter call":   {callEvent("ssm", "SendCommand", `"requestParameters":{"name":"/prod/port"}`), nil, ""},
		"rotated": {
			eventOf("aws.secretsmanager", "AWS Service Event via CloudTrail", "", `{"eventName":"RotationSucceeded","additionalEventData":{"SecretId":"`+secretARN+`"}}`),
			as(secret, sources.Current, ""), "",
		},
		"put parameter":     {callEvent("ssm", "PutParameter", `"requestParameters":{"name":"prod/port"}`), as(bare(param), sources.Current, ""), ""},
		"label parameter":   {callEvent("ssm", "LabelParameterVersion", `"requestParameters":{"name":"/prod/port"}`), as(bare(param), sources.Labelled, ""), ""},
		"delete parameter":  {callEvent("ssm", "DeleteParameter", `"requestParameters":{"name":"/prod/port"}`), as(bare(param), sources.Everything, ""), ""},
		"delete parameters": {callEvent("ssm", "DeleteParameters", `"requestParameters":{"names":["/prod/port","x"]}`), append(as(bare(param), sources.Everything, ""), as(named(bare(param), "/x"), sources.Everything, "")...), ""},
		"call of nothing":   {callEvent("ssm", "PutParameter", `"requestParameters":null`), nil, `its detail names nothing that "AWS API Call via CloudTrail" could be about`},
		"odd call":          {callEvent("ssm", "PutParameter", `"requestParameters":"c4n4ry"`), nil, `its detail is not that of "AWS API Call via CloudTrail"`},
		"odd secret call":   {callEvent("secretsmanager", "PutSecretValue", `"requestParameters":"c4n4ry"`), nil, `its detail is not that of "AWS API Call via CloudTrail"`},

		"another service's": {eventOf("aws.ec2", "EC2 Instance State-change Notification", "", "{}"), nil, `it is "EC2 Instance State-change Notification" of aws.ec2`},
		"no event":          {`{"password":"c4n4ry"}`, nil, "it is no event of EventBridge"},
		"forged":            {eventOf("c4n4ry\n", "x", "", "{}"), nil, "it is no event of EventBridge"},
		"text":              {"c4n4ry", nil, "it is no JSON of an event"},
		"nothing":           {"", nil, "it is no JSON of an event"},
		"list":              {`["c4n4ry"]`, nil, "it is no JSON of an event"},
		"text by SNS":       {`{"Type":"Notification","Message":"c4n4ry"}`, nil, "it is no JSON of an event"},
		"to be confirmed": {
			`{"Type":"SubscriptionConfirmation","Token":"c4n4ry","TopicArn":"arn:aws:sns:eu-west-1:222222222222:rendered"}`, nil,
			"SNS asks whether arn:aws:sns:eu-west-1:222222222222:rendered may send to this queue; it does not ask where the queue's own account subscribes it, by  aws sns subscribe",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, body := range []string{tt.body, fmt.Sprintf(`{"Type":"Notification","MessageId":"x","TopicArn":"t","Message":%q}`, tt.body)} {
				got, err := Parse(body)
				if said := fmt.Sprint(err); (err == nil) != (tt.err == "") || err != nil && said != tt.err || strings.Contains(said, "c4n4ry") {
					t.Errorf("%v, want %q", err, tt.err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("want - got +\n%s", diff)
				}
				if strings.HasPrefix(body, `{"Type"`) {
					break // it is SNS's already
				}
			}
		})
	}
}

func TestMeans(t *testing.T) {
	parse := func(body string) sources.Change {
		list, err := Parse(body)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	const foreign = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:prod/db-AbCdEf"
	put := callEvent("secretsmanager", "PutSecretValue", `"requestParameters":{"secretId":"prod/db"}`)
	tests := []struct {
		event string
		ref   string
		want  bool
	}{
		{labelEvent("AWSCURRENT"), "secret prod/db", true},
		{labelEvent("AWSCURRENT"), "secret prod/db:AWSPREVIOUS", true},
		{labelEvent("AWSCURRENT"), "secret prod/db:blue", false},
		{labelEvent("AWSCURRENT"), "secret prod/db:" + version, false},
		{labelEvent("AWSCURRENT"), "secret prod/db2", false},
		{labelEvent("AWSCURRENT"), "secret prod", false},
		{labelEvent("AWSCURRENT"), "secret " + secretARN, true},
		{labelEvent("AWSCURRENT"), "secret " + strings.Replace(secretARN, "AbCdEf", "fEdCbA", 1), false},
		{labelEvent("AWSCURRENT"), "secret " + foreign, false},
		{labelEvent("AWSCURRENT"), "secret shared::prod/db", false},
		{labelEvent("AWSCURRENT"), "secret far::prod/db", false},
		{labelEvent("AWSCURRENT"), "secret unknown::prod/db", true},
		{labelEvent("AWSCURRENT"), "param /aws/reference/secretsmanager/prod/db", true},
		{labelEvent("AWSCURRENT"), "param /aws/reference/secretsmanager/prod", false},
		{labelEvent("AWSCURRENT"), "param /prod/db", false},
		{labelEvent("AWSCURRENT"), "file prod/db", false},
		{labelEvent("blue"), "secret prod/db", false},
		{labelEvent("blue"), "secret prod/db:blue", true},
		{put, "secret " + secretARN, true}, // by its name, as the notice has no ARN
		{put, "secret " + foreign, false},
		{parameterEvent("Update"), "param /prod/port", true},
		{parameterEvent("Update"), "param " + paramARN, true},
		{parameterEvent("Update"), "param " + strings.Replace(paramARN, "eu-west-1", "us-east-1", 1), false},
		{parameterEvent("Update"), "param /prod/port:3", false},
		{parameterEvent("Update"), "param /prod/port:stable", false},
		{parameterEvent("LabelParameterVersion"), "param /prod/port:stable", true},
		{parameterEvent("LabelParameterVersion"), "param /prod/port:3", false},
		{parameterEvent("LabelParameterVersion"), "param /prod/port", false},
		{parameterEvent("LabelParameterVersion"), "params /prod", false},
		{parameterEvent("Delete"), "param /prod/port:3", true},
		{parameterEvent("Update"), "param shared::/prod/port", false},
		{parameterEvent("Update"), "params /prod", true},
		{parameterEvent("Update"), "params /prod/", true},
		{parameterEvent("Update"), "params /", true},
		{parameterEvent("Update"), "params /prod/port", false},
		{parameterEvent("Update"), "params /pro", false},
		{parameterEvent("Update"), "secret prod/port", false},
		{strings.ReplaceAll(parameterEvent("Update"), "/prod/port", "port"), "param /port", true},
		{strings.ReplaceAll(parameterEvent("Update"), "/prod/port", "port"), "param port", true},
	}
	origin := func(r sources.Ref) (region, account string) {
		switch {
		case strings.Contains(r.Name, "us-east-1"), r.Account == "far":
			return "us-east-1", "111111111111"
		case strings.Contains(r.Name, "222222222222"), r.Account == "shared":
			return "eu-west-1", "222222222222"
		case r.Account == "unknown":
			return "", ""
		}
		return "eu-west-1", "111111111111"
	}
	for _, tt := range tests {
		kind, name, _ := strings.Cut(tt.ref, " ")
		r, err := sources.ParseRef(sources.Kind(kind), name)
		if err != nil {
			t.Fatal(err)
		}
		c := parse(tt.event)
		if c.Origin = origin; c.Means(r) != tt.want {
			t.Errorf("%s, %+v: %v", tt.ref, c, !tt.want)
		}
	}
}

// What the fake publishes is read as what was done, in every form.
func TestEventsOfTheFake(t *testing.T) {
	for _, wrapping := range []awsfake.Wrapping{awsfake.Bare, awsfake.SNS} {
		for name, subscribe := range map[string]func(*awsfake.Server, string){
			"events": func(s *awsfake.Server, url string) { s.Notify(url, wrapping) },
			"calls":  func(s *awsfake.Server, url string) { s.NotifyCalls(url, wrapping) },
		} {
			t.Run(fmt.Sprint(name, " ", wrapping), func(t *testing.T) {
				aws := awsfake.New()
				url := aws.MakeQueue("q")
				subscribe(aws, url)
				created := aws.PutSecret("prod/db", "c4n4ry")
				rotated := aws.BeginRotation("prod/db")
				aws.StageSecret("prod/db", "AWSCURRENT", rotated)
				aws.PutParameter("/prod/port", "String", "80")
				aws.LabelParameter("/prod/port", 1, "stable")
				aws.DeleteParameter("/prod/port")
				var got []string
				for _, body := range aws.Messages(url) {
					list, err := Parse(body)
					if err != nil {
						t.Error(err)
					}
					for _, c := range list {
						got = append(got, fmt.Sprintln(c.Kind, c.Name, c.Scope, c.Version, c.Account, c.Region))
					}
				}
				const place = " 111111111111 eu-west-1\n"
				want := []string{
					"secret prod/db 1 " + created + place, "secret prod/db 1 " + rotated + place,
					"param /prod/port 1 " + place, "param /prod/port 2 " + place, "param /prod/port 0 " + place,
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("want - got +\n%s", diff)
				}
			})
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, body := range []string{labelEvent("AWSCURRENT"), parameterEvent("Update"), callEvent("ssm", "DeleteParameters", `"requestParameters":{"names":["x"]}`), `{"Type":"Notification","Message":"{}"}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		list, err := Parse(body)
		if err != nil && (len(list) > 0 || len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\x00")) {
			t.Errorf("%d changes, %q", len(list), err)
		}
		for _, c := range list {
			if c.Name == "" || c.Kind != sources.Secret && c.Kind != sources.Param {
				t.Errorf("%+v", c)
			}
			c.Means(sources.Ref{Kind: sources.Secret, Name: body})
		}
	})
}
