package sources

import (
	"regexp"
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
	secrets []string // the forms of secrets that are long enough to be shown in part, in lower case
}

// armor is what stands around a PEM block. Its words are no secret, and programs use them to say what is wrong.
var armor = regexp.MustCompile(`-----(?:BEGIN|END)[^-\n]{1,80}-----`)

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
			// Of a JSON text the leaves are here as well; its keys are no secrets.
			if secret && len(form) >= piece+piece/2 && form[0] != '{' && form[0] != '[' {
				r.secrets = append(r.secrets, strings.ToLower(armor.ReplaceAllString(form, "\n")))
			}
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

// piece is how many bytes of a secret give it away in a text that shows only a part of it, or shows it in capitals. A secret is
// looked for in pieces where it is at least half as long again: what is hardly longer is found as a whole.
const piece = 12

// withoutPieces hides each line in which a piece of a secret stands.
func (r *Redactor) withoutPieces(text string) string {
	lower := strings.ToLower(text)
	of := make(map[string]bool) // the pieces of the text, true where one is a secret's
	for i := 0; i+piece <= len(lower); i++ {
		of[lower[i:i+piece]] = false
	}
	found := false
	for _, s := range r.secrets {
		for i := 0; i+piece <= len(s); i++ {
			if _, ok := of[s[i:i+piece]]; ok {
				of[s[i:i+piece]], found = true, true
			}
		}
	}
	if !found {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		if holds(strings.ToLower(bare), of) {
			b.WriteString(hidden)
		} else {
			b.WriteString(bare)
		}
		b.WriteString(line[len(bare):])
	}
	return b.String()
}

func holds(line string, pieces map[string]bool) bool {
	for i := 0; i+piece <= len(line); i++ {
		if pieces[line[i:i+piece]] {
			return true
		}
	}
	return false
}

// Redact gives text without the values; Withheld where a secret shorter than six bytes may be in it, or a value that was broken
// into lines or spelled with spaces, as base64(1) and od(1) do.
func (r *Redactor) Redact(text []byte) string {
	clean := r.withoutPieces(r.long.Replace(string(text)))
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
