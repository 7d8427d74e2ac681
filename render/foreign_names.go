package render

// The lists are those of confd 0.16 and its forks (resource/template/template_funcs.go, memkv),
// consul-template 0.41, which Vault Agent and Nomad use too (template/funcs.go), gomplate 4
// (docs/content/functions), sprig 3 (functions.go) and Helm 3 (pkg/engine/funcs.go).

const (
	eachTime   = "what differs from run to run would change the file, and reload its readers, on every pass"
	noNetwork  = "a template asks AWS and this machine; write the name down, or keep the address in a parameter: {{ param \"/app/address\" }}"
	noVault    = "Secrets Manager makes nothing anew for who asks; let its rotation put it into a secret: {{ secret \"prod/web/tls\" \"cert\" }}"
	noPrograms = "a template runs no programs and no other templates by text"
	noSecrecy  = "keep what is secret in Secrets Manager: {{ secret \"prod/db\" \"password\" }}"
	noDefault  = "{{ env \"NAME\" }} fails where the variable is not set, {{ envOr \"text\" \"NAME\" }} does not"
)

var (
	base64Here    = []string{`{{ <1:.text> | b64enc }}`}
	upperHere     = []string{`{{ <1:.text> | upper }}`}
	envHere       = []string{`{{ env <1:"NAME"> }}`}
	envOrHere     = []string{envHere[0], `{{ envOr <2:"text"> <1:"NAME"> }}`}
	childrenHere  = []string{`{{ range paramChildren <1:"/app"> }}{{ .Key }}={{ .Value }}{{ end }}`}
	paramHere     = []string{`{{ param <1:"/app/key"> }}`}
	paramsHere    = []string{`{{ range $name, $text := params <1:"/app"> }}{{ $name }}={{ $text }}{{ end }}`}
	secretHere    = []string{`{{ secret <1:"prod/db"> "password" }}`}
	secretMapHere = []string{`{{ range $name, $value := secretMap <1:"prod/db"> }}{{ $name }}{{ end }}`}
	fileHere      = []string{`{{ file <1:"/etc/hostname"> }}`}
)

// samples are what functions of ours work on, as hints have it, where that is no text.
var samples = map[string]string{
	"toJson": ".value", "toPrettyJson": ".value", "toYaml": ".value", "toToml": ".map", "toString": ".value", "sortAlpha": ".list", "len": ".list",
	"base": ".path", "dir": ".path", "clean": ".path", "ext": ".path", "isAbs": ".path",
}

// programs are those that people come from, each with the functions that are ours by another name
// (NAME=OURS), and with the others. Where several know a name the last counts.
var programs = []struct {
	name, renamed string
	functions     []foreignEntry
}{
	{"sprig", "", ofSprig},
	{"gomplate", "base64.Encode=b64enc base64.Decode=b64dec base64.DecodeBytes=b64dec data.JSON=fromJson data.JSONArray=fromJson json=fromJson data.ToJSON=toJson data.YAML=fromYaml yaml=fromYaml data.YAMLArray=fromYamlArray yamlArray=fromYamlArray data.TOML=fromToml toml=fromToml data.ToYAML=toYaml data.ToTOML=toToml " +
		"conv.ToInt=int64 conv.ToInt64=int64 toInt=int64 toInt64=int64 conv.ToFloat64=float64 toFloat64=float64 conv.ToString=toString coll.Sort=sortAlpha sort=sortAlpha " +
		"conv.ToBool=parseBool conv.Bool=parseBool bool=parseBool conv.URL=urlParse crypto.SHA256=sha256sum crypto.SHA512=sha512sum crypto.SHA1=sha1sum path.Base=base strings.ToUpper=upper strings.ToLower=lower strings.Title=title " +
		"strings.TrimSpace=trim strings.Squote=squote strings.ShellQuote=shellQuote strings.Sort=sortAlpha", ofGomplate},
	{"Helm", "toYamlPretty=toYaml", ofHelm},
	{"consul-template", "trimSpace=trim parseFloat=float64 parseInt=int64 parseUint=int64 parseJSON=fromJson parseYAML=fromYaml base64URLEncode=b64urlenc base64URLDecode=b64urldec toYAML=toYaml toTOML=toToml sha256Hex=sha256sum sha512Hex=sha512sum " +
		"toJSON=toJson toUnescapedJSON=toJson toJSONPretty=toPrettyJson toUnescapedJSONPretty=toPrettyJson toTitle=title", ofConsulTemplate},
	{"confd", "json=fromJson jsonArray=fromJson toUpper=upper toLower=lower base64Encode=b64enc base64Decode=b64dec", ofConfd},
	{"Ansible", "to_json=toJson to_nice_json=toPrettyJson from_json=fromJson b64encode=b64enc b64decode=b64dec to_yaml=toYaml to_nice_yaml=toYaml from_yaml=fromYaml urlencode=urlQuote length=len capitalize=title", ofAnsible},
}

var ofConfd = []foreignEntry{
	{"getv", []string{paramHere[0], `{{ paramOr <2:"text"> <1:"/app/key"> }}`}, ""},
	{"gets", childrenHere, ".Key is the last part of the name"},
	{"getvs", childrenHere, "they are sorted by name"},
	{"ls", []string{`{{ range paramChildren <1:"/app"> }}{{ .Key }}{{ end }}`}, "{{ range paramDirs \"/app\" }}{{ . }}{{ end }} gives the paths below"},
	{"lsdir", []string{`{{ range paramDirs <1:"/app"> }}{{ . }}{{ end }}`}, ""},
	{"exists", []string{`{{ paramExists <1:"/app/key"> }}`}, ""},
	{"cget cgetv", []string{secretHere[0]}, ""},
	{"cgets cgetvs", secretMapHere, ""},
	{"map", []string{`{{ dict "key" .value }}`}, ""},
	{"getenv", envOrHere, noDefault},
	{"sortByLength sortKVByLength", []string{`{{ <1:.list> | sortAlpha }}`}, "it sorts by letters; there is no order by length"},
	{"lookupIP lookupIPV4 lookupIPV6 lookupSRV", nil, noNetwork},
	{"lookupIfaceIPV4 lookupIfaceIPV6", []string{`{{ imds "local-ipv4" }}`}, "of other interfaces it is a fact to be kept in vars"},
	{"datetime", nil, eachTime},
}

var ofConsulTemplate = []foreignEntry{
	{"key", paramHere, ""},
	{"keyOrDefault key_or_default", []string{paramHere[0], `{{ paramOr <2:"text"> <1:"/app/key"> }}`}, ""},
	{"keyExists key_exists", []string{`{{ paramExists <1:"/app/key"> }}`}, ""},
	{"keyExistsGet", []string{`{{ with paramOr "" <1:"/app/key"> }}{{ . }}{{ end }}`}, ""},
	{"safeLs", childrenHere, ""},
	{"safeTree", paramsHere, ""},
	{"tree", []string{`{{ range $name, $text := params <1:"/app"> }}{{ $name }}={{ $text }}{{ end }}`}, "$name is all that stands below the path"},
	{"secrets", nil, "nothing lists secrets, for AWS gives no such permission for some of them; write the names down: {{ secret \"prod/db\" \"password\" }}"},
	{"vault", secretHere, ""},
	{"pkiCert", nil, noVault},
	{"caLeaf caRoots connect datacenters node nodes service services peerings partitions exportedServices byMeta byPort byTag", nil, "there is no Consul; what it knows can be kept in Parameter Store: {{ param \"/app/address\" }}"},
	{"nomadService nomadServices nomadVar nomadVarExists nomadVarList nomadVarListSafe", nil, "there is no Nomad; what it knows can be kept in Parameter Store: {{ param \"/app/key\" }}"},
	{"scratch", []string{`{{ $x := "text" }}{{ $x = "other" }}{{ $x }}`}, "a map of values is {{ dict \"key\" .value }}"},
	{"NewMap", []string{`{{ dict "key" .value }}`}, ""},
	{"containsAll containsAny containsNone containsNotAll", []string{`{{ has "element" .list }}`}, "several are put together by and, or, not"},
	{"envOrDefault", []string{`{{ envOr "text" "NAME" }}`, envOrHere[1]}, ""},
	{"mustEnv", envHere, ""},
	{"executeTemplate", []string{`{{ include <1:"_part.tmpl"> . }}`, `{{ include <1:"_part.tmpl"> <2:.> }}`}, "a file beside the template whose name begins with _"},
	{"byKey explode", []string{`{{ range $name, $below := paramsTree "/app" }}{{ $name }}{{ end }}`}, ""},
	{"explodeMap", nil, "{{ range $name, $below := paramsTree \"/app\" }}{{ $name }}{{ end }} gives a tree"},
	{"mergeMap", []string{`{{ range $k, $v := merge (dict "a" 1) .defaults }}{{ $k }}{{ end }}`}, ""},
	{"mergeMapWithOverride", []string{`{{ range $k, $v := mergeOverwrite (dict "a" 1) .more }}{{ $k }}{{ end }}`}, ""},
	{"in", []string{`{{ has "element" <1:.list> }}`, `{{ has <2:"element"> <1:.list> }}`}, "for a part of a text {{ contains \"part\" .text }}"},
	{"loop", []string{`{{ range until <1:3> }}{{ . }}{{ end }}`, `{{ range untilStep <1:1> <2:4> 1 }}{{ . }}{{ end }}`}, ""},
	{"plugin", nil, noPrograms},
	{"replaceAll", []string{`{{ <3:.text> | replace "a" "b" }}`, `{{ .text | replace <1:"a"> <2:"b"> }}`, `{{ <3:.text> | replace <1:"a"> <2:"b"> }}`}, ""},
	{"hmacSHA256Hex", []string{`{{ .text | hmacSHA256 .other }}`, `{{ <1:.text> | hmacSHA256 <2:.other> }}`}, "the key stands first"},
	{"spew_dump spew_printf spew_sdump spew_sprintf", nil, "it prints values; {{ kindOf .value }} says what kind one is"},
	{"sockaddr", []string{`{{ imds "local-ipv4" }}`}, "or {{ hostname }}"},
	{"timestamp", nil, eachTime},
	{"writeToFile", nil, "a file is written from a template of its own, under files:"},
	{"subtract", []string{`{{ sub .count 1 }}`, `{{ sub <2:.count> <1:1> }}`}, "what is taken away stands last"},
	{"multiply", []string{`{{ mul .count 2 }}`, `{{ mul <2:.count> <1:2> }}`}, ""},
	{"divide", []string{`{{ div .count 2 }}`, `{{ div <2:.count> <1:2> }}`}, "what it is divided by stands last"},
	{"modulo", []string{`{{ mod .count 2 }}`, `{{ mod <2:.count> <1:2> }}`}, "what it is divided by stands last"},
	{"minimum", []string{`{{ min .count 2 }}`, `{{ min <1:2> <2:.count> }}`}, ""},
	{"maximum", []string{`{{ max .count 2 }}`, `{{ max <1:2> <2:.count> }}`}, ""},
}

var ofSprig = []foreignEntry{
	{"now ago", nil, eachTime},
	{"date_in_zone", []string{`{{ dateInZone "2006-01-02" .text "UTC" }}`, `{{ dateInZone <1:"2006-01-02"> <2:.text> "UTC" }}`, `{{ dateInZone <1:"2006-01-02"> <2:.text> <3:"UTC"> }}`}, ""},
	{"date_modify must_date_modify", []string{`{{ .text | dateModify "1h" }}`, `{{ <2:.text> | dateModify <1:"1h"> }}`}, ""},
	{"randAlpha randAlphaNum randAscii randNumeric randBytes randInt shuffle uuidv4", nil, eachTime},
	{"bcrypt htpasswd encryptAES", nil, eachTime + "; keep what it gives in a secret: {{ secret \"prod/app\" \"hash\" }}"},
	{"genPrivateKey genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey buildCustomCert", nil,
		eachTime + "; keep certificate and key in a secret: {{ secret \"prod/web/tls\" \"key\" }}"},
	{"derivePassword decryptAES", nil, noSecrecy},
	{"genPassword", nil, eachTime + "; Secrets Manager makes passwords: {{ secret \"prod/db\" \"password\" }}"},
	{"getHostByName", nil, noNetwork},
	{"expandenv", []string{`{{ env "NAME" }}`}, "one name at a time"},
	{"hello", nil, "it gives the same words always"},
}

var ofHelm = []foreignEntry{
	{"tpl", nil, noPrograms},
	{"lookup", secretHere, "or {{ param \"/app/key\" }}"},
}

var ofAnsible = []foreignEntry{
	{"hostvars groups inventory_hostname ansible_facts ansible_hostname ansible_fqdn", []string{`{{ hostname }}`}, "what else is known of hosts belongs in vars: {{ .name }}"},
	{"item items", []string{`{{ range .list }}{{ . }}{{ end }}`}, ""},
	{"mandatory", []string{`{{ required "why" <1:.text> }}`}, ""},
}

var ofGomplate = []foreignEntry{
	{"ds datasource", secretHere, "or {{ param \"/app/key\" }}; vars: of the config holds what is no secret: {{ .name }}"},
	{"datasourceExists datasourceReachable defineDatasource listDatasources", nil, "there are no data sources; what is asked is named where it is used: {{ param \"/app/key\" }}"},
	{"aws.SM", []string{`{{ secret <1:"prod/db"> }}`}, "one value of its JSON is {{ secret \"prod/db\" \"password\" }}"},
	{"aws.SMP aws.SSM", paramHere, ""},
	{"aws.EC2Meta aws.EC2Dynamic ec2meta ec2dynamic", []string{`{{ imds <1:"placement/availability-zone"> }}`}, ""},
	{"aws.EC2Region ec2region", []string{`{{ awsRegion }}`}, ""},
	{"aws.EC2Tag aws.EC2Tags ec2tag ec2tags", []string{`{{ imds "tags/instance/Name" }}`}, ""},
	{"aws.Account", []string{`{{ awsAccount }}`}, ""},
	{"aws.", secretHere, "{{ param \"/app/key\" }}, {{ imds \"tags/instance/Name\" }}, {{ awsRegion }} and {{ awsAccount }} are what else AWS is asked"},
	{"awsSecret ssm", secretHere, "a parameter is {{ param \"/app/key\" }}"},
	{"azure. gcp. k8s.", nil, "only AWS is asked; instance metadata is {{ imds \"tags/instance/Name\" }}"},
	{"base64.", base64Here, "and {{ .text | b64dec }}"},
	{"data.ToJSONPretty", []string{`{{ .value | toPrettyJson }}`, `{{ <2:.value> | toPrettyJson }}`}, ""},
	{"data. csv csvByRow csvByColumn cue toCSV toCUE", nil, "keep JSON, which {{ .text | fromJson }} reads and {{ .value | toJson }} writes; {{ secretMap \"prod/app\" }} decodes a secret"},
	{"conv.Join", []string{`{{ <1:.list> | join "," }}`, `{{ <1:.list> | join <2:","> }}`}, ""},
	{"conv.Default", []string{`{{ .text | default "text" }}`, `{{ <2:.text> | default <1:"text"> }}`}, ""},
	{"conv.", nil, "{{ .text | int64 }}, {{ .text | float64 }}, {{ .text | parseBool }} and {{ .value | toString }} convert"},
	{"coll.Dict", []string{`{{ dict "key" .value }}`}, ""},
	{"coll.Slice coll.Append coll.Prepend", []string{`{{ append .list "more" }}`}, "a list is made by {{ list \"a\" \"b\" }}"},
	{"coll.Has", []string{`{{ hasKey .map "key" }}`, `{{ hasKey <1:.map> <2:"key"> }}`}, "an element of a list: {{ has \"element\" .list }}"},
	{"coll.Keys", []string{`{{ keys <1:.map> }}`}, ""},
	{"coll.Values", []string{`{{ values <1:.map> }}`}, ""},
	{"coll. flatten jsonpath jq", []string{`{{ index .map "key" }}`}, "lists and maps have first, last, rest, uniq, reverse, pick, omit, merge, keys and values"},
	{"crypto.", nil, noSecrecy + ", which {{ .text | sha256sum }} and {{ .text | hmacSHA256 .other }} can digest"},
	{"env.Getenv env.Env", envOrHere, noDefault},
	{"env.", envHere, ""},
	{"file.Read", fileHere, ""},
	{"file. filepath.", fileHere, "paths have base, dir, ext, clean and isAbs"},
	{"math.Add", []string{`{{ add 1 .count }}`, `{{ add <1:1> <2:.count> }}`}, ""},
	{"math.Sub", []string{`{{ sub .count 1 }}`, `{{ sub <1:.count> <2:1> }}`}, ""},
	{"math.Mul", []string{`{{ mul 2 .count }}`, `{{ mul <1:2> <2:.count> }}`}, ""},
	{"math.Div", []string{`{{ div .count 2 }}`, `{{ div <1:.count> <2:2> }}`}, ""},
	{"math.Rem", []string{`{{ mod .count 2 }}`, `{{ mod <1:.count> <2:2> }}`}, ""},
	{"math.Seq", []string{`{{ range until <1:3> }}{{ . }}{{ end }}`, `{{ range untilStep <1:1> <2:4> 1 }}{{ . }}{{ end }}`}, "until and untilStep leave the last number out"},
	{"math.", []string{`{{ add 1 .count }}`}, "and sub, mul, div, mod, min, max, ceil, floor and round"},
	{"net.", nil, noNetwork},
	{"path.", []string{`{{ <1:.path> | dir }}`}, "and base, ext, clean and isAbs"},
	{"time.", nil, "{{ date \"2006-01-02\" .text }} writes a time that is given, and none reads the clock: " + eachTime},
	{"random. uuid.", nil, eachTime},
	{"regexp.Find", []string{`{{ regexFind "[a-z]+" .text }}`, `{{ regexFind <1:"[a-z]+"> <2:.text> }}`}, ""},
	{"regexp.Match", []string{`{{ regexMatch "[a-z]+" .text }}`, `{{ regexMatch <1:"[a-z]+"> <2:.text> }}`}, ""},
	{"regexp.Replace", []string{`{{ regexReplaceAll "[a-z]+" .text "b" }}`, `{{ regexReplaceAll <1:"[a-z]+"> .text <2:"b"> }}`, `{{ regexReplaceAll <1:"[a-z]+"> <3:.text> <2:"b"> }}`}, "the text stands in the middle"},
	{"regexp.", []string{`{{ regexMatch "[a-z]+" .text }}`}, "and regexFind, regexFindAll, regexReplaceAll, regexSplit and regexQuoteMeta"},
	{"semver.", []string{`{{ semverCompare ">=1.2" .version }}`}, "and {{ (semver .version).Major }}"},
	{"sockaddr.", []string{`{{ imds "local-ipv4" }}`}, ""},
	{"strings.Trim", []string{`{{ trimAll "/" .text }}`, `{{ trimAll <1:"/"> <2:.text> }}`}, ""},
	{"strings.TrimPrefix", []string{`{{ trimPrefix "a" .text }}`, `{{ trimPrefix <1:"a"> <2:.text> }}`}, ""},
	{"strings.TrimSuffix", []string{`{{ trimSuffix "a" .text }}`, `{{ trimSuffix <1:"a"> <2:.text> }}`}, ""},
	{"strings.Contains", []string{`{{ contains "a" .text }}`, `{{ contains <1:"a"> <2:.text> }}`}, ""},
	{"strings.HasPrefix", []string{`{{ hasPrefix "a" .text }}`, `{{ hasPrefix <1:"a"> <2:.text> }}`}, ""},
	{"strings.HasSuffix", []string{`{{ hasSuffix "a" .text }}`, `{{ hasSuffix <1:"a"> <2:.text> }}`}, ""},
	{"strings.Split strings.SplitN splitN", []string{`{{ splitList "," .text }}`, `{{ splitList <1:","> <2:.text> }}`, `{{ splitList <1:","> <3:.text> }}`}, ""},
	{"strings.Replace strings.ReplaceAll", []string{`{{ .text | replace "a" "b" }}`, `{{ .text | replace <1:"a"> <2:"b"> }}`, `{{ <3:.text> | replace <1:"a"> <2:"b"> }}`}, ""},
	{"strings.Quote", []string{`{{ <1:.text> | quote }}`}, "envQuote, yamlQuote, tomlQuote, xmlQuote and toJson quote for where a text stands"},
	{"strings.Repeat", []string{`{{ repeat 3 .text }}`, `{{ repeat <1:3> <2:.text> }}`}, ""},
	{"strings.Indent", []string{`{{ .text | indent 2 }}`, `{{ <2:.text> | indent <1:2> }}`}, ""},
	{"strings.Trunc", []string{`{{ trunc 8 .text }}`, `{{ trunc <1:8> <2:.text> }}`}, ""},
	{"strings.", upperHere, "and lower, title, trim, replace, contains, hasPrefix, hasSuffix, splitList, indent, repeat and trunc"},
	{"test. assert", nil, "a value that is missing or wrong is an error by itself; {{ required \"why\" .text }} refuses what is empty"},
	{"isKind", []string{`{{ kindIs "map" .value }}`, `{{ kindIs <1:"map"> <2:.value> }}`}, ""},
	{"kind", []string{`{{ kindOf <1:.value> }}`}, ""},
	{"tmpl. ", nil, "{{ include \"_part.tmpl\" . }} calls a file beside the template whose name begins with _"},
}

// foreignFields are fields of what other programs hand to a template.
var foreignFields = map[string]foreign{
	"Values":       {"Helm", []string{`{{ <1:.name> }}`}, "values that are no secrets stand under vars: of the config"},
	"Release":      {"Helm", []string{`{{ .name }}`}, "there is no release; what differs between installations belongs in vars:"},
	"Chart":        {"Helm", []string{`{{ .name }}`}, "there is no chart; what is known beforehand belongs in vars:"},
	"Capabilities": {"Helm", nil, "there is no Kubernetes; what is known beforehand belongs in vars:"},
	"Files":        {"Helm", fileHere, ""},
	"Env":          {"gomplate", []string{`{{ env <1:"NAME"> }}`}, noDefault},
	"Data":         {"Vault", secretHere, "what stands there is one value of the secret's JSON"},
}
