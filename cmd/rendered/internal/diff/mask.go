package diff

import (
	"strings"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/watch/pass"
)

// Masked gives what a file would hold without the values in it: a label stands for what a lookup
// gives, as in a Diff.
func Masked(of pass.Rendered, file *render.Rendering) string {
	text, at := string(file.Content), 0
	var list []piece
	for _, p := range file.Parts() {
		list = append(list, piece{text: text[at:p.Start]}, piece{label(of.Foresight, p), true})
		at = p.End
	}
	list = append(list, piece{text: text[at:]})
	hide(of.Redacted, func(do func(*piece)) {
		for i := range list {
			if !list[i].label {
				do(&list[i])
			}
		}
	})
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.text)
	}
	return b.String()
}
