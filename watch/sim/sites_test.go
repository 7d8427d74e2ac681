package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
)

// A unit is one file of the config that stands for a file for each key of a secret. With the
// versions of the secret keys appear, get other values, and disappear, and with these their files.

// allSites is the path of the file of the config.
const allSites = "/out/sites/" + render.AnyKey + ".conf"

// siteKeys are all keys that there may be.
var siteKeys = []string{"a", "b", "c", "d"}

// siteSpecs gives the files that the one of the config may stand for.
func siteSpecs() (list []spec) {
	for _, key := range siteKeys {
		path := strings.ReplaceAll(allSites, render.AnyKey, key)
		list = append(list, spec{unit: sites, path: path, kind: "site" + key, refs: []string{"map"}, key: key, uid: swap.Keep, fresh: 0o640, dirMode: 0o750})
	}
	return list
}

// keysOf gives the keys that a version of the secret has.
func keysOf(text int) []string {
	return [][]string{{"a", "b"}, {"b", "c"}, {"c"}, {"a", "c", "d"}, {"a", "d"}, {"b", "d"}}[text%6]
}

// mapped gives the text of the secret: each key has the same value.
func mapped(text int) string {
	values := make(map[string]string)
	for _, key := range keysOf(text) {
		values[key] = mappedValue(text)
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func mappedValue(text int) string { return fmt.Sprintf("%s.map.%d", canary, text) }

// mappedKeys gives the keys that there are with a value.
func mappedKeys(value string) []string {
	var text int
	if _, err := fmt.Sscanf(value, canary+".map.%d", &text); err != nil {
		panic(value)
	}
	return keysOf(text)
}

// shown gives what of a secret's text stands in a file.
func shown(name string, seen state, text string) string {
	if name == "map" {
		return mappedValue(seen.text)
	}
	return strings.TrimSuffix(text, `"`)
}

// isGone tells whether a file is none of those that a version of the secret makes.
func (s spec) isGone(text int) bool { return s.key != "" && !slices.Contains(keysOf(text), s.key) }

// makeSites makes a file of the config that stands for others.
func makeSites(body string) parsed {
	e, faults := render.ParseEach(render.Options{Main: render.Text{Name: "each", Body: `secretMap "map"`}})
	if len(faults) > 0 {
		panic(faults)
	}
	e.Remove = true
	e.Path = func(key string) (string, *fault.Fault) { return strings.ReplaceAll(allSites, render.AnyKey, key), nil }
	t, faults := render.Parse(render.Options{Main: render.Text{Name: "site", Body: body}, Each: e})
	if len(faults) > 0 {
		panic(faults)
	}
	return parsed{t, e}
}

// gone notes that the daemon has taken a file away. The caller holds w.mu.
func (w *world) gone(f *output) {
	if f.key == "" || !w.aws.eligible[f.path+" gone"] {
		w.fail("%s is taken away", f.path)
		return
	}
	w.order++
	f.changed = w.order
	f.arises()
	w.counts.swaps++
	f.nothing()
	w.trace.note(w.began, "%s is gone", f.path)
}

// nothing notes that there is no file any more, and is to be none.
func (f *output) nothing() {
	f.content, f.meta, f.own, f.was = "", meta{mode: f.fresh}, 0, nil
	f.drifted, f.robbed, f.torn, f.stray = false, false, false, false
}

// strays notes that nobody may know any more that files were made for keys: those whose keys are
// gone by now stay for good, and nobody is told of them. The caller holds w.mu.
func (w *world) strays() {
	for _, f := range w.files {
		if f.key != "" {
			f.stray = true
			clear(f.must)
		}
	}
}

// incomplete says which file lacks of those of one version, which others of a service are of; ""
// where none does.
func (w *world) incomplete(list []*output) string {
	var value string
	for _, f := range list {
		if _, values, whole := f.parse(w.found(f.path)); f.key != "" && !f.drifted && !f.stray && whole {
			value = values[0]
		}
	}
	if value == "" {
		return ""
	}
	for _, f := range list {
		if wanted := slices.Contains(mappedKeys(value), f.key); wanted && !f.drifted && !f.stray && w.found(f.path) == "" {
			return "no " + f.path + " beside those of " + value
		}
	}
	return ""
}
