package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// BenchmarkKeys is a pass that looks up keys of one secret, which has the size of a secret as most
// are, of the largest that AWS stores, or of the largest that a values file holds.
func BenchmarkKeys(b *testing.B) {
	for _, size := range []int{512, 64 << 10, 16 << 20} {
		for _, lookups := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("bytes=%d/lookups=%d", size, lookups), func(b *testing.B) {
				var secret, body strings.Builder
				members := 0
				for secret.WriteString(`{"first":1`); secret.Len() < size-32; members++ {
					fmt.Fprintf(&secret, `,"key%d":"value"`, members)
				}
				secret.WriteString("}")
				for i := range lookups {
					fmt.Fprintf(&body, "{{ secret \"p\" \"key%d\" }}\n", i*members/lookups)
				}
				tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body.String()}})
				if len(faults) > 0 {
					b.Fatal(faults)
				}
				for b.Loop() {
					if _, failed := tmpl.Execute(b.Context(), sources.NewSnapshot(answer(secret.String()), 0)); failed != nil {
						b.Fatal(failed.Text())
					}
				}
			})
		}
	}
}
