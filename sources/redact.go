package sources

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// shortest is the length in bytes from which a value can be cut out of a text. A shorter one would be cut out of words that
// have nothing to do with it, so a text in which it occurs is withheld whole.
const shortest = 6

// Withheld stands for a text that cannot be shown because a short secret may be in it.
const Withheld = "‹output withheld: it may hold a secret›"

// A Redactor takes the values of a snapshot out of texts that others wrote: the output of a command, say.
type Redactor struct {
	long    *strings.Replacer
	short   []string
	compact []string // the long ones that hold no space
}

// Redactor gives the filter for the values that have arrived so far. It knows every value as it is, line by line, the leaves
// of one that is JSON, and each of these in base64, hexadecimal, URL, JSON and shell quoting.
func (s *Snapshot) Redactor() *Redactor {
	forms := make(map[string]bool) // form of a value → whether the value is a secret
	s.each(func(v Value) {
		v.parts(func(part string) {
			for _, form := range written(part) {
				forms[form] = forms[form] || v.Secret
			}
		})
	})
	r := new(Redactor)
	var long []string
	for form, secret := range forms {
		switch {
		case len(form) >= shortest:
			long = append(long, form)
			if !strings.ContainsFunc(form, unicode.IsSpace) {
				r.compact = append(r.compact, form)
			}
		case secret:
			r.short = append(r.short, form)
		}
	}
	// A replacer takes the first that matches, so the longest stand first: a value inside another must not spoil it.
	slices.SortFunc(long, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(long))
	for _, form := range long {
		pairs = append(pairs, form, hidden)
	}
	r.long = strings.NewReplacer(pairs...)
	return r
}

// Redact gives text without the values; Withheld where a secret shorter than six bytes may be in it, or a value that was broken
// into lines or spelled with spaces, as base64(1) and od(1) do.
func (r *Redactor) Redact(text []byte) string {
	clean := r.long.Replace(string(text))
	inside := func(text string) func(string) bool {
		return func(form string) bool { return strings.Contains(text, form) }
	}
	if slices.ContainsFunc(r.short, inside(clean)) {
		return Withheld
	}
	unspaced := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, clean)
	if len(unspaced) < len(clean) && slices.ContainsFunc(r.compact, inside(unspaced)) {
		return Withheld
	}
	return clean
}

// Exposes reports whether text holds a secret of the snapshot. It serves names that were computed from values.
func (s *Snapshot) Exposes(text string) bool {
	found := false
	s.each(func(v Value) {
		if v.Secret {
			v.parts(func(part string) { found = found || strings.Contains(text, part) })
		}
	})
	return found
}

// Verbatim reports whether some value holds text as it stands.
func (s *Snapshot) Verbatim(text string) bool {
	found := false
	s.each(func(v Value) {
		v.parts(func(part string) { found = found || strings.Contains(part, text) })
	})
	return found
}

// parts calls f with the value's texts, their lines and the leaves of their JSON; empty ones are left out.
func (v Value) parts(f func(string)) {
	texts := append([]string{v.Text, string(v.Bytes)}, v.List...)
	for _, t := range v.Params {
		texts = append(texts, t)
	}
	for _, t := range texts {
		leaves(t, f)
	}
}

func leaves(text string, f func(string)) {
	lines := strings.Split(text, "\n")
	if len(lines) > 1 {
		emit(text, f)
	}
	for _, line := range lines {
		emit(line, f)
	}
	if t := strings.TrimSpace(text); t == "" || t[0] != '{' && t[0] != '[' {
		return
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) == nil {
		walk(tree, f)
	}
}

func walk(tree any, f func(string)) {
	switch t := tree.(type) {
	case map[string]any:
		for _, v := range t {
			walk(v, f)
		}
	case []any:
		for _, v := range t {
			walk(v, f)
		}
	case string:
		leaves(t, f)
	case json.Number:
		emit(t.String(), f)
	}
}

func emit(text string, f func(string)) {
	if t := strings.TrimSpace(text); t != "" {
		f(t)
	}
}

// written gives the forms in which a program may print part.
func written(part string) []string {
	quoted, _ := json.Marshal(part)
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(part)
	return append(embedded(part),
		part,
		strings.Trim(string(quoted), `"`),
		strings.Trim(strings.TrimSpace(plain.String()), `"`),
		base64.StdEncoding.EncodeToString([]byte(part)),
		base64.URLEncoding.EncodeToString([]byte(part)),
		hex.EncodeToString([]byte(part)),
		url.QueryEscape(part),
		url.PathEscape(part),
		strings.ReplaceAll(part, `'`, `'\''`),
	)
}

// embedded gives what base64 makes of part in the middle of something else: at each of the three ways in which three bytes can
// meet four characters, the characters that part alone decides.
func embedded(part string) []string {
	var forms []string
	for before := range 3 {
		first, last := (before*8+5)/6, (before+len(part))*8/6
		if last-first < shortest {
			continue
		}
		data := append(make([]byte, before), part...)
		forms = append(forms, base64.RawStdEncoding.EncodeToString(data)[first:last], base64.RawURLEncoding.EncodeToString(data)[first:last])
	}
	return forms
}
