package funcs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"text/template"
)

// samples has a call of every function. A function without one fails TestTwice.
var samples = map[string]string{
	"abbrev": `{{ abbrev 5 "hello world" }}`, "abbrevboth": `{{ abbrevboth 5 10 "1234 5678 9123" }}`, "add": `{{ add 1 "2" .n }}`,
	"add1": `{{ add1 2 }}`, "add1f": `{{ add1f 1.5 }}`, "addf": `{{ addf 1.5 .ratio }}`, "adler32sum": `{{ adler32sum "x" }}`,
	"all": `{{ all 0 1 }}`, "any": `{{ any 0 1 }}`, "append": `{{ append .list "z" }}`, "atoi": `{{ atoi "5" }}`, "b32dec": `{{ b32dec "ME======" }}`,
	"b32enc": `{{ b32enc "a" }}`, "b64dec": `{{ b64dec "YQ==" }}`, "b64enc": `{{ b64enc "a" }}`, "base": `{{ base "/a/b" }}`, "biggest": `{{ biggest 1 3 2 }}`,
	"camelcase": `{{ camelcase "a_b" }}`, "cat": `{{ cat "a" "b" }}`, "ceil": `{{ ceil 1.2 }}`, "chunk": `{{ chunk 2 .list }}`, "clean": `{{ clean "/a/../b" }}`,
	"coalesce": `{{ coalesce "" 0 "x" }}`, "compact": `{{ compact (list "" "a") }}`, "concat": `{{ concat .list .list }}`, "contains": `{{ contains "a" "abc" }}`,
	"deepCopy": `{{ deepCopy .map }}`, "deepEqual": `{{ deepEqual .list .list }}`, "default": `{{ default "x" "" }}`, "dict": `{{ dict "a" 1 "b" 2 }}`,
	"dig": `{{ dig "b" "none" .map }}`, "dir": `{{ dir "/a/b" }}`, "div": `{{ div 7 2 }}`, "divf": `{{ divf 7 2 }}`, "dotenv": `{{ dotenv .map }}`, "dotenvAsIs": `{{ dotenvAsIs .map }}`,
	"dockerEnv": `{{ dockerEnv .map }}`, "dockerEnvAsIs": `{{ dockerEnvAsIs .map }}`, "dockerEnvQuote": `{{ dockerEnvQuote "a b" }}`, "dotenvQuote": `{{ dotenvQuote "a b" }}`,
	"hclQuote": `{{ hclQuote "${a}" }}`, "phpQuote": `{{ phpQuote "a'b" }}`, "propertiesQuote": `{{ propertiesQuote "a=é" }}`,
	"eq": `{{ eq 1 1.0 "a" }}`, "ne": `{{ ne "a" "b" }}`, "lt": `{{ lt 1 2 }}`, "le": `{{ le 1 2 }}`, "gt": `{{ gt 1 2 }}`, "ge": `{{ ge 1 2 }}`, "slice": `{{ slice "abc" 1 2 }}`,
	"empty": `{{ empty "" }}`, "envQuote": `{{ envQuote "a b" }}`, "ext": `{{ ext "a.b" }}`, "fail": `{{ if false }}{{ fail "x" }}{{ end }}`,
	"first": `{{ first .list }}`, "float64": `{{ float64 "1.5" }}`, "floor": `{{ floor 1.7 }}`, "fromJson": `{{ fromJson "{\"b\":1,\"a\":[1.10,null]}" }}`,
	"gitQuote": `{{ gitQuote "a;b" }}`, "mycnfQuote": `{{ mycnfQuote "a;b" }}`, "phpIniQuote": `{{ phpIniQuote "a;b" }}`,
	"get": `{{ get .map "a" }}{{ get .map "zz" "none" }}`, "has": `{{ has "x" .list }}`, "hasKey": `{{ hasKey .map "a" }}`, "hasPrefix": `{{ hasPrefix "a" "ab" }}`,
	"hasSuffix": `{{ hasSuffix "b" "ab" }}`, "indent": `{{ indent 2 "a\nb" }}`, "index": `{{ index .map "a" }}{{ index .list 1 }}`, "iniQuote": `{{ iniQuote "a;b" }}`,
	"html": `{{ html "<a>" }}`, "js": `{{ js "a'b" }}`, "urlquery": `{{ urlquery "a b" }}`,
	"initial": `{{ initial .list }}`, "initials": `{{ initials "Ab Cd" }}`, "int": `{{ int "7" }}`, "int64": `{{ int64 .n }}`, "isAbs": `{{ isAbs "/a" }}`,
	"join": `{{ join "," .list }}`, "kebabcase": `{{ kebabcase "aB" }}`, "keys": `{{ keys .map }}`, "kindIs": `{{ kindIs "string" "a" }}`, "kindOf": `{{ kindOf 1 }}`,
	"last": `{{ last .list }}`, "len": `{{ len .list }}`, "list": `{{ list 1 2 }}`, "lower": `{{ lower "A" }}`, "max": `{{ max 1 3 2 }}`, "maxf": `{{ maxf 1.5 2 }}`, "merge": `{{ merge .map (dict "z" 1) }}`,
	"mergeOverwrite": `{{ mergeOverwrite .map (dict "a" 9) }}`, "min": `{{ min 3 1 2 }}`, "minf": `{{ minf 1.5 2 }}`, "mod": `{{ mod 7 4 }}`, "mul": `{{ mul 2 3 4 }}`,
	"mulf": `{{ mulf 1.5 2 }}`, "nginxQuote": `{{ nginxQuote "a b" }}`, "nindent": `{{ nindent 2 "a" }}`, "nospace": `{{ nospace "a b" }}`, "omit": `{{ omit .map "a" }}`,
	"pgbouncerQuote": `{{ pgbouncerQuote "a\"b" }}`, "pgpassQuote": `{{ pgpassQuote "a:b" }}`, "pick": `{{ pick .map "a" "b" }}`, "pluck": `{{ pluck "a" .map }}`,
	"plural": `{{ plural "one" "many" 2 }}`, "prepend": `{{ prepend .list "z" }}`, "print": `{{ print "a" 1 }}`, "printf": `{{ printf "%s-%03d" "a" 7 }}`,
	"println": `{{ println "a" }}`, "push": `{{ push .list "z" }}`, "quote": `{{ quote "a" }}`, "regexFind": `{{ regexFind "a+" "baa" }}`,
	"regexFindAll": `{{ regexFindAll "a" "aaa" 2 }}`, "regexMatch": `{{ regexMatch "^a" "ab" }}`, "regexQuoteMeta": `{{ regexQuoteMeta "a.b" }}`,
	"regexReplaceAll": `{{ regexReplaceAll "(a)" "bab" "<$1>" }}`, "regexReplaceAllLiteral": `{{ regexReplaceAllLiteral "a" "bab" "$1" }}`,
	"regexSplit": `{{ regexSplit "," "a,b" -1 }}`, "repeat": `{{ repeat 3 "ab" }}`, "replace": `{{ replace "a" "b" "aa" }}`, "required": `{{ required "why" "x" }}`,
	"rest": `{{ rest .list }}`, "reverse": `{{ reverse .list }}`, "round": `{{ round 1.256 2 }}`, "semverCompare": `{{ semverCompare "^1.2" "1.3.0" }}`,
	"seq": `{{ seq 1 2 7 }}`, "sha1sum": `{{ sha1sum "a" }}`, "sha256sum": `{{ sha256sum "a" }}`, "sha512sum": `{{ sha512sum "a" }}`, "shellQuote": `{{ shellQuote "a'b" }}`,
	"snakecase": `{{ snakecase "aB" }}`, "sortAlpha": `{{ sortAlpha .list }}`, "split": `{{ split "," "a,b" }}`, "splitList": `{{ splitList "," "a,b" }}`,
	"splitn": `{{ splitn "," 2 "a,b,c" }}`, "squote": `{{ squote "a" }}`, "sub": `{{ sub 5 2 }}`, "subf": `{{ subf 5 2.5 }}`, "substr": `{{ substr 0 2 "abc" }}`,
	"swapcase": `{{ swapcase "aB" }}`, "ternary": `{{ ternary "y" "n" true }}`, "title": `{{ title "ab cd" }}`, "toDecimal": `{{ toDecimal "0644" }}`, "toJson": `{{ toJson .map }}`,
	"toPrettyJson": `{{ toPrettyJson .map }}`, "toRawJson": `{{ toRawJson .map }}`, "toString": `{{ toString 5 }}`, "toStrings": `{{ toStrings (list 1 2) }}`,
	"tomlQuote": `{{ tomlQuote "a\"b" }}`, "trim": `{{ trim " a " }}`, "trimAll": `{{ trimAll "$" "$a$" }}`, "trimPrefix": `{{ trimPrefix "a" "ab" }}`,
	"trimSuffix": `{{ trimSuffix "b" "ab" }}`, "trunc": `{{ trunc 2 "abc" }}`, "tuple": `{{ tuple 1 2 }}`, "typeIs": `{{ typeIs "string" "a" }}`,
	"typeIsLike": `{{ typeIsLike "string" "a" }}`, "typeOf": `{{ typeOf 1 }}`, "uniq": `{{ uniq (list 1 1 2) }}`, "until": `{{ until 3 }}`, "untilStep": `{{ untilStep 3 0 -1 }}`,
	"untitle": `{{ untitle "Ab" }}`, "upper": `{{ upper "a" }}`, "urlJoin": `{{ urlJoin (dict "scheme" "https" "host" "h" "path" "/p") }}`, "values": `{{ values .map }}`,
	"date": `{{ date "2006-01-02" 1700000000 }}`, "dateInZone": `{{ dateInZone "15:04 MST" "2026-07-01T12:00:00Z" "Europe/Berlin" }}`, "htmlDate": `{{ htmlDate 1700000000 }}`,
	"htmlDateInZone": `{{ htmlDateInZone 1700000000 "Asia/Tokyo" }}`, "toDate": `{{ toDate "02.01.2006" "31.12.2017" }}`, "dateModify": `{{ dateModify "-1.5h" 1700000000 }}`,
	"unixEpoch": `{{ unixEpoch "2017-12-31T00:00:00Z" }}`, "duration": `{{ duration "95" }}`, "durationRound": `{{ durationRound "2h10m5s" }}`,
	"toYaml": `{{ toYaml .map }}`, "fromYaml": `{{ fromYaml "b: 1\na: [1.10, null]" }}`, "fromYamlArray": `{{ fromYamlArray "- a" }}`, "fromJsonArray": `{{ fromJsonArray "[1]" }}`,
	"toToml": `{{ toToml .map }}`, "fromToml": `{{ fromToml "b = 1\na.c = [1.5]" }}`, "urlQuote": `{{ urlQuote "a/b" }}`, "urlParse": `{{ urlParse "https://u:p@h:1/p?q#f" }}`,
	"b64urlenc": `{{ b64urlenc "a" }}`, "b64urldec": `{{ b64urldec "YQ==" }}`, "md5sum": `{{ md5sum "a" }}`, "hmacSHA256": `{{ hmacSHA256 "k" "a" }}`,
	"semver": `{{ semver "v1.2.3-rc.1+b" }}`, "parseBool": `{{ parseBool "true" }}`, "splitToMap": `{{ splitToMap "," "=" "b=1,a=2" }}`, "set": `{{ set .map "z" 1 }}`, "unset": `{{ unset .map "a" }}`,
	"trimall": `{{ trimall "$" "$a$" }}`, "osBase": `{{ osBase "/a/b" }}`, "osDir": `{{ osDir "/a/b" }}`, "osClean": `{{ osClean "/a/../b" }}`, "osExt": `{{ osExt "a.b" }}`, "osIsAbs": `{{ osIsAbs "/a" }}`,
	"without": `{{ without .list "x" }}`, "wrap": `{{ wrap 3 "a b c d" }}`, "wrapWith": `{{ wrapWith 3 "|" "a b c d" }}`, "xmlQuote": `{{ xmlQuote "<&>" }}`, "yamlQuote": `{{ yamlQuote "a: b" }}`,
}

func data() map[string]any {
	m := map[string]any{}
	for i := range 20 { // more than a map keeps in order by luck
		m[string(rune('a'+i))] = fmt.Sprint("v", i)
	}
	return map[string]any{"n": int64(7), "ratio": json.Number("1.10"), "list": []any{"x", "y", "x"}, "map": m}
}

func execute(text string, data any) (string, error) {
	t, err := template.New("t").Funcs(Map()).Parse(text)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.String(), err
}

// Every function gives the same the second time, and changes nothing that it is given.
func TestTwice(t *testing.T) {
	for _, name := range Names() {
		sample := samples[name]
		if plain, ok := strings.CutPrefix(name, "must"); ok { // it is like the one without
			plain = strings.ToLower(plain[:1]) + plain[1:]
			sample = strings.ReplaceAll(samples[plain], plain, name)
		}
		if sample == "" {
			t.Errorf("%s has no sample", name)
			continue
		}
		shared := data()
		first, err := execute(sample, shared)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for range 20 {
			if again, _ := execute(sample, data()); again != first {
				t.Errorf("%s gives %q, then %q", name, first, again)
				break
			}
		}
		if again, _ := execute(sample, shared); again != first || fmt.Sprint(shared) != fmt.Sprint(data()) {
			t.Errorf("%s changes its arguments", name)
		}
	}
}

// What depends on time, chance or this machine is not there.
func TestAbsent(t *testing.T) {
	for _, name := range strings.Fields(`now ago randAlphaNum randInt randBytes uuidv4 shuffle
		genPrivateKey genCA genSelfSignedCert bcrypt htpasswd encryptAES derivePassword getHostByName expandenv`) {
		if Map()[name] != nil {
			t.Errorf("%s is there", name)
		}
	}
}

// Wrong arguments are errors, and no error of ours says what they were.
func TestFailuresHoldNoValue(t *testing.T) {
	const canary = "canary-7#x"
	calls := []string{
		`int .`, `int64 .`, `atoi .`, `float64 .`, `toDecimal .`, `add 1 .`, `add1 .`, `sub . 1`, `mul 2 .`, `div 1 .`, `mod . 2`, `max 1 .`, `min 1 .`,
		`addf 1 .`, `ceil .`, `floor .`, `round . 2`, `b64dec .`, `b32dec .`, `fromJson .`, `fromJson (print "{" .)`, `mustFromJson .`, `index (dict "a" 1) .`, `index . "x"`,
		`get (dict "a" 1) .`, `get . "a"`, `hasKey . "a"`, `first .`, `last .`, `join "," .`, `fail .`, `required . ""`, `printf "%d" .`, `printf "%z" .`, `printf "x" .`, `printf "%s"`,
		`dotenv .`, `nginxQuote (print . "$")`, `envQuote (list .)`, `pgpassQuote (print . "\n")`, `iniQuote (print . "\n")`, `pgbouncerQuote (print . "\n")`, `xmlQuote (print . "\x01")`,
		`phpQuote (print . "\xff")`, `hclQuote (print . "e\u0301")`, `propertiesQuote (list .)`, `dotenvQuote (print . "${")`, `dotenvQuote (print . "\\")`, `dotenvQuote (print . "'\"\n")`,
		`dockerEnvQuote (print . "\n")`, `dockerEnvQuote (repeat 9999 .)`, `dockerEnv (dict "a" (print . "\r"))`, `dockerEnv .`,
		`yamlQuote (print . "\xff")`, `tomlQuote (print . "\xff")`, `envQuote (print . "\x00")`, `shellQuote (print . "\x00")`, `regexMatch (print "(" .) "x"`, `regexFind (print "(" .) "x"`,
		`coalesce "" 0`, `until -1 | join .`, `repeat -1 .`, `repeat 100000000 .`, `indent -1 .`, `indent 100000000 .`, `printf "%100000s" .`, `printf "%*s" 5 .`, `until 10000000`,
		`seq 1 100000000`, `untilStep 0 1 0`, `div 1 0`, `mod 1 0`, `mul 9223372036854775807 2`, `add 9223372036854775807 1`, `first list`, `index list 0`, `replace "" (repeat 1000000 .) (repeat 100 .)`,
		`merge (dict "a" .) (dict "a" (list .))| get "zz"`,
		`date "2006" .`, `date . 1`, `dateInZone "2006" 1 .`, `toDate "2006" .`, `toDate . .`, `dateModify . 1`, `dateModify "1h" .`, `unixEpoch .`, `duration .`, `durationRound .`,
		`fromYaml (print "[" .)`, `fromYaml (print ". : *" .)`, `fromYaml (print "!" . " x")`, `fromYaml (print "0x1_" .) | add 1`, `fromYamlArray .`, `fromJsonArray (print "\"" . "\"")`, `fromToml .`, `fromToml (print "a = " .)`,
		`toToml .`, `toToml (list .)`, `toYaml (print . "\xff")`, `toYaml (dict . (print . "\xff"))`, `urlQuote (print . "\x00")`, `urlQuote (list .)`, `urlParse (print "http://" . "%zz")`, `urlParse (print "http://u:" . "%ff@h")`,
		`urlJoin (dict "userinfo" (print . "@/"))`, `urlJoin (dict "host" (list .))`, `b64urldec (print . "!")`, `semver .`, `semver (print "99999999999999999999." .)`, `semverCompare . "1.2.3"`, `parseBool .`, `splitToMap "," "=" .`, `splitToMap "" "=" .`,
	}
	for _, call := range calls {
		out, err := execute("{{ "+call+" }}", canary)
		if err == nil {
			if call != `until -1 | join .` { // an empty or short list is no failure
				t.Errorf("%s gives %q", call, out)
			}
			continue
		}
		var ours Error
		for e := err; e != nil; e = unwrap(e) {
			if o, ok := e.(Error); ok {
				ours = o
			}
		}
		if strings.Contains(string(ours), canary) {
			t.Errorf("%s: %s", call, ours)
		}
	}
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

func TestNumbersStayAsStored(t *testing.T) {
	for _, text := range []string{
		`9223372036854775807`, `-9223372036854775808`, `9223372036854775808`, `12345678901234567890123`, `1.10`, `1e400`, `-0`, `0`, `1E5`, `0.1000`,
		`[1,2.50,{"a":1e-400}]`, `{"a":1.0,"b":null,"c":true}`, `"<&>"`,
	} {
		v, err := DecodeJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := toJSON(v); err != nil || got != text {
			t.Errorf("%s comes out as %s, %v", text, got, err)
		}
		if _, composed := v.(map[string]any); !composed && text[0] != '[' && text[0] != '"' && fmt.Sprint(v) != text {
			t.Errorf("%s prints as %v", text, v)
		}
	}
	if sum, err := add(int64(math.MaxInt64-1), json.Number("1")); err != nil || sum != math.MaxInt64 {
		t.Errorf("add: %d, %v", sum, err)
	}
	if v, _ := DecodeJSON([]byte(`5432`)); v != int64(5432) {
		t.Errorf("a whole number is %T", v)
	}
}

func TestDecodeJSONSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\": canary}":   "line 1",
		"{\n \"a\": 1,\n}":  "line 3",
		"1 2":               "line 1, column 3: something stands after the value",
		"":                  "line 1, column 1: it is empty",
		"[1,2":              "line 1, column 5: it ends too early",
		"{\"a\":\n[\"é\",2": "line 2, column 7: it ends too early",
		"\ufeff{}":          "line 1, column 1: it begins with a byte order mark",
	} {
		_, err := DecodeJSON([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// JSON that decoding would change without a word is refused, and only that.
func TestJSONIsTakenAsItIsOrNotAtAll(t *testing.T) {
	for text, want := range map[string]string{
		`"a\ud83db"`: "half of a character", `"\ud83d"`: "half of a character", `"\udc00"`: "half of a character", `"\ud83d\ud83d\ude00"`: "half of a character",
		`["\ufffd", "\ud83d"]`: "half of a character", "\"\xff\"": "not UTF-8",
		`{"a":{"b":[1,{"c":1,"d":2,"c":3}]}}`: `the key "a" "b" "1" "c" twice`, `{"a":1,"\u0061":2}`: `the key "a" twice`,
		`"\ud83d\ude00"`: "", `"\\ud83d"`: "", `"\\\\ud83d"`: "", "\"\uFFFD\"": "", `"\ufffd"`: "", `{"a":{"x":1},"b":{"x":1}}`: "",
	} {
		_, err := DecodeJSON([]byte(text))
		if again := CheckJSON([]byte(text)); (again == nil) != (err == nil) {
			t.Errorf("%s: %v, and then %v", text, again, err)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestPrintfMishapsOfValuesPass(t *testing.T) {
	out, err := execute(`{{ printf "%s" . }}{{ print . }}`, "50%!d(int=3)")
	if err != nil || out != "50%!d(int=3)50%!d(int=3)" {
		t.Errorf("%q, %v", out, err)
	}
}

// Every character behind a % is a verb to fmt, which prints it in a notation of its own where there
// is none. A value, and %%, may look like that.
func TestPrintfMishapsOfTheFormatAreRefused(t *testing.T) {
	for _, format := range []string{"100%, %s", "%!", "%! %s", "5%; %s", "%é %s", "%-,%s", "%\n%s", "%(%s", "%", "%s %", "%s %s", "x", "%d", "%[2]s", "%w", "%)", "50%-x %s"} {
		out, err := execute(`{{ printf .format "a" }}`, map[string]any{"format": format})
		if err == nil || strings.Contains(err.Error(), "(") {
			t.Errorf("%q: %q, %v", format, out, err)
		}
	}
	for format, want := range map[string]string{"100%%, %s": "100%, %!,(", "%%!,(%s": "%!,(%!,(", "%s%%": "%!,(%", "%5.2s|": "   %!|"} {
		out, err := execute(`{{ printf .format .value }}`, map[string]any{"format": format, "value": "%!,("})
		if err != nil || out != want {
			t.Errorf("%q: %q, %v, want %q", format, out, err, want)
		}
	}
}
