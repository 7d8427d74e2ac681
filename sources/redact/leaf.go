package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"hash/maphash"
	"regexp"
	"strings"
	"unicode/utf8"
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
		if tree, ok := parsed(text); ok {
			c.tree("", tree)
		} else {
			c.leaf(text)
		}
	}
	c.depth--
}

// parsed reads a JSON object or list.
func parsed(text string) (tree any, ok bool) {
	if t := strings.TrimSpace(text); t == "" || t[0] != '{' && t[0] != '[' {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return tree, d.Decode(&tree) == nil && strings.TrimSpace(text[d.InputOffset():]) == ""
}

// open are the names of JSON's fields, and of settings, that hold no secret.
var open = map[string]bool{"host": true, "port": true, "user": true, "username": true, "engine": true, "dbname": true, "region": true,
	"dbinstanceidentifier": true, "dbclusteridentifier": true}

// tree takes the leaves of JSON. Its names are no secrets.
func (c *collector) tree(name string, tree any) {
	switch t := tree.(type) {
	case map[string]any:
		for name, v := range t {
			c.tree(name, v)
		}
	case []any:
		for _, v := range t {
			c.tree(name, v)
		}
	case string:
		if !open[strings.ToLower(name)] {
			c.value(t)
		}
	case json.Number:
		if !open[strings.ToLower(name)] {
			c.value(t.String())
		}
	}
}

var (
	// armour is what stands around a PEM block. Its words are no secret, and programs use them to say
	// what is wrong.
	armour = regexp.MustCompile(`-----(?:BEGIN|END)[^-\n]{1,80}-----`)
	// authority is what of a URL names where it leads to: its scheme, and what follows the user and
	// the password.
	authority  = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*:(?:[a-z]+:)?//)(?:([^\s/?#@:"']*)(?::([^\s/?#@"']*))?@)?([^\s/?#@"']*)`)
	untilBlank = regexp.MustCompile(`^[^\s"']*`)
	// setting is a name with its value, as in connection strings and .env files.
	setting = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)["']?[ \t]*[=:][ \t]*("[^"\n]*"|'[^'\n]*'|[^\s;,&"']+)`)
)

// leaf takes a text as a whole, and what it holds: a password in a URL, the value of a setting, the
// bytes that it encodes.
func (c *collector) leaf(text string) {
	text = strings.TrimSpace(text)
	if harmless(text) {
		return
	}
	c.text(text)
	c.shortLines(text)
	if strings.Contains(text, "://") {
		for _, m := range authority.FindAllStringSubmatch(text, -1) {
			c.value(m[3])
		}
	}
	for line := range strings.Lines(text) {
		if len(line) <= longestLine && strings.ContainsAny(line, "=:") {
			c.settings(line)
		}
	}
	if decoded := backslash(plain([]byte(text))); decoded != nil {
		c.value(string(decoded.data))
	}
	if decoded := percent(plain([]byte(text))); decoded != nil && !strings.Contains(text, "://") { // what a URL divides stays divided
		c.value(string(decoded.data))
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
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
	few := strings.Count(text, "\n") < fewLines
	if !strings.Contains(text, "\n") || !few && len(text) <= dense {
		return
	}
	for line := range strings.Lines(text) {
		if len(line) > longestLine || harmless(strings.TrimSpace(line)) {
			continue
		}
		n := 0
		for i := range len(line) {
			if isLetter(line[i]) {
				n++
			}
		}
		if few && n < window || len(text) > dense && n >= window && n < window+winnowed-1 {
			c.text(strings.TrimRight(line, "\r\n"))
		}
	}
}

// longestLine bounds in which lines settings are looked for.
const longestLine = 4 << 10

// settings takes the values of what a line sets.
func (c *collector) settings(line string) {
	for _, m := range setting.FindAllStringSubmatch(line, -1) {
		if value := strings.Trim(m[2], `"'`); value != line && !open[strings.ToLower(m[1])] && !strings.HasPrefix(value, "//") {
			c.value(value)
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
	if data, err := hex.DecodeString(bare); err == nil && len(data) >= leastDecoded {
		return data
	}
	const small, capital = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if !strings.ContainsAny(bare, small) || !strings.ContainsAny(bare, capital) || strings.Trim(bare, small+capital+"-_") == "" {
		return nil
	}
	bare = strings.TrimRight(bare, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if data, err := encoding.DecodeString(bare); err == nil && len(data) >= leastDecoded {
			return data
		}
	}
	return nil
}

// text takes the windows of a text. One that has too few is taken as a word.
func (c *collector) text(text string) {
	masked := mask(text)
	var folded []byte
	var at []int32
	for i, b := range []byte(text) {
		if b, ok := fold(b); ok {
			folded, at = append(folded, b), append(at, int32(i))
		}
	}
	beyond := 0 // letters that are not of a to z, as they stand
	for _, i := range at {
		if text[i] < 'a' || text[i] > 'z' {
			beyond++
		}
	}
	if len(folded) < window || len(folded) < leastRun && beyond == 0 {
		c.word(text, folded, beyond > 0)
		return
	}
	taken := len(folded) >= leastRun // windows of a to z alone hide nothing shorter
	before := len(c.prints)
	c.windows(folded, func(i int) (uint16, bool) {
		var marks uint16
		bare := true
		for _, at := range at[i : i+window] {
			if text[at] < 'a' || text[at] > 'z' {
				marks = mixed
			}
			bare = bare && (masked == nil || !masked[at])
		}
		ok := bare && (marks == 0 || varied(folded[i:i+window]))
		taken = taken || ok && marks != 0
		return marks, ok
	})
	if (len(c.prints) == before || !taken) && masked == nil {
		c.word(text, folded, beyond > 0)
	}
}

// mask tells which bytes of a text are no secret: PEM's armour, the names of settings, and where a
// URL leads to. It is nil where none are.
func mask(text string) []bool {
	var masked []bool
	cover := func(from, to int) {
		if masked == nil {
			masked = make([]bool, len(text))
		}
		for i := from; i < to; i++ {
			masked[i] = true
		}
	}
	if strings.Contains(text, "-----") {
		for _, m := range armour.FindAllStringIndex(text, -1) {
			cover(m[0], m[1])
		}
	}
	if strings.ContainsAny(text, " \t\n;") { // a password may hold a = as well
		start := 0
		for line := range strings.Lines(text) {
			if len(line) <= longestLine && strings.ContainsAny(line, "=:") {
				for _, m := range setting.FindAllStringSubmatchIndex(line, -1) {
					cover(start+m[2], start+m[3])
					if value := strings.Trim(line[m[4]:m[5]], `"'`); open[strings.ToLower(line[m[2]:m[3]])] || harmless(value) {
						cover(start+m[4], start+m[5])
					}
				}
			}
			start += len(line)
		}
	}
	if strings.Contains(text, "://") {
		for _, m := range authority.FindAllStringSubmatchIndex(text, -1) {
			cover(m[2], m[3])
			cover(m[8], m[9])
			if m[4] >= 0 && m[6] >= 0 { // then it is the password that is secret, and nothing else
				cover(m[4], m[5])
				cover(m[9], m[9]+len(untilBlank.FindString(text[m[9]:])))
			}
		}
	}
	return masked
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
