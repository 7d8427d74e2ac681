package main

import (
	"fmt"
	"strings"
	"testing"
)

// An environment file means what systemd makes of it.
func TestEnvironmentFile(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nB=2":                          "A=1|B=2",
		"# A=1\n; B=2\n\n C = 3 \n":         "C=3",
		"A=\"x y\"\nB='x \"y\" $z'\n":       "A=x y|B=x \"y\" $z",
		"A=\"a\\\"b\\\\c\\$d\\`e\\nf\"":     "A=a\"b\\c$d`e\\nf",
		"A=a\\ b\\\nc\nB=1":                 "A=a bc|B=1",
		"# a \\\nA=1\nB=2":                  "B=2",
		"export A=1\nB=2\n=3\nC\nD=":        "B=2|D=",
		"A='x'\"y\"z\nB=x'y'":               "A=xyz|B=x'y'",
		"A=\"two\nlines\"\nB='and\nmore'\n": "A=two\nlines|B=and\nmore",
		"A=x   \t\nB=x \\ \nC=é ":           "A=x|B=x  |C=é",
		"A=1\r\nB=2\r\n":                    "A=1|B=2",
		"A=\"never closed\nB=2":             "A=never closed\nB=2",
		"1A=x\nA-B=x\nA=\xff\nB=ok":         "B=ok",
		"":                                  "",
		"A=1\nA=2":                          "A=1|A=2",
	} {
		var got []string
		for _, v := range parseEnvironment(text) {
			got = append(got, fmt.Sprintf("%s=%s", v.name, v.value))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", text, strings.Join(got, "|"), want)
		}
	}
}

func FuzzEnvironmentFile(f *testing.F) {
	f.Add("A=\"x\\\ny\" 'z'\n#\\\nB=1")
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range parseEnvironment(text) {
			if !environmentName.MatchString(v.name) || len(v.value) > len(text) {
				t.Errorf("%q: %q", text, v)
			}
		}
	})
}
