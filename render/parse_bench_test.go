package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
)

// BenchmarkParse is the compile of a plan of 100 files: of one template, for services that differ
// in their vars, with partials beside it; and of as many templates beside the same partials.
func BenchmarkParse(b *testing.B) {
	body := strings.Repeat("{{ $host := .host }}{{ param (printf \"/%s/port\" .env) }} {{ secret \"prod/db\" \"password\" | envQuote }}\n{{ template \"_p0\" . }}\n", 20)
	var partials []render.Text
	for i := range 10 {
		text := strings.Repeat("{{ if .env }}{{ param \"/h\" | upper }}{{ end }}\n", 20)
		partials = append(partials, render.Text{Name: fmt.Sprintf("_p%d", i), Body: text})
	}
	for name, bodies := range map[string]func(i int) string{
		"equal":     func(int) string { return body },
		"different": func(i int) string { return fmt.Sprintf("%d%s", i, body) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var p render.Parser
				for i := range 100 {
					_, faults := p.Parse(render.Options{
						Main:     render.Text{Name: "t", Body: bodies(i)},
						Partials: partials,
						Vars:     map[string]any{"env": "prod", "host": fmt.Sprint("h", i)},
					})
					if len(faults) > 0 {
						b.Fatal(faults)
					}
				}
			}
		})
	}
}
