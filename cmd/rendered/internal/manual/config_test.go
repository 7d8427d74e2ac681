package manual

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

const ofConfig = "../../../../packaging/man/rendered.yaml.5"

// rendered.yaml(5) says of the keys what the table says by which the config is read, and groff has
// nothing to say against it.
func TestConfigPageHasTheKeys(t *testing.T) {
	text, err := os.ReadFile(ofConfig)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = ".SH \"KEYS\"\n", ".SH \"TEMPLATES\"\n"
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatal("the page has no KEYS, or no TEMPLATES after them")
	}
	want := before + begin + keys() + end + after
	switch {
	case *update:
		if err := os.WriteFile(ofConfig, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	case string(text) != want:
		t.Error("rendered.yaml(5) does not have the keys as they are; write them with -update")
	}
	content(t, ofConfig)
}

// keys gives what the page says of all keys.
func keys() string {
	p := page{}
	for _, s := range config.Sections() {
		p.macro("SS", s.Title)
		prose(&p, s.Doc)
		for _, k := range s.Keys {
			p.macro("TP")
			p.macro("BI", k.Name+": ", k.Kind())
			prose(&p, k.Doc)
			if std := k.Default(); std != "" {
				p.line("Default:")
				p.macro("BR", std, ".")
			}
		}
	}
	return p.String()
}

// prose writes sentences, each on a line of its own. What stands between ` and ` is bold.
func prose(p *page, text string) {
	if text == "" {
		return
	}
	for sentence := range strings.SplitSeq(text, ". ") {
		for i, part := range strings.Split(sentence, "`") {
			if i%2 == 1 {
				part = `\fB` + escape(part) + `\fR`
			} else {
				part = escape(part)
			}
			p.WriteString(part)
		}
		if !strings.HasSuffix(sentence, ".") {
			p.WriteString(".")
		}
		p.line("")
	}
}

// content wants groff to show a page without complaints.
func content(t *testing.T, path string) {
	t.Helper()
	if _, err := exec.LookPath("groff"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no groff")
	}
	out, err := exec.CommandContext(t.Context(), "groff", "-man", "-Tutf8", "-ww", "-z", path).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%s: %v\n%s", path, err, out)
	}
}
