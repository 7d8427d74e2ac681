package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// alike are the functions whose arguments have one role, or several that no call tells apart.
var alike = strings.Fields(`add addf all any biggest cat coalesce concat deepEqual dict div divf eq ge gt hmacSHA256 html js keys le list lt max maxf merge
	mergeOverwrite min minf mod mul mulf mustMerge mustMergeOverwrite ne print println seq sub subf tuple until untilStep urlquery squote quote
	secret secretMap secretExists secretVersions`)

// Every function whose arguments have several roles says so, and the kinds that it takes are those
// of its signature.
func TestEveryFunctionHasItsRoles(t *testing.T) {
	for name, sig := range signatures() {
		first := 0
		if named(name) {
			first = 1 // the number of the call
		}
		o, ok := orderNamed(name)
		if sig.NumIn()-first < 2 && !sig.IsVariadic() || strings.HasPrefix(name, "_") {
			continue
		}
		if ok == slices.Contains(alike, name) {
			t.Errorf("%s has neither roles nor arguments that are alike, or both", name)
		}
		for i := range sig.NumIn() - first {
			in := sig.In(i + first)
			if sig.IsVariadic() && i == sig.NumIn()-first-1 {
				in = in.Elem()
			}
			if !ok || name == "dig" {
				break
			}
			if takes := roleNamed[o.ours[i]].takes; in.Kind().String() != "interface" && takes != kindOfType(in) {
				t.Errorf("%s takes %v as argument %d, and %s is %b", name, in, i, o.ours[i], takes)
			}
		}
	}
	for name, o := range orders() {
		if signatures()[name] == nil {
			t.Errorf("there is no function %s", name)
		}
		for _, abroad := range o.foreign {
			theirs, ours := slices.Sorted(slices.Values(abroad)), slices.Sorted(slices.Values(o.ours))
			if name != "round" && !slices.Equal(theirs, ours) && !slices.Contains(ours, "default") {
				t.Errorf("%s: %v are not the roles %v", name, theirs, ours)
			}
		}
	}
}

// example has for each role what a template would give.
var example = map[string]string{
	"text": `(secret "s")`, "value": `(secret "s")`, "version": `(secret "s")`, "prefix": `"a"`, "suffix": `"a"`, "separator": `","`, "part": `"a"`, "characters": `"a"`,
	"pattern": `"a"`, "old": `"a"`, "new": `"b"`, "replacement": `"b"`, "default": `"x"`, "message": `"why"`, "format": `"%s"`, "constraint": `">=1.2"`, "kind": `"map"`, "type": `"string"`,
	"count": `2`, "width": `80`, "offset": `1`, "size": `3`, "start": `0`, "end": `1`, "first": `0`, "behind": `1`, "number": `1.25`, "digits": `1`, "from": `0.5`,
	"list": `(paramList "/l")`, "map": `(secretMap "m")`, "key": `"k"`, "key…": `"k"`, "map…": `(secretMap "m")`, "place…": `"k"`, "collection": `(secretMap "m")`, "sequence": `(secret "s")`,
	"element": `"e"`, "element…": `"e"`, "value…": `(secret "s")`, "yes": `"y"`, "no": `"n"`, "condition": `(hasKey (secretMap "m") "k")`, "one": `"one"`, "many": `"many"`, "name": `"/x"`, "variable": `"PORT"`, "time": `(secret "s")`, "layout": `"2006-01-02"`, "duration": `"1h"`, "zone": `"Europe/Berlin"`, "inner": `"="`, "setting": `"v"`, "partial": `"a"`, "data": `.map`, "defaults": `(dict "k" "v")`,
}

func called(name string, roles []string) (plain, piped string) {
	args := make([]string, len(roles))
	for i, r := range roles {
		args[i] = example[r]
	}
	last := len(args) - 1
	before := args[last]
	if before[0] == '(' {
		before = before[1 : len(before)-1]
	}
	return name + " " + strings.Join(args, " "), before + " | " + name + " " + strings.Join(args[:last], " ")
}

// A call in another program's order is shown in ours, whether its last argument is piped in or not;
// and one in our order is fine.
func TestOrdersOfOtherPrograms(t *testing.T) {
	Computes(t)
	for _, name := range functionNames() {
		o, ok := orderNamed(name)
		if !ok {
			continue
		}
		for n := o.least; n <= len(o.ours)+1; n++ {
			ours := o.spread(o.ours, n)
			if len(ours) < 2 {
				continue
			}
			right, pipedRight := called(name, ours)
			for _, call := range []string{right, pipedRight} {
				if said := saidOf("{{ if " + call + " }}{{ end }}"); len(said) > 0 {
					t.Errorf("%s: %s", call, said)
				}
			}
			for _, abroad := range o.foreign {
				theirs := o.spread(abroad, n)
				if slices.Equal(theirs, ours) {
					continue
				}
				wrong, pipedWrong := called(name, theirs)
				for _, call := range []string{wrong, pipedWrong} {
					said := strings.Join(saidOf("{{ if "+call+" }}{{ end }}"), "\n")
					if !strings.Contains(said, o.describe(name)+"\n") || !strings.HasSuffix(said, "\n  {{ if "+right+" }}\n") {
						t.Errorf("%s: want %s, not\n%s", call, right, said)
					}
				}
			}
		}
	}
}

// What may be meant as it stands is let be.
func TestBothReadings(t *testing.T) {
	for _, call := range []string{
		`trunc (len "abc") .name`, `trunc (int (secret "n")) (secret "s")`, `substr 0 (len "abc") (secret "s")`, `repeat 3 (secret "s")`, `index (paramList "/l") 0`, `index (secretMap "m") "a" 0`,
		`index (secretMap "m") (secret "s")`, `get (secretMap "m") (secret "s") "x"`, `get . "name" "x"`, `hasKey . (secret "s")`, `dig "a" "b" (secret "s") (secretMap "m")`, `default (secret "s") .name`,
		`default (secret "s") ""`, `default "x" "y"`, `ternary "a" "b" (secretMap "m" "k")`, `ternary (secret "a") (secret "b") true`, `round (secret "n") 2`, `round 2 1`, `slice (secret "s") 0 1`,
		`slice (paramList "/l") 1`, `has (secret "s") (paramList "/l")`, `has "a" (secretMap "m" "l")`, `append (paramList "/l") (secret "s")`, `prepend (secretMap "m" "l") (list "a")`, `without (paramList "/l") "a"`,
		`pick (secretMap "m") "a" "b"`, `pluck "a" (secretMap "m") .map`, `join (secret "s") (paramList "/l")`, `join "," (secretMap "m" "l")`, `printf (secret "f") (secret "s")`, `printf "%s %%" "100%"`,
		`printf "plain"`, `printf .name`, `replace "@HOST@" (secret "s") "http://@HOST@/"`, `replace (secret "a") (secret "b") "x y"`, `replace " " "" (secret "s")`, `regexReplaceAll "@H@" "http://@H@/" (secret "s")`,
		`regexReplaceAll (secret "p") "some text" (secret "s")`, `regexReplaceAll "[0-9]+" (secret "s") "${0}"`, `semverCompare (param "/c") "1.2.3"`, `semverCompare "^1.2" (secret "v")`, `kindIs "map" (secretMap "m")`,
		`kindIs .name "abc"`, `required .text .name`, `wrapWith 80 "\n" (secret "s")`, `splitn "," 2 (secret "s")`, `plural "one" "many" (len (secret "s"))`, `contains (secret "s") "eu us"`, `trimPrefix .name "1.2.3-x"`,
		`set (secretMap "m") "k" (secret "s")`, `set .map .name "x"`, `unset (secretMap "m") (secret "s")`, `date "2006" (secret "s")`, `date .name 1700000000`, `date "2006-01-02" "2017-12-31T00:00:00Z"`, `toDate "2006-01-02" (secret "s")`,
		`toDate (param "/l") "2017-12-31"`, `dateModify "1h" (secret "s")`, `dateModify (param "/d") "2017-12-31T00:00:00Z"`, `dateInZone "15:04" (int64 (secret "s")) (param "/z")`, `splitToMap "," "=" (secret "s")`, `hmacSHA256 (secret "s") "x"`, `hmacSHA256 "k" (secret "s")`,
		`envOr "8080" "PORT"`, `envOr "INFO" "log_level"`, `envOr "DEBUG" "LEVEL"`, `envOr (param "/x") "PORT"`, `envOr "" .name`, `paramsOr dict "/app" | len`, `len (paramsOr .map "/app")`, `paramsOr (secretMap "m") "/app" | len`,
	} {
		if said := saidOf("{{ " + call + " }}"); len(said) > 0 {
			t.Errorf("%s: %s", call, said)
		}
	}
}

// What is shown can stand in the place of what is wrong: of what is between « and ».
func TestHintsStandInTheirPlace(t *testing.T) {
	for _, body := range []string{
		`a«{{ replace (secret "s") "-" "_" }}»b`, `«{{- replace (secret "s") "-" "_" | envQuote -}}» `, `«{{ if contains (secret "s") "prod" }}»x{{ else }}y{{ end }}`,
		`{{ if .name }}«{{ else if contains (secret "s") "prod" }}»x{{ end }}`, `«{{ $x := join (paramList "/l") "," | upper }}»{{ $x }}`, `{{ $x := "" }}«{{ $x = trunc "abc" 2 }}»{{ $x }}`,
		`«{{ with default (secret "s") "x" }}»{{ . }}{{ end }}`, `«{{ range split (secret "l") "," }}»{{ . }}{{ end }}`, `«{{ range $i, $x := split "," (secret "l") }}»{{ $x }}{{ end }}`,
		`«{{ range seq 1 3 }}»{{ . }}{{ end }}`, `«{{ range $i := seq 1 (len .name) }}»{{ $i }}{{ end }}`, `«{{ range .count | seq 1 }}»{{ . }}{{ end }}`, `«{{ split (secret "l") "," | join "-" }}»`,
		`«{{ replace (trimSuffix (secret "s") ".com") "-" (trunc (secret "s") 3) | quote }}»`, `«{{ template "a" (trunc .name 2) }}»`, `«{{ (secret "s") | replace "a" "b" | regexReplaceAll "x" "y" }}»`,
		`«{{ printf "%s:%d" (join .list ",") .count }}»`, `«{{ join "," (secret "s") }}»`, `«{{ secret "s" | join "," | upper }}»`, `«{{ ternary "a" "b" (secret "s") }}»`, `«{{ secret "s" | ternary "a" "b" }}»`,
		`«{{ trunc (secret "n") (secret "s") }}»`, `«{{ .count | trimPrefix "1" }}»`, `«{{ trimPrefix "v" 1.5 | print }}»`, `«{{ secretOr "/prod/db" "x" "key" | envQuote }}»`, `«{{ "x" | paramOr "/a" }}»`,
		`«{{ .nope }}»`, `«{{ .nope | envQuote }}»`, `«{{ .map.nope }}»`, `«{{ $.map.nope }}»`, `«{{ .nope.more.yet }}»`, `{{ $m := .map }}«{{ $m.nope }}»`,
		`«{{ get "/a/b" }}»`, `«{{ get .name }}»`, `«{{ envOr "PORT" "8080" }}»`, `«{{ "http://x" | envOr "HOST" }}»`, `«{{ envOrDefault "HOST" "x" }}»`, `«{{ paramChildren "/a" }}»`, `«{{ paramDirs "/a" | upper }}»`, `«{{ paramsOr dict "/a" }}»`, `«{{ paramChildren "/a" | envQuote }}»`,
		`«{{ getv "/a/b" "x" }}»`, `«{{ include . "a" }}»`, `«{{ "a" | include . | indent 2 }}»`, `«{{ key "a/b" }}»`, `«{{ .Values.name }}»`,
		`«{{ with secret "secret/data/x" }}{{ .Data.data.y }}{{ end }}»`, `{{ with secret "secret/data/x" }}«{{ .Data.data.y }}»{{ end }}`, `«{{ range secret "s" }}{{ . }}{{ end }}»`, `«{{ range param "/l" }}{{ end }}»`,
		`«{{ paramList "/l" }}»`, `«{{ params "/a" }}»`, `«{{ paramList "/l" | upper }}»`, `«{{ params "/a" | envQuote }}»`, `«{{ keys (secret "s") }}»`, `«{{ index (secret "s") "k" }}»`, `«{{ get (secret "s" "a") "k" }}»`,
		`«{{ $_ := merge .map (dict "a" 1) }}»`, `{{ $m := dict }}«{{ $_ := merge $m (dict "a" 1) }}»`, `{{- /* x */ -}}«{{ if and (hasSuffix .name "x") (hasSuffix (secret "s") ".com") }}»{{ end }}`,
		"«{{ if\n  contains (secret `s`)\n   \"prod\" }}»x{{ end }}", `«{{ (index (paramList "/l") 0) | trimPrefix .name }}»«{{ trimSuffix (secretMap "m").a "x" }}»`, `{{ "{{" }}«{{ join .list "}}" }}»`,
	} {
		from, to := strings.Index(body, "«"), strings.LastIndex(body, "»")
		before, after, wrong := body[:from], body[to+len("»"):], strings.NewReplacer("«", "", "»", "").Replace(body)
		if strings.Contains(body[from:to], "»") { // of two the second is to be mended
			from = strings.LastIndex(body, "«")
			before = strings.NewReplacer("«", "", "»", "").Replace(body[:from])
		}
		said := saidOf(wrong)
		shown := 0
		for _, text := range said {
			lines := strings.Split(text, "\n")
			// The template's own line is left out.
			lines = append(lines[:1], lines[min(3, len(lines)):]...)
			for _, line := range lines {
				for _, hint := range hintsIn(line) {
					shown++
					if again := saidOf(before + hint + after); len(again) > 0 {
						t.Errorf("%s: %s: %s", body, hint, again)
					}
				}
			}
		}
		if shown == 0 {
			t.Errorf("%s: nothing is shown: %q", body, said)
		}
	}
}

var alternative = regexp.MustCompile(`\}\}[^{}]* (?:and|or) \{\{`)

// hintsIn gives the templates that a line shows.
func hintsIn(line string) (list []string) {
	for part := range strings.SplitSeq(alternative.ReplaceAllString(line, "}}\n{{"), "\n") {
		if from, to := strings.Index(part, "{{"), strings.LastIndex(part, "}}"); from >= 0 && to > from {
			list = append(list, part[from:to+2])
		}
	}
	return list
}

func TestSpread(t *testing.T) {
	o, _ := orderNamed("dig")
	for n, want := range map[int]string{2: "[]", 3: "[key… default map]", 5: "[key… key… key… default map]"} {
		if got := fmt.Sprint(o.spread(o.ours, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
