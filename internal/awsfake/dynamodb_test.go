package awsfake_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rendered/rendered/internal/awsfake"
)

func tableKey() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: "s"}}
}

// values gives :a as 1, :t as a text, where an expression has them.
func values(expression string) map[string]types.AttributeValue {
	v := make(map[string]types.AttributeValue)
	if strings.Contains(expression, ":a") {
		v[":a"] = &types.AttributeValueMemberN{Value: "1"}
	}
	if strings.Contains(expression, ":t") {
		v[":t"] = &types.AttributeValueMemberS{Value: "p"}
	}
	if len(v) == 0 {
		return nil
	}
	return v
}

func names(expression string) map[string]string {
	n := make(map[string]string)
	for name, attribute := range map[string]string{"#x": "x", "#y": "y", "#pk": "pk"} {
		if strings.Contains(expression, name) {
			n[name] = attribute
		}
	}
	if len(n) == 0 {
		return nil
	}
	return n
}

// What the fake does not know is refused, and not taken for something else.
func TestTableExpressions(t *testing.T) {
	s := awsfake.New()
	s.MakeTable("t")
	client := dynamodb.NewFromConfig(inProcess(s))
	const unknown, wrong = "NotImplemented", "ValidationException"
	for _, c := range []struct{ condition, update, code string }{
		{"", "SET #x = :a", ""},
		{"", "SET #x=:a,#y=:t", ""},
		{"#x = :a AND (#y = :t OR attribute_not_exists(#y))", "REMOVE #y ADD #x :a", ""},
		{"attribute_exists(pk) and attribute_exists(sk)", "set #x = :a", ""},
		{"#x = :t OR #x = :a AND #y = :t", "", "ConditionalCheckFailedException"}, // AND binds closer
		{"#x < :a", "", "ConditionalCheckFailedException"},
		{"NOT #x = :a", "", unknown},
		{"#x > :a", "", unknown},
		{"#x <> :a", "", unknown},
		{"begins_with(#x, :t)", "", unknown},
		{"#x BETWEEN :a AND :a", "", unknown},
		{"#x = #y", "", wrong},
		{"x = :a", "", unknown},
		{"(#x = :a", "", unknown},
		{"#x = :a)", "", unknown},
		{"#x.#y = :a", "", unknown},
		{"", "SET #x = #x + :a", wrong},
		{"", "SET #x = if_not_exists(#x, :a)", wrong},
		{"", "SET #x = :a + :a", unknown},
		{"", "DELETE #x :a", unknown},
		{"", "SET #x = :a, #x = :t", wrong},
		{"", "SET #x = :a REMOVE #x", wrong},
		{"", "SET #x = :a SET #y = :a", wrong},
		{"", "SET #pk = :t", wrong},
		{"", "ADD #y :t", wrong},
		{"", "SET #z = :a", wrong},
		{"", "SET #x = :z", wrong},
		{"", " ", wrong},
		{"", "SET", unknown},
		{"", "SET #x = :a ;", wrong},
	} {
		all := c.condition + " " + c.update
		in := &dynamodb.UpdateItemInput{TableName: aws.String("t"), Key: tableKey(), ExpressionAttributeNames: names(all), ExpressionAttributeValues: values(all)}
		if c.condition != "" {
			in.ConditionExpression = &c.condition
		}
		if c.update != "" {
			in.UpdateExpression = &c.update
		}
		_, err := client.UpdateItem(t.Context(), in)
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", all, err)
		} else if c.code != "" && (err == nil || refused(t, err).code != c.code) {
			t.Errorf("%s: %v, want %s", all, err, c.code)
		}
	}
	for _, c := range []struct{ key, code string }{
		{"#pk = :t", ""},
		{"pk = :t AND sk >= :t", ""},
		{"pk = :t AND sk = :t", unknown},
		{"pk = :t AND begins_with(sk, :t)", unknown},
		{"sk = :t", wrong},
		{"pk = :a", wrong},
		{"pk >= :t", unknown},
		{"pk = :t OR sk >= :t", unknown},
	} {
		in := &dynamodb.QueryInput{TableName: aws.String("t"), KeyConditionExpression: &c.key, ExpressionAttributeNames: names(c.key), ExpressionAttributeValues: values(c.key)}
		_, err := client.Query(t.Context(), in)
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", c.key, err)
		} else if c.code != "" && (err == nil || refused(t, err).code != c.code) {
			t.Errorf("%s: %v, want %s", c.key, err, c.code)
		}
	}
}

// So are members and types that it does not know, and what AWS refuses itself.
func TestTableRefusals(t *testing.T) {
	s := awsfake.New()
	s.MakeTable("t")
	client := dynamodb.NewFromConfig(inProcess(s))
	set := func(v types.AttributeValue) *dynamodb.UpdateItemInput {
		return &dynamodb.UpdateItemInput{
			TableName: aws.String("t"), Key: tableKey(), UpdateExpression: aws.String("SET #x = :v"),
			ExpressionAttributeNames: map[string]string{"#x": "x"}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": v},
		}
	}
	unused := set(&types.AttributeValueMemberN{Value: "1"})
	unused.ExpressionAttributeNames["#y"] = "y"
	returned := set(&types.AttributeValueMemberN{Value: "1"})
	returned.ReturnValues = types.ReturnValueAllNew
	key := set(&types.AttributeValueMemberN{Value: "1"})
	delete(key.Key, "sk")
	for name, c := range map[string]struct {
		in   *dynamodb.UpdateItemInput
		code string
	}{
		"boolean":     {set(&types.AttributeValueMemberBOOL{Value: true}), "NotImplemented"},
		"fraction":    {set(&types.AttributeValueMemberN{Value: "1.5"}), "NotImplemented"},
		"no number":   {set(&types.AttributeValueMemberN{Value: "one"}), "ValidationException"},
		"large":       {set(&types.AttributeValueMemberS{Value: strings.Repeat("x", 400<<10)}), "ValidationException"},
		"unused name": {unused, "ValidationException"},
		"ReturnValue": {returned, "NotImplemented"},
		"half a key":  {key, "ValidationException"},
	} {
		if _, err := client.UpdateItem(t.Context(), c.in); err == nil || refused(t, err).code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	out, err := client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String("t"), KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "p"}},
	})
	if err != nil || out.Count != 0 {
		t.Errorf("%d items are left, %v", out.Count, err)
	}
}
