package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/pages"
)

var (
	hasServices = regexp.MustCompile(`(?m)^services:`)
	namesFile   = regexp.MustCompile(`(?m)(?:^values|\btemplate): *([\w.-]+)`)
)

// Every block of a page has a test (internal/pages has the table).
func TestBlocksHaveTests(t *testing.T) {
	without, err := pages.Unclaimed(root)
	if err != nil || len(without) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(without, "\n"))
	}
}

// What a page shows as a config is one, and what it shows as a part of one is good where it stands.
// Templates and values that it names are there.
func TestPagesShowGoodConfigs(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	for _, b := range pages.Claimed(t) {
		dir := t.TempDir()
		for _, m := range namesFile.FindAllStringSubmatch(b.Text, -1) {
			write(t, filepath.Join(dir, m[1]), "{}\n")
		}
		text := b.Text
		if !hasServices.MatchString(text) {
			text += "services: {}\n"
		}
		config := filepath.Join(dir, "rendered.yaml")
		write(t, config, text)
		var out bytes.Buffer
		if code := run([]string{"check", "-c", config}, &out, &out); code != exitOK {
			t.Errorf("%v: exit code %d:\n%s", b, code, &out)
		}
	}
}

// What a page shows as a template renders with the values of testdata/pages/values.yaml.
func TestPagesShowGoodTemplates(t *testing.T) {
	values, err := filepath.Abs("testdata/pages/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // where there is no config
	for _, b := range pages.Claimed(t) {
		write(t, "shown.tmpl", b.Text)
		var out, said bytes.Buffer
		if code := run([]string{"render", "--values", values, "shown.tmpl"}, &out, &said); code != exitOK || strings.TrimSpace(out.String()) == "" {
			t.Errorf("%v: exit code %d:\n%s%s", b, code, &out, &said)
		}
	}
}
