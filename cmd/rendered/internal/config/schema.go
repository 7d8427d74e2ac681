package config

import (
	"encoding/json"
	"maps"
	"strings"
	"time"
)

// A schema is a JSON Schema, or a part of one: keywords to what they say.
type schema map[string]any

// Schema gives the JSON Schema, draft-07, of a config file. It takes every config that Load takes,
// and refuses of the others what can be told without the machine, as long as it can be said.
func Schema() []byte {
	s := joined(ofTop.schema(), schema{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "rendered.yaml",
		"description": "The config of rendered: which files to keep true to which secrets and parameters, and who is told when they change.",
		"definitions": schema{"value": schema{
			"type":                 append([]string{"array", "object"}, scalars...),
			"items":                schema{"$ref": "#/definitions/value"},
			"additionalProperties": schema{"$ref": "#/definitions/value"},
		}},
	})
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // a mistake in the table
	}
	return append(text, '\n')
}

// schema gives the schema of a mapping.
func (s *Section) schema() schema {
	properties := make(schema)
	for _, k := range s.Keys {
		properties[k.Name] = k.schema()
	}
	return joined(schema{"type": "object", "additionalProperties": false, "properties": properties}, s.rules)
}

// schema gives the schema of what stands at a key.
func (k Key) schema() schema {
	s := k.kind.schema
	if k.kind.of != nil {
		s = k.kind.within(k.kind.of.schema())
	}
	s = joined(s, schema{"description": strings.ReplaceAll(k.Doc, "`", "")})
	if strings.Contains(k.Doc, "`") {
		s["markdownDescription"] = k.Doc // editors show it in the place of the other
	}
	switch std := k.std.(type) {
	case nil:
	case time.Duration:
		s["default"] = std.String()
	default:
		s["default"] = std
	}
	return s
}

// joined gives the keywords of all; the last wins.
func joined(all ...schema) schema {
	sum := make(schema)
	for _, s := range all {
		maps.Copy(sum, s)
	}
	return sum
}

// requiring gives a schema for each key, which wants it to be there.
func requiring(keys ...string) (list []schema) {
	for _, key := range keys {
		list = append(list, schema{"required": []string{key}})
	}
	return list
}
