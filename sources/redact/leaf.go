package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
)

const (
	maxWord = 64 // bytes of a secret that is found as a whole word only
	maxBare = 11 // letters and digits of one
	deepest = 4  // values within values
)

// value takes a text: the leaves of its JSON, or what else stands in it.
func (c *collector) value(text string) {
	text = text[:min(len(text), most)]
	if c.depth++; c.depth <= deepest && !c.seen[text] {
		c.seen[text] = true
		c.small(text)
		if leaves, rest := sources.Leaves(text); strings.TrimSpace(rest) == "" {
			c.leaves(leaves)
		} else {
			c.leaf(text)
		}
	}
	c.depth--
}

// small takes a text with capitals beyond ASCII in small letters as well.
func (c *collector) small(text string) {
	beyond := func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsUpper(r) }
	if strings.ContainsFunc(text, beyond) && utf8.ValidString(text) {
		c.value(strings.Map(unicode.ToLower, text))
	}
}

// open are the names of JSON's members, and of settings, that hold no secret.
var open = map[string]bool{"host": true, "port": true, "user": true, "username": true, "engine": true, "dbname": true, "region": true,
	"dbinstanceidentifier": true, "dbclusteridentifier": true}

// leaves takes the leaves of JSON. Its names are no secrets.
func (c *collector) leaves(list []sources.Leaf) {
	for _, leaf := range list {
		if !open[strings.ToLower(leaf.Name)] {
			c.value(leaf.Text)
		}
	}
}

var (
	// armour is what stands around a PEM block. Its words are no secret, and programs use them to
	// say what is wrong.
	armour = lazyregexp.New(`-----(?:BEGIN|END)[^-\n]{1,80}-----`)
	// authority is what of a URL names where it leads to: its scheme, and what follows the user and
	// the password.
	authority  = lazyregexp.New(`(?i)\b([a-z][a-z0-9+.-]*:(?:[a-z]+:)?//)(?:([^\s/?#@:"']*)(?::([^\s/?#@"']*))?@)?([^\s/?#@"']*)`)
	untilBlank = lazyregexp.New(`^[^\s"']*`)
	// setting is a name with its value, as in connection strings and .env files.
	setting = lazyregexp.New(`([A-Za-z_][A-Za-z0-9_.-]*)["']?[ \t]*[=:][ \t]*("[^"\n]*"|'[^'\n]*'|[^\s;,&"']+)`)
)

// authorities gives the authorities of the URLs in a text, as authority finds them.
func authorities(text string) [][]int {
	if !strings.Contains(text, "://") {
		return nil
	}
	return authority.FindAllStringSubmatchIndex(text, -1)
}

// longestLine bounds in which lines settings are looked for.
const longestLine = 4 << 10

// settings gives the settings in a text, line by line, as setting finds them.
func settings(text string) (all [][]int) {
	start := 0
	for line := range strings.Lines(text) {
		if len(line) <= longestLine && strings.ContainsAny(line, "=:") {
			for _, m := range setting.FindAllStringSubmatchIndex(line, -1) {
				for i := range m {
					m[i] += start
				}
				all = append(all, m)
			}
		}
		start += len(line)
	}
	return all
}

// nameAndValue gives those of a setting in a text, the value without quotes.
func nameAndValue(text string, setting []int) (name, value string) {
	return strings.ToLower(text[setting[2]:setting[3]]), strings.Trim(text[setting[4]:setting[5]], `"'`)
}

// leaf takes a text as a whole, and what it holds: a password in a URL, the value of a setting, the
// bytes that it encodes.
func (c *collector) leaf(text string) {
	text = strings.TrimSpace(text)
	if harmless(text) {
		return
	}
	c.text(text)
	c.shortLines(text)
	for _, m := range authorities(text) {
		if m[6] >= 0 {
			c.value(text[m[6]:m[7]])
		}
	}
	for _, m := range settings(text) {
		if name, value := nameAndValue(text, m); !open[name] && !strings.HasPrefix(value, "//") {
			c.value(value)
		}
	}
	c.unescaped(text)
	c.decoded(text)
}

// unescaped takes what a text says that is written with escapes.
func (c *collector) unescaped(text string) {
	decoders := []func(*reading) *reading{backslash, percent}
	if strings.Contains(text, "://") {
		decoders = decoders[:1] // what a URL divides stays divided
	}
	written := plain([]byte(text))
	for _, decode := range decoders {
		if decoded := decode(written); decoded != written {
			c.value(string(decoded.data))
		}
	}
}

// decoded takes the bytes that a text stands for, and those of the private keys in it.
func (c *collector) decoded(text string) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if strings.Contains(block.Type, "PRIVATE KEY") {
			c.bytes(block.Bytes)
		}
	}
	if data := decoded(text); data != nil {
		c.bytes(data)
		if utf8.Valid(data) {
			c.value(string(data))
		}
	}
}

// fewLines is how many lines a text may have for each to be a secret of its own, as a user and a
// password are.
const fewLines = 8

// shortLines takes the lines that are shorter than what is recognised of the text. Those with too
// few letters and digits for a window are words, which a longer text has for other reasons.
func (c *collector) shortLines(text string) {
	if !strings.Contains(text, "\n") {
		return
	}
	least, enough := window, window
	if strings.Count(text, "\n") < fewLines {
		least = 0
	}
	if len(text) > dense {
		enough = window + winnowed - 1
	}
	for line := range strings.Lines(text) {
		if len(line) > longestLine || harmless(strings.TrimSpace(line)) {
			continue
		}
		if n := len(lettersOf([]byte(line)).folded); n >= least && n < enough {
			c.text(strings.TrimRight(line, "\r\n"))
		}
	}
}

// leastDecoded is how many bytes a text must stand for to be taken for their base64 or hexadecimal.
const leastDecoded = 8

// decoded gives the bytes that a text is the base64 or hexadecimal of; nil where it is neither.
// Words are not meant so.
func decoded(text string) []byte {
	if strings.ContainsAny(text, " \t") {
		return nil
	}
	bare := strings.Join(strings.Fields(text), "")
	decoders := []func(string) ([]byte, error){hex.DecodeString}
	if !isWords(bare) {
		decoders = append(decoders, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString)
	}
	for _, decode := range decoders {
		if data, err := decode(strings.TrimRight(bare, "=")); err == nil && len(data) >= leastDecoded {
			return data
		}
	}
	return nil
}

// isWords tells of a text that it is more likely one or more words than base64.
func isWords(text string) bool {
	const small, capital = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return !strings.ContainsAny(text, small) || !strings.ContainsAny(text, capital) || strings.Trim(text, small+capital+"-_") == ""
}

// text takes the windows of a text. One that has too few is taken as a word.
func (c *collector) text(text string) {
	letters := lettersOf([]byte(text))
	beyond := func(i int32) bool { return text[i] < 'a' || text[i] > 'z' }
	mixture := slices.ContainsFunc(letters.at, beyond)
	long := len(letters.folded) >= leastRun // windows of a to z alone hide nothing shorter
	if len(letters.folded) < window || !long && !mixture {
		c.word(text, letters.folded, mixture)
		return
	}
	masked := maskOf(text)
	before := len(c.prints)
	c.windows(letters.folded, func(i int) (marks uint16, ok bool) {
		at := letters.at[i : i+window]
		switch {
		case slices.ContainsFunc(at, masked.has):
			return 0, false
		case !slices.ContainsFunc(at, beyond):
			return 0, true
		}
		ok = varied(letters.folded[i : i+window])
		long = long || ok
		return mixed, ok
	})
	if (len(c.prints) == before || !long) && masked == nil {
		c.word(text, letters.folded, mixture)
	}
}

// A mask tells which bytes of a text are no secret; nil: none is known.
type mask []bool

func (m mask) has(i int32) bool { return m != nil && m[i] }

// cover adds some of a text's bytes.
func (m *mask) cover(text string, from, to int) {
	if *m == nil {
		*m = make(mask, len(text))
	}
	for i := from; i < to; i++ {
		(*m)[i] = true
	}
}

// maskOf gives the mask of a text: PEM's armour, the names of settings, and where a URL leads to.
func maskOf(text string) (m mask) {
	for _, a := range armour.FindAllStringIndex(text, -1) {
		m.cover(text, a[0], a[1])
	}
	if strings.ContainsAny(text, " \t\n;") { // a password may hold a = as well
		for _, s := range settings(text) {
			m.cover(text, s[2], s[3])
			if name, value := nameAndValue(text, s); open[name] || harmless(value) {
				m.cover(text, s[4], s[5])
			}
		}
	}
	for _, a := range authorities(text) {
		m.cover(text, a[2], a[3])
		m.cover(text, a[8], a[9])
		if a[6] >= 0 { // then it is the password that is secret, and nothing else
			m.cover(text, a[4], a[5])
			m.cover(text, a[9], a[9]+len(untilBlank.FindString(text[a[9]:])))
		}
	}
	return m
}

// word takes a short secret, which is recognised only where it stands by itself.
func (c *collector) word(text string, folded []byte, beyond bool) {
	if len(text) < 3 || len(text) > maxWord || common[string(lower(text))] {
		return
	}
	c.prints[maphash.Bytes(c.words, lower(text))] |= mixed
	c.forms = append(c.forms, form(len(text)))
	if n := len(folded); n <= maxBare && (beyond && n >= leastBare || n >= window) {
		c.prints[maphash.Bytes(c.Redactor.bare, folded)] |= mixed
		c.forms = append(c.forms, bareForm|form(n))
	}
}

// leastBare is how many letters and digits a short secret has to have to be recognised with
// anything between them.
const leastBare = 5

// LearnOld has the Redactor know what a file held that it is to hold no more: the version of a
// secret that was in force before, though nobody may have looked it up since the start.
func (r *Redactor) LearnOld(old, new []byte) {
	if r == nil {
		return
	}
	old = old[:min(len(old), most)]
	id := ID(maphash.Bytes(r.bare, old)) ^ ID(maphash.Bytes(r.words, new))
	r.learn(id, func(c *collector) {
		if bytes.IndexByte(old, 0) >= 0 || !utf8.Valid(old) {
			c.bytes(old)
			return
		}
		for _, part := range gone(string(old), string(new)) {
			c.value(part)
		}
	})
}
