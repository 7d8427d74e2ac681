package packaging_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/sources/aws"
)

const fleetStack = "cloudformation/fleet.yaml"

// fleet gives the resources of the stack, with FleetName prod, GroupName web and a table of its
// own.
func fleet(t *testing.T) map[string]map[string]any {
	t.Helper()
	var stack struct {
		Resources map[string]yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(read(t, fleetStack)), &stack); err != nil {
		t.Fatal(err)
	}
	resources := make(map[string]map[string]any)
	for name, node := range stack.Resources {
		instantiate(t, &node)
		var r map[string]any
		if err := node.Decode(&r); err != nil {
			t.Fatal(err)
		}
		resources[name] = r
	}
	return resources
}

// instantiate does what CloudFormation's functions do.
func instantiate(t *testing.T, node *yaml.Node) {
	t.Helper()
	for _, child := range node.Content {
		instantiate(t, child)
	}
	switch node.Tag {
	case "!Sub":
		node.SetString(strings.NewReplacer("${FleetName}", "prod", "${GroupName}", "web").Replace(node.Value))
	case "!Ref", "!GetAtt":
		node.SetString(node.Value)
	case "!If":
		*node = *node.Content[1]
	}
}

// The table has the key by which hosts name items, forgets what they say is to be forgotten, and
// costs nothing while nobody asks.
func TestFleetTable(t *testing.T) {
	want := map[string]any{
		"TableName":                        "TableName",
		"BillingMode":                      "PAY_PER_REQUEST",
		"AttributeDefinitions":             []any{map[string]any{"AttributeName": aws.PartKey, "AttributeType": "S"}, map[string]any{"AttributeName": aws.SortKey, "AttributeType": "S"}},
		"KeySchema":                        []any{map[string]any{"AttributeName": aws.PartKey, "KeyType": "HASH"}, map[string]any{"AttributeName": aws.SortKey, "KeyType": "RANGE"}},
		"TimeToLiveSpecification":          map[string]any{"AttributeName": "ttl", "Enabled": true},
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": false},
	}
	if diff := cmp.Diff(want, fleet(t)["Table"]["Properties"]); diff != "" {
		t.Error(diff)
	}
}

// Hosts and operators may do what the program does, for one group; readers may read. Nobody may
// scan the table, or touch another group.
func TestFleetPolicies(t *testing.T) {
	resources := fleet(t)
	if names := slices.Sorted(maps.Keys(resources)); !slices.Equal(names, []string{"Hosts", "Operators", "Readers", "Table"}) {
		t.Errorf("%v", names)
	}
	both := []any{"dynamodb:UpdateItem", "dynamodb:Query"}
	for name, action := range map[string]any{"Hosts": both, "Operators": both, "Readers": "dynamodb:Query"} {
		want := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": action, "Resource": "Table.Arn",
			"Condition": map[string]any{"ForAllValues:StringEquals": map[string]any{"dynamodb:LeadingKeys": []any{"prod#web", "prod#web#hosts"}}},
		}}}
		got := resources[name]["Properties"].(map[string]any)["PolicyDocument"]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
