package structure_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/structure"
)

// Among the many values of a large file the one that breaks out is found. Where the time is over
// nothing is refused.
func TestLargeFiles(t *testing.T) {
	for name, line := range map[string]string{
		"yaml": "k%: \"‹x y›\"\n", "toml": "k% = \"‹x y›\"\n", "ini": "k% = ‹x y›\n", "dotenv": "K%=\"‹x y›\"\n", "properties": "k%=‹x y›\n", "xml": "<k a=\"‹x y›\">‹x y›</k>\n", "json": "\"k%\": \"‹x y›\",\n",
	} {
		var b strings.Builder
		for i := range 4000 {
			text := strings.ReplaceAll(line, "%", fmt.Sprintf("%04d", i))
			if i == 2345 {
				text = strings.ReplaceAll(text, "x y›", out[name]+"›")
			}
			b.WriteString(text)
		}
		text := b.String()
		switch name {
		case "xml":
			text = "<r>" + text + "</r>"
		case "json":
			text = "{" + text + "\"end\": 1}"
		}
		content, spans := marked(text)
		f, _ := format.Parse(name)
		if err := f.Check(content); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		begun := time.Now()
		breach := structure.Check(f, content, spans, time.Time{})
		took := time.Since(begun)
		if breach == nil || !strings.Contains(string(content[spans[breach.Span].Start:spans[breach.Span].End]), "admin") {
			t.Errorf("%s: %+v", name, breach)
		}
		if breach := structure.Check(f, content, spans, begun); breach != nil {
			t.Errorf("%s: refused after its time, without knowing", name)
		}
		t.Logf("%s: %d bytes, %d values: %v", name, len(content), len(spans), took.Round(time.Millisecond))
	}
}

// out are values that break out of the lines of TestLargeFiles.
var out = map[string]string{
	"yaml": "x\"\nadmin: \"y", "toml": "x\"\nadmin = \"y", "ini": "x\nadmin = y", "dotenv": "x\"\nadmin=\"y", "properties": "x\nadmin=y", "xml": "x\" admin=\"y", "json": `x", "admin": "y`,
}
