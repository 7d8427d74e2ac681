package render

import (
	"fmt"
	"strings"
)

// defaults has hints that show a default show it for this call: with the keys that it follows, and
// with what gives the same type.
func (f *lookupResult) defaults(hints []string) []string {
	function := calledBy(f.call)
	path := f.path(f.keys)
	hidden := strings.Contains(path, hiddenName)
	var list []string
	for _, hint := range hints {
		if len(f.keys) == 1 && !hidden {
			hint = strings.Replace(hint, f.ref.Text()+": VALUE  under", fmt.Sprintf("%s: {%v: VALUE}  under", f.ref.Text(), f.keys[0]), 1)
		}
		if before, _, found := strings.Cut(hint, fmt.Sprintf("{{ paramsOr dict %q }}", f.ref.Text())); found {
			list = append(list, before+f.optional())
			continue
		}
		before, after, found := strings.Cut(hint, fmt.Sprintf("Or \"VALUE\" %q }}", f.ref.Text()))
		call := fmt.Sprintf("Or \"VALUE\" %q%s }}", f.ref.Text(), path)
		switch {
		case !found:
			list = append(list, hint)
			continue
		case function == "secretBytes" || function == versionsFunction || hidden:
			continue // there is no default for bytes and versions, and none for a key that may not be shown
		case function == "secretMap":
			call = fmt.Sprintf("Or \"{}\" %q%s | fromJson }}", f.ref.Text(), path)
		case function == "paramList":
			call = fmt.Sprintf("Or \"VALUE\" %q | splitList \",\" }}", f.ref.Text())
		}
		list = append(list, before+call+after)
	}
	return list
}

// optional shows how a template does without any parameter under a path.
func (f *lookupResult) optional() string {
	if calledBy(f.call) == "params" {
		return fmt.Sprintf("{{ range $name, $text := paramsOr dict %q }}{{ else }}there is none{{ end }}", f.ref.Text())
	}
	return fmt.Sprintf("{{ if paramsExist %q }}{{ end }}", f.ref.Text())
}
