package redact

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"html"
	"maps"
	mathrand "math/rand/v2"
	"mime/quotedprintable"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/sources"
)

// filter gives text through a command, for which it is UTF-8 wherever the tests run.
func filter(line string) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return string(out)
	}
}

// each writes every character of text in some way.
func each(write func(r rune) string) func(*testing.T, string) string {
	return func(_ *testing.T, text string) string {
		var b strings.Builder
		for _, r := range text {
			b.WriteString(write(r))
		}
		return b.String()
	}
}

// eachByte writes every byte of text in some way.
func eachByte(format string) func(*testing.T, string) string {
	return func(_ *testing.T, text string) string {
		var b strings.Builder
		for _, c := range []byte(text) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}

func pure(f func(string) string) func(*testing.T, string) string {
	return func(_ *testing.T, text string) string { return f(text) }
}

func wrapped(width int) func(*testing.T, string) string {
	return pure(func(text string) string {
		code := base64.StdEncoding.EncodeToString([]byte(text))
		var b strings.Builder
		for len(code) > width {
			b.WriteString(code[:width] + "\n")
			code = code[width:]
		}
		return b.String() + code + "\n"
	})
}

// spellings are ways in which programs print a text.
var spellings = map[string]func(*testing.T, string) string{
	"as it is":         pure(func(s string) string { return s }),
	"in capitals":      filter("tr a-z A-Z"),
	"in small letters": filter("tr A-Z a-z"),
	"hex":              pure(func(s string) string { return hex.EncodeToString([]byte(s)) }),
	"hex in capitals":  eachByte("%02X"),
	"hex with colons":  eachByte("%02x:"),
	"hex with spaces":  eachByte("%02x "),
	"hex, 0x":          eachByte("0x%02x, "),
	"hex, a line each": eachByte("%02x\n"),
	"xxd":              filter("xxd"),
	"xxd -p":           filter("xxd -p"),
	"xxd -i":           filter("xxd -i"),
	"od":               filter("od"),
	"od -c":            filter("od -c"),
	"od -b":            filter("od -b"),
	"od -x":            filter("od -x"),
	"od -tx4":          filter("od -tx4"),
	"od -tx8":          filter("od -tx8"),
	"od -td2":          filter("od -td2"),
	"od -tu2":          filter("od -tu2"),
	"od -td4":          filter("od -td4"),
	"od -tu4":          filter("od -An -tu4"),
	"od -td8":          filter("od -td8"),
	"od -tu8":          filter("od -tu8"),
	"od -to4":          filter("od -to4"),
	"od -to8":          filter("od -An -to8"),
	"hexdump -d":       filter("od -tu2 -w10 | tr -s ' ' '\\n' | awk 'length($0) < 6 { printf \"%05d\\n\", $0 }'"),
	"xxd -e":           filter("xxd -e"),
	"xxd -b":           filter("xxd -b"),
	"no width":         each(func(r rune) string { return string(r) + "\u200b\u00ad" }),
	"underlined":       each(func(r rune) string { return string(r) + "\u0332" }),
	"isolated":         each(func(r rune) string { return "\u2066" + string(r) + "\u2069" }),
	"all in capitals":  pure(strings.ToUpper),
	"all in small":     pure(strings.ToLower),
	"escape of JavaScript": each(func(r rune) string {
		if r < 0x80 {
			return url.QueryEscape(string(r))
		}
		return fmt.Sprintf("%%u%04X", r)
	}),
	"od -tx1":         filter("od -An -tx1"),
	"od -tx1z":        filter("od -tx1z"),
	"od -tu1":         filter("od -An -tu1"),
	"od -td1":         filter("od -td1"),
	"base64":          pure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"base64 after 1":  pure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(">" + s + "<")) }),
	"base64 after 2":  pure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x>" + s + "<x")) }),
	"base64 after 3":  pure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte("us:" + s)) }),
	"base64 after 4":  pure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte("use:" + s)) }),
	"base64 of URLs":  pure(func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }),
	"base64 by 64":    wrapped(64),
	"base64 by 76":    wrapped(76),
	"base64 by 20":    wrapped(20),
	"base64 in a URL": pure(func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) }),
	"basic authorization": pure(func(s string) string {
		return "> Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("app:"+s))
	}),
	"URL, query":   pure(url.QueryEscape),
	"URL, path":    pure(url.PathEscape),
	"URL, all":     eachByte("%%%02X"),
	"JSON":         pure(func(s string) string { b, _ := json.Marshal(map[string]string{"k": s}); return string(b) }),
	"JSON in JSON": pure(func(s string) string { b, _ := json.Marshal(s); c, _ := json.Marshal(string(b)); return string(c) }),
	"JSON, all \\u": each(func(r rune) string {
		if a, b := utf16.EncodeRune(r); a != '�' {
			return fmt.Sprintf(`\u%04x\u%04x`, a, b)
		}
		return fmt.Sprintf(`\u%04X`, r)
	}),
	"properties": pure(func(s string) string { return "db.password=" + properties(s) }),
	"properties, in many lines": pure(func(s string) string {
		var b strings.Builder
		for i, r := range []rune(s) {
			if i%5 == 4 {
				b.WriteString("\\\n    ")
			}
			b.WriteString(properties(string(r)))
		}
		return b.String()
	}),
	"PHP": pure(func(s string) string { return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + `'` }),
	"PHP, \\x and \\u{}": each(func(r rune) string {
		if r < 0x80 {
			return fmt.Sprintf(`\x%x`, r)
		}
		return fmt.Sprintf(`\u{%X}`, r)
	}),
	"HCL": pure(func(s string) string {
		return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(fmt.Sprintf("%+q", s))
	}),
	"\\u{}":            each(func(r rune) string { return fmt.Sprintf(`\u{%x}`, r) }),
	"XML":              pure(func(s string) string { var b bytes.Buffer; xml.EscapeText(&b, []byte(s)); return b.String() }),
	"HTML":             pure(html.EscapeString),
	"entities":         each(func(r rune) string { return fmt.Sprintf("&#%d;", r) }),
	"entities, hex":    each(func(r rune) string { return fmt.Sprintf("&#x%X;", r) }),
	"%q of a shell":    filter(`IFS= read -rd '' x; printf %q "$x"`),
	"octal":            eachByte(`\%03o`),
	"octal, four":      eachByte(`\0%03o`),
	"\\x":              eachByte(`\x%02x`),
	"%q of Go":         pure(func(s string) string { return fmt.Sprintf("%q", s) }),
	"%+q of Go":        pure(func(s string) string { return fmt.Sprintf("%+q", s) }),
	"bytes of Go":      pure(func(s string) string { return fmt.Sprint([]byte(s)) }),
	"buffer of node":   pure(func(s string) string { return fmt.Sprintf("<Buffer % x>", s) }),
	"repr of python":   filter(`python3 -c 'import sys; print(repr(sys.stdin.buffer.read()))'`),
	"reversed":         filter("rev"),
	"ANSI":             each(func(r rune) string { return "\x1b[31m" + string(r) + "\x1b[0;1m" }),
	"ANSI, written":    each(func(r rune) string { return `\033[31m` + string(r) + `\e[0m` }),
	"ANSI, cat -v":     filter(`sed 's/./\x1b[1m&\x1b[0m/g' | sed 's/\x1b/^[/g'`),
	"hyperlink":        each(func(r rune) string { return "\x1b]8;;\x07" + string(r) }),
	"overstruck":       each(func(r rune) string { return string(r) + "\b" + string(r) }),
	"a line each":      filter("fold -w1"),
	"by eight":         filter("fold -w8"),
	"by nine, counted": filter("fold -w9 | cat -n"),
	"counted":          filter("grep -n '' || true"),
	"diff":             filter("sed 's/^/< /'"),
	"spaced":           filter("sed 's/./& /g'"),
	"dashed":           filter("sed 's/./&-/g'"),
	"doubled quotes":   pure(func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, `'`, `''`), `"`, `""`) }),
	"quoted":           pure(func(s string) string { return `'` + strings.ReplaceAll(s, `'`, `'\''`) + `'` }),
	"quoted by \"":     pure(func(s string) string { return `'` + strings.ReplaceAll(s, `'`, `'"'"'`) + `'` }),
	"mail": pure(func(s string) string {
		var b bytes.Buffer
		w := quotedprintable.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	}),
	"UTF-16":  filter("iconv -t UTF-16LE"),
	"a trace": pure(func(s string) string { return "+ curl -H 'X-Token: " + s + "' https://api.example/" }),
}

// properties writes a text as java.util.Properties stores it.
func properties(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		switch {
		case unit == '\n':
			b.WriteString(`\n`)
		case strings.ContainsRune(`\=:#! `, rune(unit)):
			b.WriteString(`\` + string(rune(unit)))
		case unit < ' ' || unit > '~':
			fmt.Fprintf(&b, `\u%04X`, unit)
		default:
			b.WriteRune(rune(unit))
		}
	}
	return b.String()
}

// The values that spellings are of. What of each must not be seen is the longest run of its letters
// and digits.
var secrets = map[string]string{
	"password":    "hT7-q9Zp&0xKv'w\"3",
	"eight":       "q7Zp0xKv",
	"small words": "correct horse battery staple",
	"one word":    "wachholderbeere",
	"UTF-8":       "пароль-Канарейка-密码",
	"lines":       "first line of q7\nsecond line of Zp",
	"digits":      "9223372036854775807",
	"token":       "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
	"escaped":     `a\nb\tc"d\\e0123456`,
	"template":    "q7${Zp0}x%{Kv9}w",
}

// seen gives what of a secret can be read in an output, which nobody needs to decode.
func seen(output, secret string) string {
	folded := lettersOf([]byte(secret)).folded
	got := lettersOf([]byte(output)).folded
	for i := 0; i+6 <= len(folded); i++ {
		if bytes.Contains(got, folded[i:i+6]) {
			return string(folded[i : i+6])
		}
	}
	return ""
}

func secret(text string) sources.Value { return sources.Value{Text: text, Secret: true} }

// A secret is hidden however it is spelled. Without -long a third of the spellings try each.
func TestEverySpellingOfASecretIsHidden(t *testing.T) {
	for at, name := range slices.Sorted(maps.Keys(secrets)) {
		value, r := secrets[name], New()
		r.Learn(secret(value))
		for i, how := range slices.Sorted(maps.Keys(spellings)) {
			if (at+i)%3 > 0 && !long.Asked() {
				continue
			}
			spell := spellings[how]
			spelled := strings.TrimSpace(spell(t, value))
			if name == "escaped" && how == "ANSI, written" || name == "UTF-8" && how == "UTF-16" {
				// The one has two readings, and of the other only letters of ASCII are found.
				continue
			}
			output := "nginx: [emerg] bad value before\n" + spelled + "\nin line 3 of /etc/app.env"
			got := r.Redact([]byte(output))
			if !strings.Contains(got, "nginx: [emerg] bad value") || !strings.Contains(got, "of /etc/app.env") {
				t.Errorf("%s, %s: too much is hidden:\n%s", name, how, got)
			}
			frame := lettersOf([]byte(spell(t, ""))).folded
			core := strings.TrimSuffix(strings.TrimPrefix(got, "nginx: [emerg] bad value before\n"), "\nin line 3 of /etc/app.env")
			if rest := lettersOf([]byte(strings.ReplaceAll(core, hidden, ""))).folded; len(rest) > len(frame)+len(spelled)/3+8 || !strings.Contains(got, hidden) {
				t.Errorf("%s, %s: of %q there stays %q", name, how, spelled, core)
			}
			if s := seen(core, value); s != "" {
				t.Errorf("%s, %s: %q is seen in %q", name, how, s, core)
			}
		}
	}
}

func TestKeysInAnotherForm(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PrivateKey(key)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	armored := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	for _, known := range []string{armored("RSA PRIVATE KEY", pkcs1), armored("PRIVATE KEY", pkcs8)} {
		r := New()
		r.Learn(secret(known))
		for _, data := range [][]byte{pkcs1, pkcs8, key.D.Bytes(), key.Primes[0].Bytes()} {
			for _, output := range []string{
				string(data), hex.EncodeToString(data), base64.StdEncoding.EncodeToString(data), filter("base64")(t, string(data)), filter("xxd")(t, string(data)),
				filter("od -x")(t, string(data)), filter("od -tx1")(t, string(data)), eachByte("%02x:")(t, string(data)), filter("hexdump -C")(t, string(data)),
			} {
				got := r.Redact([]byte("before " + output + " after"))
				if rest := lettersOf([]byte(strings.ReplaceAll(got, hidden, ""))).folded; len(rest) > 80+len(output)/4 {
					t.Errorf("%d of %d characters stay of %.60q: %.300q", len(rest), len(output), output, got)
				}
			}
		}
	}
}

// Of a large value few windows have fingerprints, so that they are recognised only where the lines
// of a dump are read one after the other: without their numbers and what stands at their ends.
func TestDumpsOfALargeSecret(t *testing.T) {
	data := make([]byte, 8<<10)
	mathrand.NewChaCha8([32]byte{4}).Read(data)
	r := New()
	r.Learn(sources.Value{Bytes: data, Secret: true})
	var xxd strings.Builder
	for at := 0; at < len(data); at += 16 {
		fmt.Fprintf(&xxd, "%08x:", at)
		for i := at; i < at+16; i += 2 {
			fmt.Fprintf(&xxd, " %x", data[i:i+2])
		}
		fmt.Fprintf(&xxd, "  %s\n", strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, string(data[at:at+16])))
	}
	for name, dump := range map[string]string{"hexdump -C": hex.Dump(data), "xxd": xxd.String()} {
		for _, mark := range []string{"", "> ", "+"} {
			lines := strings.SplitAfter(dump, "\n")
			shown := r.Redact([]byte(mark + strings.Join(lines[:len(lines)-1], mark)))
			shown = strings.ReplaceAll(shown, " ", "")
			for at := 16; at < len(data)-16; at += 8 { // what is at either end may be left of a run
				if strings.Contains(shown, hex.EncodeToString(data[at:at+8])) {
					t.Fatalf("%s, %q: the bytes at %d are shown", name, mark, at)
				}
			}
		}
	}
}
