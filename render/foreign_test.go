package render

import (
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"
)

// abroadVars are the names that samples speak of.
func abroadVars() map[string]any {
	m := map[string]any{"count": 3, "list": []any{"a"}, "map": map[string]any{"key": "a"}, "value": true}
	for _, name := range strings.Fields("text name other path version") {
		m[name] = "1.2.3"
	}
	m["defaults"], m["more"] = m["map"], m["map"]
	return m
}

func saidOf(body string) []string {
	_, faults := Parse(Options{
		Main:     Text{Name: "t", Body: body},
		Partials: []Text{{Name: "_part.tmpl", Body: "x"}, {Name: "_a", Body: `{{ define "a" }}x{{ end }}{{ define "a/b" }}x{{ end }}`}},
		Dir:      "/",
		Vars:     abroadVars(),
	})
	var list []string
	for _, f := range faults {
		list = append(list, f.Text())
	}
	return list
}

// What is said to somebody who writes as for another program can be taken as it stands: each
// example is a template.
func TestForeignNamesAreExplained(t *testing.T) {
	Computes(t)
	for name, f := range foreignNames() {
		if _, ours := slices.BinarySearch(functionNames(), name); ours {
			t.Errorf("%s of %s is one of ours", name, f.of)
		}
		called := name
		if strings.HasSuffix(name, ".") {
			called += "Some"
		}
		for _, call := range []string{
			"{{ %s }}", `{{ %s "a" }}`, `{{ %s "a" "a" }}`, `{{ %s "a" "a" "a" }}`, `{{ "a" | %s }}`, `{{ .text | %s "a" }}`, `{{ if %s .list }}{{ end }}`, `{{ range %s "a/b" }}{{ end }}`,
			`{{ %s "/a/b/*" }}`, `{{ %s "a/b" "x=y z" }}`, `{{ print (%s "a b@c" .text) }}`, `{{ $x := %s (secret "a" "b") 3 }}`, `{{ secret "a" | %s | upper }}`, `{{ nope "a" | %s }}`,
		} {
			body := strings.Replace(call, "%s", called, 1)
			said := saidOf(body)
			if len(said) == 0 || !strings.Contains(strings.Join(said, ""), f.of+"'s "+called+" is ") {
				t.Errorf("%s: no hint: %q", body, said)
				continue
			}
			_, hint, _ := strings.Cut(strings.Join(said, ""), f.of+"'s "+called+" is ")
			hint, _, _ = strings.Cut(hint, "\n")
			if f.forms != nil && !strings.HasPrefix(hint, "{{") {
				t.Errorf("%s: %s", body, hint)
			}
			// Some of what is said is the sample's own.
			if again := saidOf(hint); len(again) > 0 && !strings.Contains(call, "secret") && !strings.Contains(again[0], "and this is a list") {
				t.Errorf("%s: %s: %q", body, hint, again)
			}
		}
	}
}

// So are the fields that other programs hand to a template.
func TestForeignFieldsAreExplained(t *testing.T) {
	for name, f := range foreignFields {
		for _, body := range []string{"{{ .%s }}", "{{ .%s.name }}", "{{ $.%s.a.text }}", "{{ if .%s }}{{ end }}", "{{ if .name }}{{ .%s.name }}{{ end }}"} {
			said := strings.Join(saidOf(strings.Replace(body, "%s", name, 1)), "")
			_, hint, ok := strings.Cut(said, f.of+"'s ."+name+" is ")
			if !ok {
				t.Errorf("%s %s: no hint: %q", body, name, said)
			}
			if again := saidOf(hint); len(again) > 0 {
				t.Errorf("%s: %s: %q", body, hint, again)
			}
		}
	}
}

// Whoever knows another program's function is not told of one that has a similar name here.
func TestFunctionsOfOtherPrograms(t *testing.T) {
	lists := map[string]string{
		"confd": `base split json jsonArray dir map getenv join datetime toUpper toLower contains replace trimSuffix lookupIP lookupIPV4 lookupIPV6
			lookupSRV lookupIfaceIPV4 lookupIfaceIPV6 fileExists base64Encode base64Decode parseBool reverse sortByLength sortKVByLength add sub div mod
			mul seq atoi hostname exists ls lsdir get gets getv getvs cget cgets cgetv cgetvs`,
		"consul-template": `caLeaf caRoots connect datacenters exportedServices file key keyExists keyExistsGet keyOrDefault ls safeLs node nodes
			peerings partitions secret secrets service services tree safeTree pkiCert nomadServices nomadService nomadVarList nomadVarListSafe nomadVar
			nomadVarExists scratch base64Decode base64Encode base64URLDecode base64URLEncode byKey byMeta byPort byTag contains containsAll containsAny
			containsNone containsNotAll env envOrDefault mustEnv executeTemplate explode explodeMap mergeMap mergeMapWithOverride in indent loop join
			trim trimPrefix trimSpace trimSuffix parseBool parseFloat parseInt parseJSON parseUint parseYAML plugin regexReplaceAll regexMatch
			replaceAll sha256Hex md5sum hmacSHA256Hex timestamp toLower toJSON toUnescapedJSON toJSONPretty toUnescapedJSONPretty toTitle toTOML
			toUpper toYAML split splitToMap sockaddr writeToFile add subtract multiply divide modulo minimum maximum
			spew_dump spew_printf spew_sdump spew_sprintf`,
		"gomplate": `ds datasource datasourceExists datasourceReachable defineDatasource include listDatasources json jsonArray yaml yamlArray toml csv
			csvByRow csvByColumn cue toJSON toJSONPretty toYAML toTOML toCSV toCUE ec2meta ec2dynamic ec2tag ec2tags ec2region bool default dict
			has jsonpath jq keys values append prepend uniq flatten reverse merge sort index join urlParse getenv tpl contains hasPrefix hasSuffix
			split splitN trim trimSpace title toUpper toLower indent quote squote shellQuote assert fail isKind kind required ternary`,
		"Helm": `include tpl required lookup toYaml fromYaml fromYamlArray toJson fromJson fromJsonArray toToml fromToml`,
	}
	for name := range sprig.TxtFuncMap() {
		lists["sprig"] += " " + name
	}
	for program, names := range lists {
		for name := range strings.FieldsSeq(names) {
			_, ours := slices.BinarySearch(functionNames(), name)
			if _, known := foreignNames()[name]; !ours && !known {
				t.Errorf("%s of %s is neither here nor explained", name, program)
			}
		}
	}
}
