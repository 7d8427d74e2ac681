package funcs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render/funcs/quotetest"
)

func TestWhatFunctionsGive(t *testing.T) {
	for call, want := range map[string]string{
		`urlQuote "p@ss:w/o?r#d %é"`: "p%40ss%3Aw%2Fo%3Fr%23d%20%25%C3%A9", `urlQuote "aZ0-._~"`: "aZ0-._~", `urlQuote 5`: "5", `urlQuote true`: "true",
		`(urlParse "amqp://app:s3%40c@h.example:5672/v?x=1#f").password`: "s3@c", `(urlParse "https://h").port`: "", `(urlParse "amqp://a:b%2Fc@h/").userinfo`: "a:b%2Fc",
		`urlParse "https://u:p%40@h:8443/a%20b?q=1#f" | urlJoin`:                                                  "https://u:p%40@h:8443/a%20b?q=1#f",
		`urlJoin (dict "scheme" "amqp" "host" "h" "userinfo" (printf "%s:%s" (urlQuote "a@b") (urlQuote "c/d")))`: "amqp://a%40b:c%2Fd@h",

		`date "2006-01-02T15:04:05Z07:00" 1700000000`: "2023-11-14T22:13:20Z", `date "02/01/2006" "2017-12-31T23:30:00-02:00"`: "01/01/2018", `date "2006" "1700000000"`: "2023", `date "2006" .n`: "1970",
		`toDate "2006-01-02" "2017-12-31" | date "02/01/2006"`: "31/12/2017", `mustToDate "2006-01-02 15:04 -0700" "2017-12-31 01:00 +0200"`: "2017-12-30T23:00:00Z",
		`dateInZone "15:04 MST" "2026-07-01T12:00:00Z" "Europe/Berlin"`: "14:00 CEST", `htmlDateInZone "2026-07-01T23:00:00Z" "Europe/Berlin"`: "2026-07-02", `htmlDate "2026-07-01T23:00:00Z"`: "2026-07-01",
		`dateModify "-1.5h" "2026-07-01T12:00:00Z"`: "2026-07-01T10:30:00Z", `unixEpoch (toDate "2006-01-02" "2017-12-31")`: "1514678400", `mustDateModify "24h" 0 | unixEpoch`: "86400",
		`duration 95`: "1m35s", `duration "3600"`: "1h0m0s", `durationRound "2h10m5s"`: "2h", `durationRound "2400h10m5s"`: "3mo", `durationRound "-90s"`: "1m",
		`(semver "v1.2.3-rc.1+b").Major`: "1", `(semver "1.2").Patch`: "0", `(semver "v1.2.3-rc.1+b").Prerelease`: "rc.1", `(semver "v1.2.3-rc.1+b").Metadata`: "b", `(semver "v1.2.3").Original`: "v1.2.3",
		`md5sum "abc"`: "900150983cd24fb0d6963f7d28e17f72", `hmacSHA256 "key" "The quick brown fox jumps over the lazy dog"`: "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
		`b64urlenc "\u00ff\u00fe?>"`: "w7_Dvj8-", `b64urldec "w7_Dvj8-"`: "ÿþ?>", `b64urldec "YQ"`: "a", `b64urldec "YQ=="`: "a", `b64urlenc "a"`: "YQ==",
		`parseBool "t"`: "true", `parseBool "0"`: "false", `parseBool true`: "true", `parseBool 1`: "true", `if parseBool "false" }}a{{ else }}b{{ end`: "b",
		`(splitToMap "," "=" "a=1,b=2=3").b`: "2=3", `splitToMap ";" ":" "" | toJson`: "{}", `splitToMap "," "=" " a=1,b= " | toJson`: `{"a":"1","b":""}`,
		`set (dict "a" 1) "b" 2 | toJson`: `{"a":1,"b":2}`, `unset (dict "a" 1 "b" 2) "b" | toJson`: `{"a":1}`, `unset (dict "a" 1) "c" | toJson`: `{"a":1}`, `$d := dict "a" 1 }}{{ $e := set $d "a" 2 }}{{ $d.a }}{{ $e.a`: "12",
		`fromJsonArray "[1,\"a\"]" | toJson`: `[1,"a"]`, `fromYamlArray "- 1\n- a" | toJson`: `[1,"a"]`, `mustSlice (list 1 2 3) 1 2 | toJson`: "[2]", `trimall "$" "$5$"`: "5", `osBase "/a/b.c"`: "b.c", `osIsAbs "a"`: "false",

		`toYaml "yes"`: `"yes"`, `toYaml "text"`: "text", `toYaml 5`: "5", `toYaml "5"`: `"5"`, `toYaml nil`: "null", `toYaml (list)`: "[]", `toYaml (dict)`: "{}", `toYaml (list "a" (list 1 2) (dict "b" 1 "c" (list)))`: "- a\n- - 1\n  - 2\n- b: 1\n  c: []",
		`toYaml (dict "l" (list 1 (dict "x" 1 "y" (list "z"))) "m" (dict "k" (dict "d" true)) "n" nil "s" "a\nb")`: "l:\n- 1\n- x: 1\n  \"y\":\n  - z\nm:\n  k:\n    d: true\n\"n\": null\ns: \"a\\nb\"",
		`fromJson "{\"a\":1e5,\"b\":1.50,\"c\":12345678901234567890,\"d\":-1.5E-7}" | toYaml`:                      "a: 1.0e+5\nb: 1.50\nc: 12345678901234567890\nd: -1.5e-7",
		`fromYaml "a: 1.50\nb: 0\nc: ~\nd: no\ne: \"1\"\nf: 2001-01-01\ng: {h: [x, TRUE]}" | toJson`:               `{"a":1.50,"b":0,"c":null,"d":"no","e":"1","f":"2001-01-01","g":{"h":["x",true]}}`,
		`fromYaml "b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\nd: [*b]\n1: true" | toJson`:                              `{"1":true,"b":{"x":1,"y":2},"c":{"x":1,"y":3},"d":[{"x":1,"y":2}]}`,
		`fromYaml "---\na: 1\n...\n---\n" | toJson`:                                                                `{"a":1}`, `fromYaml "text"`: "text", `fromYaml "# only\n5"`: "5",
		`toToml (dict "b" 1 "a" "x\"" "t" (dict "k" 1.5 "u" (dict "l" (list 1 "a"))) "r" (list (dict "n" 1) (dict "n" 2)) "e" (list) "q r" (list (dict) 1))`: "a = \"x\\\"\"\nb = 1\ne = []\n\"q r\" = [{}, 1]\n\n[[r]]\nn = 1\n\n[[r]]\nn = 2\n\n[t]\nk = 1.5\n\n[t.u]\nl = [1, \"a\"]",
		`fromToml "a = 1\nb = 1.50\nc = 2017-12-31T01:00:00+02:00\nd = 2017-12-31\ne = 01:02:03\n[[t]]\nk = [true, {x = 'y'}]" | toJson`:                     `{"a":1,"b":1.5,"c":"2017-12-31T01:00:00+02:00","d":"2017-12-31","e":"01:02:03","t":[{"k":[true,{"x":"y"}]}]}`,
	} {
		if out, err := execute("{{ "+call+" }}", data()); err != nil || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
}

// What cannot be given is refused, with the reason and without a value.
func TestWhatFunctionsRefuse(t *testing.T) {
	for call, want := range map[string]string{
		`urlQuote "a\x00"`: "zero byte", `urlQuote "\xff"`: "not UTF-8", `urlQuote (list "a")`: "a list", `urlQuote nil`: "nothing to quote", `urlParse "http://a:b%zz@h"`: "no URL", `urlParse "http://u:%ff@h"`: "not UTF-8",
		`urlJoin (dict "port" 5)`: "a number, not a text", `urlJoin (dict "host" "h" "userinfo" "a:b/c")`: "userinfo",
		`date "YYYY-MM-DD" 0`: "no part of a time", `date "2006" "yesterday"`: "no time as", `date "2006" 253402300800`: "1 to 9999", `date "2006" nil`: "nothing", `date "2006" (list)`: "a list", `date "2006" 1.5`: "not a whole number",
		`dateInZone "2006" 0 "Mars/Base"`: "no such time zone", `dateInZone "2006" 0 "Local"`: "no such time zone", `dateInZone "2006" 0 ""`: "no such time zone", `dateInZone "2006" 0 "../etc/passwd"`: "no such time zone",
		`toDate "2006-01-02" "31.12.2017"`: "as the layout has it", `toDate "15:04" "12:00"`: "1 to 9999", `dateModify "1 day" 0`: "no duration", `dateModify "2500000h" 253402300799`: "1 to 9999", `unixEpoch "x"`: "no time as",
		`duration "x"`: "not a whole number", `duration 9223372036854775807`: "292 years", `durationRound "x"`: "no duration", `durationRound (list)`: "a list",
		`semver "one"`: "no version", `semver "18446744073709551615.0.0"`: "does not fit", `parseBool "yes"`: "none of", `parseBool ""`: "none of", `parseBool (list)`: "a list", `b64urldec "+/+/"`: "not base64", `b64urldec "YQ="`: "not base64",
		`splitToMap "," "=" "a=1,b"`: "pair 2 has no separator", `splitToMap "," "=" "a=1,a=2"`: "pair 2 has the key", `splitToMap "" "=" "a"`: "empty", `fromJsonArray "{}"`: "a map, not a list", `fromYamlArray "a"`: "text, not a list",
		`fromYaml ""`: "empty", `fromYaml "a: [1"`: "not YAML at line 1", `fromYaml "a: 1\n---\nb: 1"`: "more than one document", `fromYaml "a: 1\na: 2"`: `key "a" twice`, `fromYaml "a: !vault x"`: "a tag", `fromYaml "a: 0x1F"`: "do not agree",
		`fromYaml "a: 0644"`: "do not agree", `fromYaml "a: 1_000"`: "do not agree", `fromYaml "a: .inf"`: "do not agree", `fromYaml "a: !!binary YQ=="`: "bytes", `fromYaml "[a]: 1"`: "a key is no text", `fromYaml "~: 1"`: "a key is no text", `fromYaml "a: &a [*a]"`: "",
		`fromYaml "<<: 5"`: "<< takes a map", `fromYaml "\xff"`: "not UTF-8", `toYaml "\xff"`: "not UTF-8", `toYaml (fromJson "1e400")`: "too large", `toYaml (dict (repeat 1001 "k") 1)`: "longer than 1000",
		`toToml "a"`: "text, not a map", `toToml (list)`: "a list, not a map", `toToml (dict "a" nil)`: `"a" is null`, `toToml (dict "a" (list (dict "b" nil) 1))`: `"b" is null`, `toToml (dict "a" (fromJson "12345678901234567890"))`: "too large", `toToml (dict "a" (fromJson "1e400"))`: "too large",
		`fromToml "a = "`: "not TOML at line 1", `fromToml "a = 1\na = 2"`: "a key stands twice", `fromToml "a = inf"`: "no number", `fromToml "a = [1, {\"\" = 1}, 2]"`: "a key is empty", `fromToml (repeat 1100000 "#")`: "more than 1 MiB", `fromToml "a = 12345678901234567890"`: "64 bits",
	} {
		out, err := execute("{{ "+call+" }}", data())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
}

// What nests deeply, or grows by aliases, ends in an error and little time.
func TestFormatsAreBounded(t *testing.T) {
	computes(t)
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	for name, text := range map[string]string{
		"aliases": bomb, "long aliases": "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 20) + "]", "merges": strings.ReplaceAll(bomb, "[x", "[{x: 1}, x"),
		"depth": strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		if _, err := fromYAML(text); err == nil {
			t.Errorf("%s are read", name)
		}
	}
	for _, step := range []string{`$x = list $x`, `$x = dict "k" $x`} {
		for _, write := range []string{`toYaml $x`, `toToml (dict "a" $x)`} {
			if _, err := execute(`{{ $x := list "a" }}{{ range until 1050 }}{{ `+step+` }}{{ end }}{{ `+write+` }}`, nil); err == nil || !strings.Contains(err.Error(), "deeper than 1000") {
				t.Errorf("%s, %s: %v", step, write, err)
			}
		}
	}
}

// tree makes a value of lists, maps and whatever may stand in them.
func tree(r *rand.Rand, texts []string, depth int) any {
	switch n := r.IntN(12); {
	case n < 3 && depth > 0:
		list := make([]any, r.IntN(5))
		for i := range list {
			list[i] = tree(r, texts, depth-1)
		}
		return list
	case n < 6 && depth > 0:
		m := make(map[string]any)
		for range r.IntN(5) {
			if key := texts[r.IntN(len(texts))]; len(key) < 200 {
				m[key] = tree(r, texts, depth-1)
			}
		}
		return m
	case n < 8:
		return texts[r.IntN(len(texts))]
	case n == 8:
		return []any{true, false, "true", "no", "~", "null", "1_000", "0x1F", "12:30:45", "2001-01-01", "<<", "=", ".inf", "1e5", "-", "- a", "a: b", "# x", "", " ", "y"}[r.IntN(21)]
	case n == 9:
		return []json.Number{"1e5", "1.50", "-0.5", "1E-7", "12.5e+3", "-2e2", "0.0"}[r.IntN(7)]
	}
	return int64(r.Uint64() >> 11)
}

// trees gives 500 maps of random values.
func trees(seed uint64) (list []any) {
	var texts []string
	for _, text := range quotetest.Random(seed, long.Or(500, 2000)) {
		if textual("", text) == nil {
			texts = append(texts, text)
		}
	}
	r := rand.New(rand.NewPCG(seed, 7))
	for range 500 {
		list = append(list, map[string]any{"v": tree(r, texts, 4)})
	}
	return list
}

// readAs has Python read texts and write what it reads as JSON, and compares that with the values.
func readAs(t *testing.T, script string, write func(any) (string, error), values []any) {
	t.Helper()
	var written, given []any
	for _, value := range values {
		text, err := write(value)
		if err != nil {
			t.Fatalf("%#v: %v", value, err)
		}
		written = append(written, text)
		given = append(given, value)
	}
	text, err := toJSON(written)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "python3"), "-c", "import sys, json\n"+script, file(t, "texts", text))
	var read []any
	if err := json.Unmarshal(output(t, cmd), &read); err != nil {
		t.Fatal(err)
	}
	for i, value := range given {
		asJSON, _ := toJSON(value)
		var want any
		if err := json.Unmarshal([]byte(asJSON), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read[i], want) {
			t.Fatalf("%s\nwritten\n%s\nis read as %#v", asJSON, written[i], read[i])
		}
	}
	t.Logf("%d values read back", len(given))
}

// withoutNull gives a value without what TOML cannot write.
func withoutNull(value any) any {
	switch v := value.(type) {
	case nil:
		return "null"
	case map[string]any:
		for k := range v {
			v[k] = withoutNull(v[k])
		}
	case []any:
		for i := range v {
			v[i] = withoutNull(v[i])
		}
	}
	return value
}

// PyYAML, libyaml, yaml.v3 and tomllib read what toYaml and toToml write as the value that it was,
// and so do fromYaml and fromToml.
func TestFormatsAreReadBack(t *testing.T) {
	for _, seed := range []uint64{1, rand.Uint64()} {
		values := trees(seed)
		t.Run(fmt.Sprintf("own readers, seed %d", seed), func(t *testing.T) {
			for _, value := range values {
				want, _ := toJSON(value)
				text, err := toYAML(value)
				if err != nil {
					t.Fatal(err)
				}
				back, err := fromYAML(text)
				if got, _ := toJSON(back); err != nil || !alike(back, value) {
					t.Fatalf("%s\nwritten\n%s\nis read as %s, %v", want, text, got, err)
				}
				var other any
				if err := yaml.Unmarshal([]byte(text), &other); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				text, err = toTOML(withoutNull(value))
				if err != nil {
					t.Fatal(err)
				}
				back, err = fromTOML(text)
				if strings.Contains(text, `"" =`) || strings.Contains(text, `""]`) {
					if err == nil && !alike(back, value) {
						t.Fatalf("%s is read as %#v", text, back)
					}
					continue
				}
				if got, _ := toJSON(back); err != nil || !alike(back, value) {
					t.Fatalf("%s\nwritten\n%s\nis read as %s, %v", want, text, got, err)
				}
				if _, err := toml.Decode(text, &other); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
		})
		load := "print(json.dumps([%s for t in json.load(open(sys.argv[1]))]))"
		t.Run(fmt.Sprintf("PyYAML, seed %d", seed), func(t *testing.T) {
			readAs(t, "import yaml\n"+fmt.Sprintf(load, "yaml.load(t, yaml.SafeLoader)"), toYAML, values)
		})
		t.Run(fmt.Sprintf("libyaml, seed %d", seed), func(t *testing.T) {
			readAs(t, "import yaml\n"+fmt.Sprintf(load, "yaml.load(t, yaml.CSafeLoader)"), toYAML, values)
		})
		t.Run(fmt.Sprintf("tomllib, seed %d", seed), func(t *testing.T) {
			readAs(t, "import tomllib\n"+fmt.Sprintf(load, "tomllib.loads(t)"), toTOML, values)
		})
	}
}

// Where sprig gives something for a time that is given, ours gives the same.
func TestTimesAreThoseOfSprig(t *testing.T) {
	t.Setenv("TZ", "UTC")
	theirs := sprig.TxtFuncMap()
	for _, seconds := range []int64{0, 1, -1, 1700000000, 951782400, 4102444799} {
		for _, layout := range []string{"2006-01-02", "Mon, 02 Jan 2006 15:04:05 MST", "3:04PM", "20060102150405.000"} {
			for _, zone := range []string{"UTC", "Europe/Berlin", "America/St_Johns"} {
				want := theirs["dateInZone"].(func(string, any, string) string)(layout, seconds, zone)
				if got, err := dateInZone(layout, seconds, zone); got != want {
					t.Errorf("%d %s %s: %q, %v; want %q", seconds, layout, zone, got, err, want)
				}
			}
		}
		for _, d := range []string{"1s", "59s", "61s", "3601s", "49h", "800h", "9000h"} {
			if got, err := durationRound(d); got != theirs["durationRound"].(func(any) string)(d) {
				t.Errorf("durationRound %s: %q, %v", d, got, err)
			}
		}
		if got, _ := duration(seconds); got != theirs["duration"].(func(any) string)(seconds) {
			t.Errorf("duration %d: %q", seconds, got)
		}
	}
}

// A password that urlQuote writes comes out of a URL as it was: of Go's, Python's and libpq's
// readers.
func TestURLReadersReadBack(t *testing.T) {
	roundTrip(t, "urlQuote by urlParse", urlQuote, func(t *testing.T, quoted []string) []string {
		var read []string
		for _, q := range quoted {
			m, err := urlParse("amqp://app:" + q + "@h.example:5672/" + q)
			if err != nil {
				t.Fatal(err)
			}
			if m["path"] != "/"+m["password"].(string) || m["hostname"] != "h.example" {
				t.Errorf("%s is read as %v", q, m)
			}
			read = append(read, m["password"].(string))
		}
		return read
	})
	line := "%d=%s\n"
	roundTrip(t, "urlQuote by urllib", urlQuote, python("from urllib.parse import urlsplit, unquote\nfor l in open(sys.argv[1], newline='\\n'): w(unquote(urlsplit('amqp://app:' + l[:-1].split('=', 1)[1] + '@h/x').password))", "", line))
	t.Run("libpq", func(t *testing.T) {
		program(t, "psql") // comes with the library
		roundTrip(t, "urlQuote by libpq", urlQuote, python(`
import ctypes
pq = ctypes.CDLL("libpq.so.5")
class Option(ctypes.Structure):
    _fields_ = [(n, ctypes.c_char_p) for n in ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [("dispsize", ctypes.c_int)]
pq.PQconninfoParse.restype = ctypes.POINTER(Option)
pq.PQconninfoParse.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
for l in open(sys.argv[1], newline='\n'):
    o = pq.PQconninfoParse(b"postgresql://app:" + l[:-1].split('=', 1)[1].encode() + b"@h:5432/db", None)
    i = 0
    while o[i].keyword != b"password": i += 1
    w((o[i].val or b"").decode())
`, "", line))
	})
}
