package e2e

import (
	"flag"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var updatePicture = flag.Bool("update-picture", false, "TestPictureOfATerminal writes the picture instead of comparing it")

// picture is what the README shows of a terminal.
const picture = "../../docs/terminal.svg"

// session is what somebody types who begins with a recipe. What is not the program's is sh's.
var session = []string{
	"rendered init env-file demo && cd demo",
	"rendered once --root out",
	"cat out/etc/app/app.env",
	"sed -i 's/: info/: debug/' values.yaml && rendered once --root out",
	"rendered once --root out",
	`sed -i 's/"password"/"pasword"/' app.env.tmpl && rendered once --root out`,
}

// TestPictureOfATerminal runs the commands of the README's picture on a terminal, and wants the
// picture to show what they print.
//
//	go test ./internal/e2e -run '^TestPictureOfATerminal$' -update-picture
func TestPictureOfATerminal(t *testing.T) {
	t.Parallel()
	home, err := os.MkdirTemp("", "p") // a long path would break lines that are not broken elsewhere
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	x := terminal{columns: 100, dir: home, environ: []string{"PATH=" + filepath.Dir(program(t)) + ":" + os.Getenv("PATH"), "TERM=xterm", "HOME=" + home, "GORACE=atexit_sleep_ms=0"}}
	var shown strings.Builder
	for _, typed := range session {
		sent := x.launch(t, exec.Command("sh", "-c", typed))()
		fmt.Fprintf(&shown, "\x1b[1m$ %s\x1b[m\n%s", typed, strings.ReplaceAll(sent, home, "/home/you"))
		if strings.HasSuffix(typed, "cd demo") {
			x.dir = filepath.Join(home, "demo")
		}
	}
	svg := draw(shown.String())
	if *updatePicture {
		write(t, picture, svg)
		return
	}
	old, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if string(old) != svg {
		t.Errorf("the picture is not what the terminal shows; update it with -update-picture:\n%s", shown.String())
	}
}

// Of the picture, in its units.
const (
	advance = 8.4 // from character to character
	leading = 18  // from line to line
	margin  = 16
	letters = 14 // the size of the font
)

// colors are the classes of what is written after an escape.
var colors = map[string]string{"1": "typed", "31": "error", "32": "good", "33": "warning"}

// draw makes a picture of what a terminal was sent.
func draw(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	widest := 0
	var b strings.Builder
	for i, line := range lines {
		line = line[strings.LastIndexByte(line, '\r')+1:]
		widest = max(widest, utf8.RuneCountInString(sgr.ReplaceAllString(line, "")))
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`+"\n", margin, margin+letters+i*leading, spans(line))
	}
	width, height := margin*2+int(float64(widest)*advance), margin*2+len(lines)*leading
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" role="img">
<title>A terminal: a recipe is begun with, rendered, changed, rendered again, and broken.</title>
<style>
rect { fill: #f6f8fa }
text { font: %dpx ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre; fill: #24292f }
.typed { font-weight: bold } .error { fill: #b32424 } .good { fill: #1a7f37 } .warning { fill: #8a5a00 }
@media (prefers-color-scheme: dark) {
rect { fill: #161b22 } text { fill: #d6dde5 } .error { fill: #ff8278 } .good { fill: #56d364 } .warning { fill: #e3b341 }
}
</style>
<rect width="100%%" height="100%%" rx="8"/>
%s</svg>
`, width, height, width, letters, b.String())
}

// spans marks the colors of a line.
func spans(line string) string {
	var b strings.Builder
	open := false
	for line != "" {
		at := sgr.FindStringIndex(line)
		if at == nil {
			at = []int{len(line), len(line)}
		}
		b.WriteString(html.EscapeString(line[:at[0]]))
		if open {
			b.WriteString("</tspan>")
		}
		class := colors[strings.Trim(line[at[0]:at[1]], "\x1b[m")]
		if open = class != ""; open {
			fmt.Fprintf(&b, `<tspan class="%s">`, class)
		}
		line = line[at[1]:]
	}
	return b.String()
}
