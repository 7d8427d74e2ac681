package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// BenchmarkJudge is what it costs to look at the structure of a file, beside parsing it alone: a
// small one, and one of 47 KB with 103 values, none of which is harmless.
func BenchmarkJudge(b *testing.B) {
	var large strings.Builder
	for i := range 103 {
		fmt.Fprintf(&large, "# %s\nkey%d:\n  - {a: b, c: [1, 2]}\n  - d: {{ secret \"p\" }}\n", strings.Repeat("words that say what stands below it ", 11), i)
	}
	yaml, err := format.Parse("yaml")
	if err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string]string{
		"small": "db:\n  host: {{ param \"/h\" }}\n  password: \"{{ secret \"p\" }}\"\n  url: http://{{ secret \"u\" }}:{{ secret \"p\" }}@h/\n",
		"large": large.String(),
	} {
		for with, placed := range map[string]bool{"parse": false, "structure": true} {
			tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, TrackValues: placed})
			if len(faults) > 0 {
				b.Fatal(faults)
			}
			file := render.File{Target: swap.Target{Path: "/f"}, Template: tmpl, Format: yaml}
			b.Run(name+"/"+with, func(b *testing.B) {
				rendering, _, failed := file.Render(b.Context(), sources.NewSnapshot(answer("p@ss w0rd!"), 0))
				if failed != nil {
					b.Fatal(failed)
				}
				b.SetBytes(int64(len(rendering.Content)))
				for b.Loop() {
					if failed := rendering.Judge(); failed != nil {
						b.Fatal(failed.Text())
					}
				}
			})
		}
	}
}

// BenchmarkRender renders 400 actions, for a file without a format and for one in which values are
// looked for.
func BenchmarkRender(b *testing.B) {
	for name, placed := range map[string]bool{"without": false, "format": true} {
		tmpl, faults := render.Parse(render.Options{
			Main:        render.Text{Name: "t", Body: strings.Repeat("{{ secret \"p\" }} {{ param \"/h\" }}\n", 200)},
			TrackValues: placed,
		})
		if len(faults) > 0 {
			b.Fatal(faults)
		}
		file := render.File{Target: swap.Target{Path: "/f"}, Template: tmpl}
		b.Run(name, func(b *testing.B) {
			snapshot := sources.NewSnapshot(answer("p@ss w0rd!"), 0)
			for b.Loop() {
				if _, _, failed := file.Render(b.Context(), snapshot); failed != nil {
					b.Fatal(failed)
				}
			}
		})
	}
}
