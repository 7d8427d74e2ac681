package sources

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

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

// escapes are the ways in which programs, the template functions among them, write a character that means something to them.
var escapes = []*strings.Replacer{
	backslashed(`"\`),
	backslashed("\"\\$`"),
	backslashed(`'\`),
	backslashed(`:\`),
	backslashed(" !\"#$&'()*,;<>?[\\]^`{|}~"), // printf %q of a shell
	strings.NewReplacer(`"`, `""`),
	strings.NewReplacer(`'`, `''`),
	strings.NewReplacer(`'`, `'\''`),
	strings.NewReplacer(`'`, `'"'"'`),
	strings.NewReplacer(`%`, `%%`),
	strings.NewReplacer(`$`, `$$`),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;"),
}

// backslashed puts a backslash before each of the characters.
func backslashed(chars string) *strings.Replacer {
	var pairs []string
	for _, c := range chars {
		pairs = append(pairs, string(c), `\`+string(c))
	}
	return strings.NewReplacer(pairs...)
}

// written gives the forms in which a program may print part.
func written(part string) []string {
	quoted, _ := json.Marshal(part)
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(part)
	inside := func(quoted string) string { return quoted[1 : len(quoted)-1] }
	forms := append(embedded(part),
		part,
		inside(string(quoted)),
		inside(strings.TrimSpace(plain.String())),
		inside(ascii(strings.TrimSpace(plain.String()))),
		base64.StdEncoding.EncodeToString([]byte(part)),
		base64.URLEncoding.EncodeToString([]byte(part)),
		hex.EncodeToString([]byte(part)),
		url.QueryEscape(part),
		url.PathEscape(part),
	)
	for _, e := range escapes {
		forms = append(forms, e.Replace(part))
	}
	return forms
}

// ascii writes a JSON text as encoders do that keep to ASCII.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
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
