package yamltext

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// What YAML 1.2 has more than 1.1 reads as libyaml reads it, with the places of what was written.
func TestModern(t *testing.T) {
	for text, want := range map[string]string{
		`{"a\/b": "\/", c: "x\\/y\\\/", 'd\/': e\/f}`:                "a/b=/ c=x\\/y\\/ d\\/=e\\/f",
		`{"\v": "\/", "\x0B": "\/\a"}`:                               "\v=/ \v=/\a",
		"a: \"\\/\"\nb: |\n  \"\\/\"\n":                              "a=/ b=\"\\/\"\n",
		"%YAML 1.2\n---\na: 1\n":                                     "a=1",
		"# c\n\n%YAML\t1.2  # c\r\n---\r\na: \"\\/\"\r\n":            "a=/",
		"%YAML 1.2# c\n---\na: 1\n":                                  "a=1",
		"%YAML 1.1\n---\na: |\n  %YAML 1.2\n":                        "a=%YAML 1.2\n",
		"a: 1\n...\n%YAML 1.2\n---\nb: \"\\/\"\n":                    "a=1 b=/",
		"%YAML 1.2\n---\na: |\n x\n...\n%YAML 1.2\n---\nb: '\n\n'\n": "a=x\n b=\n",
	} {
		documents, err := Documents([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, d := range documents {
			pairs := d.Content[0].Content
			for i := 0; i < len(pairs); i += 2 {
				got = append(got, pairs[i].Value+"="+pairs[i+1].Value)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
	documents, err := Documents([]byte(`{"a\/b": "\/", c: 1}`))
	if err != nil {
		t.Fatal(err)
	}
	var c *yaml.Node = documents[0].Content[0].Content[2]
	if c.Column != 16 {
		t.Errorf("c stands in column %d", c.Column)
	}
	if _, err := Documents([]byte(`"\v\a\e\f\b\/"`)); err == nil {
		t.Error("nothing can stand for it, and it passes")
	}
}

func TestLimits(t *testing.T) {
	flow := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	block := func(n int) string { return strings.Repeat("- ", n) + "x" }
	for _, tt := range []struct{ name, text, want string }{
		{"as deep as may be", flow(MaxDepth), ""},
		{"too deep", flow(MaxDepth + 1), fmt.Sprintf("cannot be read as YAML at line 1, column %d: maps and lists nest deeper than 1000", MaxDepth+1)},
		{"much too deep", flow(100000), "cannot be read as YAML at line 1: maps and lists nest deeper than 1000"},
		{"lists as deep as may be", block(MaxDepth), ""},
		{"lists too deep", block(MaxDepth + 1), "nest deeper than 1000"},
		// Four times as much takes half of the time, which the race detector does not have.
		{"much", strings.Repeat("- a\n", maxMarks/8), ""},
		{"too much", "\n\n" + strings.Repeat("- a\n", maxMarks/2), fmt.Sprintf("at line %d: up to here there are more than 786432 keys", maxMarks/2+2)},
		{"directives", strings.Repeat("%TAG !a! b\n", maxDirectives+1), "more than 1000 lines begin with %"},
	} {
		_, err := Documents([]byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !err.Limit) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	p := newParser()
	defer p.close()
	p.ends = 0
	if _, err := p.modern([]byte("a: 1")); err == nil || !p.spent || p.explain([]byte("a: 1"), err).What != fmt.Sprintf("it takes longer than %v to parse", maxTime) {
		t.Errorf("without time: %v", err)
	}
}
