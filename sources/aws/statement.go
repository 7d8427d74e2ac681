package aws

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/rendered/rendered/sources"
)

// A Statement is one of an IAM policy that allows something. Its JSON is that of IAM, in the order
// in which people write it.
type Statement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    Words
	Resource  Words
	// Condition has values by operator and key, as StringEquals and kms:ViaService.
	Condition map[string]map[string]Words `json:",omitempty"`
}

const allow = "Allow"

// Words are texts of a policy. One of them stands in JSON as itself, several as a list.
type Words []string

// MarshalJSON gives a text or a list.
func (w Words) MarshalJSON() ([]byte, error) {
	if len(w) == 1 {
		return json.Marshal(w[0])
	}
	return json.Marshal([]string(w))
}

// String gives the statement on one line.
func (s Statement) String() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of texts, so it encodes
	return strings.TrimSpace(b.String())
}

// Reads tells whether the statement lets values be read that may be encrypted.
func (s Statement) Reads() bool {
	return slices.ContainsFunc(s.Action, func(action string) bool {
		return slices.Contains([]string{actSecret, actParams, actParam, actPath}, action)
	})
}

// isPublic tells of parameters that are AWS's own: their ARNs have no account.
func isPublic(r sources.Ref) bool {
	return (r.Kind == sources.Param || r.Kind == sources.Params) && strings.HasPrefix(parameterKey(r.Name)+"/", "aws/service/")
}

// resources gives the ARNs by which IAM knows what r asks for in a Region and an account, each "*"
// where it is not known.
func resources(r sources.Ref, region, account string) Words {
	if r.IsARN() {
		return Words{r.Name}
	}
	in := func(service, account, resource string) string {
		return "arn:" + partition(region) + ":" + service + ":" + region + ":" + account + ":" + resource
	}
	switch name := strings.Trim(r.Name, "/"); r.Kind {
	case sources.Secret:
		return Words{in("secretsmanager", account, "secret:"+r.Name+"-??????")} // the end that AWS adds to the name
	case queueKind:
		return Words{in("sqs", account, r.Name)}
	case tableKind:
		return Words{in("dynamodb", account, "table/"+r.Name)}
	case sources.Param, sources.Params:
		if isPublic(r) {
			account = ""
		}
		switch {
		case r.Kind == sources.Param:
			return Words{in("ssm", account, "parameter/"+name)}
		case name == "":
			return Words{in("ssm", account, "parameter/*")}
		}
		return Words{in("ssm", account, "parameter/"+name), in("ssm", account, "parameter/"+name+"/*")}
	}
	panic("IAM has no name for a " + string(r.Kind))
}
